"""A network without a way out, DHCP, IPv6 and name servers, all by Debian's dnsmasq."""

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
    """Run a dead-end network until the end of the with block: the bridge STRAY_BRIDGE.

    Its DHCP server answers every request at once; its router and name server do not work. Such is
    the network of a management controller, or one that is cabled by mistake.
    """
    router = f"{STRAY_SUBNET}.1"
    network.add_bridge(STRAY_BRIDGE, router)
    _isolate(network)
    more = (f"--dhcp-option=option:dns-server,{router}", "--no-ping")
    with dhcp(folder, network, STRAY_BRIDGE, STRAY_SUBNET, *more) as program:
        yield program


@contextmanager
def dhcp(
    folder: Path, network: Namespace, device: str, subnet: str, *more: str
) -> Iterator[Program]:
    """Lease addresses of a subnet (its first three numbers) on a device; .1 is the router.

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


def _isolate(network: Namespace) -> None:
    # The sandbox's servers listen in the same namespace; they must not be reachable from here.
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
        run("isolating the stray network", ["nft", rules])


@contextmanager
def ipv6(folder: Path, network: Namespace) -> Iterator[Program]:
    """Give the machines on the bridge IPv6 until the end of the with block, by SLAAC and DHCPv6.

    Router and name server are ADDRESS6, which this adds to the sandbox.
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
    """Resolve these names at an address of the network until the end of the with block."""
    command = [
        *DNSMASQ,
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={address}",
        *(f"--address=/{name}/{value}" for name, value in names.items()),
        *(f"--local=/{name}/" for name in names),  # no other record types
    ]
    log = folder / f"names-{address}.log"
    with running("dnsmasq", command, log=log, network=network) as program:
        yield program
