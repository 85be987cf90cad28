"""Networks that are wrong, IPv6, name servers that come and go: all are Debian's dnsmasq."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release.process import run
from sandbox.network import ADDRESS6, BRIDGE, SUBNET6, Namespace
from sandbox.processes import Program, running

DNSMASQ = (
    "dnsmasq",
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--user=root",
    "--log-facility=-",
)
STRAY_BRIDGE = "stray0"
STRAY_SUBNET = "10.66.0"


@contextmanager
def stray_network(folder: Path, network: Namespace) -> Iterator[Program]:
    """Run a network that leads nowhere until the end of the with block: the bridge STRAY_BRIDGE.

    Its DHCP server answers whoever asks, at once, with a router and a name server that are none:
    as the network of a management controller, or one that a cable was put into by mistake.
    """
    router = f"{STRAY_SUBNET}.1"
    network.add_bridge(STRAY_BRIDGE, router)
    _keep_apart(network)
    more = (f"--dhcp-option=option:dns-server,{router}", "--no-ping")
    with dhcp(folder, network, STRAY_BRIDGE, STRAY_SUBNET, *more) as program:
        yield program


@contextmanager
def dhcp(
    folder: Path, network: Namespace, device: str, subnet: str, *more: str
) -> Iterator[Program]:
    """Give out addresses of a subnet (its first three numbers) on a device, whose .1 is router.

    more: options of dnsmasq.
    """
    command = [
        *DNSMASQ,
        "--port=0",
        f"--interface={device}",
        "--bind-interfaces",
        f"--dhcp-range={subnet}.100,{subnet}.200,1h",
        f"--dhcp-leasefile={folder / device}.leases",
        *more,
    ]
    log = folder / f"{device}.log"
    with running("dnsmasq", command, log=log, network=network) as program:
        yield program


def _keep_apart(network: Namespace) -> None:
    # The sandbox's programs listen in the same namespace; they must not be found from here.
    rules = f"""
    table inet stray {{
        chain input {{
            type filter hook input priority 0
            iifname "{STRAY_BRIDGE}" udp dport 67 accept
            iifname "{STRAY_BRIDGE}" drop
        }}
    }}
    """
    with network.inside():
        run("keeping the stray network apart", ["nft", rules])


@contextmanager
def ipv6(folder: Path, network: Namespace) -> Iterator[Program]:
    """Give the machines on the bridge IPv6 until the end of the with block, by SLAAC and DHCPv6.

    Router and name server are ADDRESS6, which the sandbox has from now on.
    """
    network.add_address(ADDRESS6)
    command = [
        *DNSMASQ,
        "--port=0",
        f"--interface={BRIDGE}",
        "--bind-interfaces",
        "--enable-ra",
        f"--dhcp-range={SUBNET6}100,{SUBNET6}1ff,slaac,64,1h",
        f"--dhcp-option=option6:dns-server,[{ADDRESS6}]",
        f"--dhcp-leasefile={folder / 'ipv6.leases'}",
    ]
    with running("dnsmasq", command, log=folder / "ipv6.log", network=network) as program:
        yield program


@contextmanager
def name_server(
    folder: Path, network: Namespace, address: str, names: dict[str, str]
) -> Iterator[Program]:
    """Answer for these names at an address of the network until the end of the with block."""
    command = [
        *DNSMASQ,
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={address}",
        *(f"--address=/{name}/{value}" for name, value in names.items()),
        *(f"--local=/{name}/" for name in names),  # they have no other kind of address
    ]
    log = folder / f"names-{address}.log"
    with running("dnsmasq", command, log=log, network=network) as program:
        yield program
