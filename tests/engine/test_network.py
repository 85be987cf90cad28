"""The network service with real dhcpcd, dnsmasq and routes; a machine is a network namespace.

VLANs need a kernel that has them: virtual machines test those.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release.process import run
from sandbox.waiting import wait_for
from tests.engine.network_lab import Box, lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.network import Namespace
    from tests.engine.docker import Docker

HOST = "198.51.100.1"
HOST6 = "fd99::1"
PARAMETERS = f"grpc_authority={HOST}:42113"
PORT = 42113
SECONDS = 30.0
DOWNLOAD_SECONDS = 5.0


@pytest.fixture(scope="session")
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image, unpacked; DHCP_ROOT: a folder that has it already."""
    if given := os.environ.get("DHCP_ROOT"):
        return Path(given)
    docker: Docker = request.getfixturevalue("docker")
    folder = tmp_path_factory.mktemp("dhcp")
    container = docker("create", "tinkie/dhcp:build")
    docker("export", "--output", str(folder / "root.tar"), container)
    docker.remove(container)
    (folder / "root").mkdir()
    tar = ["tar", "-C", str(folder / "root"), "-xf", str(folder / "root.tar")]
    run("unpacking the image", tar)
    return folder / "root"


@pytest.fixture
def make_box(root: Path, tmp_path: Path) -> Iterator[Callable[[int], Box]]:
    """Call it with the number of NICs."""
    with ExitStack() as stack:
        yield lambda nics: stack.enter_context(lab(root, tmp_path, f"net{os.getpid()}", nics))


def serve(box: Box, nic: str, subnet: str, *options: str) -> ExitStack:
    """Lease addresses of a subnet (its first three numbers) on the other end of a NIC."""
    wire = box.wires[nic]
    wire.has(f"{subnet}.1/24")
    stack = ExitStack()
    given = f"--dhcp-range={subnet}.10,{subnet}.20,255.255.255.0,2m"
    stack.enter_context(wire.server("--port=0", given, *options))
    return stack


def started(box: Box, parameters: str, *stacks: ExitStack) -> ExitStack:
    """Start the service, for a with block that also has the servers."""
    whole = ExitStack()
    for stack in stacks:
        whole.enter_context(stack)
    whole.enter_context(box.started(parameters))
    return whole


def segment_size(box: Box, nic: str, address: str) -> int:
    """Return how large the segments are that the machine gets from an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with box.wires[nic].namespace.inside():
        server = socket.create_server((address, PORT), family=family)
    with box.namespace.inside():
        client = socket.socket(family)
    with server, client:
        client.settimeout(SECONDS)
        server.settimeout(SECONDS)
        client.connect((address, PORT))
        other, _ = server.accept()
        with other:
            return other.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


def test_the_mtu_and_the_routes_of_a_lease_are_those_that_are_used(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(1)
    box.wires["eth0"].has(f"{HOST}/32")
    options = (
        "--dhcp-option=26,1400",
        "--dhcp-option=121,0.0.0.0/0,10.55.0.1,10.66.0.0/16,10.55.0.9",
    )
    with started(box, PARAMETERS, serve(box, "eth0", "10.55.0", *options)):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        address = box.state()["nics"]["eth0"]["addresses"][0].partition("/")[0]
        assert box.routes() == [
            f"default via 10.55.0.1 dev eth0 src {address} metric 10 mtu 1400",
            f"10.55.0.0/24 dev eth0 scope link src {address} metric 10 mtu 1400",
            f"10.66.0.0/16 via 10.55.0.9 dev eth0 src {address} metric 10 mtu 1400",
        ]
        assert f"address={address} router=10.55.0.1 server=10.55.0.1" in box.console()[1]
        assert segment_size(box, "eth0", HOST) <= 1400 - 40


def test_a_download_through_a_router_that_filters_icmp_gets_all_of_it(
    make_box: Callable[[int], Box],
) -> None:
    """The machine's own link takes 1500 bytes: without the lease's MTU nothing would arrive."""
    box = make_box(1)
    wire = box.wires["eth0"]
    leased = serve(box, "eth0", "10.55.0", "--dhcp-option=26,1400")
    with (
        wire.narrow_way(f"{HOST}/32", "10.55.0.0/24", 1400) as far,
        started(box, PARAMETERS, leased),
    ):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        assert len(_download(box, far, DOWNLOAD)) == len(DOWNLOAD)
        box.ip("route", "replace", f"{HOST}/32", "via", "10.55.0.1", "dev", "eth0", "mtu", "1500")
        with pytest.raises(TimeoutError):
            _download(box, far, DOWNLOAD)


DOWNLOAD = bytes(200_000)


def _download(box: Box, far: Namespace, content: bytes) -> bytes:
    with far.inside():
        server = socket.create_server((HOST, PORT))
    with box.namespace.inside():
        client = socket.socket()
    with server, client:
        client.settimeout(DOWNLOAD_SECONDS)
        client.connect((HOST, PORT))
        other, _ = server.accept()
        with other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * len(content))
            other.sendall(content)
            found = b""
            while len(found) < len(content):
                found += client.recv(len(content))
    return found


def test_the_mtu_of_a_router_advertisement_is_used(make_box: Callable[[int], Box]) -> None:
    box = make_box(1)
    wire = box.wires["eth0"]
    wire.has("fd55::1/64", f"{HOST6}/128")
    more = "--enable-ra", "--ra-param=wire,mtu:1300,high,10", "--dhcp-range=fd55::,slaac,64,2m"
    with wire.server("--port=0", *more), box.started(f"grpc_authority=[{HOST6}]:42113"):
        box.wait_for(f"host.reached host={HOST6} interface=eth0")
        assert all("metric 10 mtu 1300 pref high" in route for route in box.routes("-6"))
        assert segment_size(box, "eth0", HOST6) <= 1300 - 60


def test_all_that_a_router_advertises_is_used(make_box: Callable[[int], Box]) -> None:
    box = make_box(1)
    wire = box.wires["eth0"]
    wire.has("fd55::1/64", f"{HOST6}/128")
    wire.ip("route", "add", "fd56::/64", "dev", "wire")
    advertised = """
        MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvLinkMTU 1300; AdvDefaultPreference low;
        prefix fd55::/64 {}; prefix fd56::/64 { AdvOnLink off; };
        RDNSS fd55::53 fd55::54 {}; DNSSL example.com team.example.com {};
    """
    with wire.router(advertised), box.started(f"grpc_authority=[{HOST6}]:42113"):
        box.wait_for(f"host.reached host={HOST6} interface=eth0")
        routes = box.routes("-6")
        assert [route.split()[0] for route in routes] == ["fd55::/64", "fd56::/64", "default"]
        assert " via fe80::" in routes[1]  # its hosts are not on the link
        assert all("metric 10 mtu 1300 pref low" in route for route in routes)
        assert sorted(
            one.partition(":")[0] for one in box.state()["nics"]["eth0"]["addresses"]
        ) == [
            "fd55",
            "fd56",
        ]
        assert box.read("resolv.conf").splitlines() == [
            "search example.com team.example.com",
            "nameserver fd55::53",
            "nameserver fd55::54",
        ]


def test_a_gateway_outside_the_prefix_is_used_and_the_other_family_asks_dhcp(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(2)
    wire = box.wires["eth1"]
    wire.has("fd55::1/64", f"{HOST6}/128")
    mac = box.mac("eth1").replace(":", "-")
    line = f"grpc_authority=[{HOST6}]:42113 ipam={mac}::[fd55::5]:64:[{HOST6}]:name.example"
    with started(box, line, serve(box, "eth1", "10.55.0")):
        box.wait_for(f"host.reached host={HOST6} interface=eth1")
        box.wait_for("interface=eth1 address=10.55.0.")
        assert f"address.bound interface=eth1 address=fd55::5 router={HOST6}" in box.console()
        assert f"default via {HOST6} dev eth1 metric 10 onlink pref medium" in box.routes("-6")
        assert "default via 10.55.0.1 dev eth1" in box.routes()[0]
        assert box.read("hostname") == "name.example\n"


def test_a_static_ipv4_address_asks_no_server_for_another(make_box: Callable[[int], Box]) -> None:
    box = make_box(1)
    wire = box.wires["eth0"]
    wire.has("10.55.0.254/32", f"{HOST}/32")
    wire.ip("route", "add", "10.77.0.5/32", "dev", "wire")
    mac = box.mac("eth0").replace(":", "-")
    line = f"{PARAMETERS} ipam={mac}::10.77.0.5:32:10.55.0.254"
    with started(box, line, serve(box, "eth0", "10.55.0")):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        assert "address.bound interface=eth0 address=10.77.0.5 router=10.55.0.254" in box.console()
        box.wires["eth0"].plug(is_in=False)
        box.wait_for("link.down")
        box.wires["eth0"].plug(is_in=True)
        wait_for("the route", box.routes, seconds=SECONDS)
        assert not any("address=10.55.0." in line for line in box.console())


def test_an_address_of_the_command_line_has_its_mtu_and_its_routes(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(1)
    wire = box.wires["eth0"]
    wire.has("10.77.0.254/24", f"{HOST}/32")
    mac = box.mac("eth0").replace(":", "-")
    more = "1400:10.88.0.0/16@10.77.0.9,10.99.0.0/24@10.5.5.5,10.66.0.0/16"
    with started(box, f"{PARAMETERS} ipam={mac}::10.77.0.5:24:10.77.0.254:::::{more}"):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        _wait_for_route(box, "10.66.0.0/16 dev eth0 scope link metric 10")
        routes = box.routes()
        assert "default via 10.77.0.254 dev eth0 metric 10 onlink" in routes
        assert "10.88.0.0/16 via 10.77.0.9 dev eth0 metric 10 onlink" in routes
        assert "10.99.0.0/24 via 10.5.5.5 dev eth0 metric 10 onlink" in routes
        assert "mtu 1400 " in box.ip("link", "show", "eth0")
        assert segment_size(box, "eth0", HOST) <= 1400 - 40
        assert not any("network.failed" in line for line in box.console())


def test_a_network_that_leads_nowhere_is_not_used_though_it_answers_first(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(2)
    dead = serve(box, "eth0", "10.66.0", "--dhcp-option=6,10.66.0.53")
    box.wires["eth1"].has(f"{HOST}/32")
    box.wires["eth1"].plug(is_in=False)
    with started(box, PARAMETERS, dead):
        box.wait_for("address.bound interface=eth0")
        _wait_for_servers(box, "10.66.0.53")
        assert all("dev eth0 " in route for route in box.routes())
        with serve(box, "eth1", "10.55.0", "--dhcp-option=6,10.55.0.53"):
            box.wires["eth1"].plug(is_in=True)
            box.wait_for(f"host.reached host={HOST} interface=eth1")
            assert not [route for route in box.routes() if "eth0" in route]
            assert box.read("resolv.conf") == "nameserver 10.55.0.53\n"
            assert box.read("run/chosen") == "eth1\n"
            host = box.state()["nics"]["eth0"]["steps"]["host"]
            assert (host["ok"], host["why"]) == (False, "timed out")


def _wait_for_servers(box: Box, server: str) -> None:
    text = f"nameserver {server}\n"
    wait_for("the name servers", lambda: box.read("resolv.conf") == text, seconds=SECONDS)


def test_renewals_and_advertisements_of_a_named_dead_nic_change_no_route(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(2)
    box.wires["eth1"].has(f"{HOST}/32")
    box.wires["eth0"].has("fd66::1/64")
    more = "--enable-ra", "--ra-param=wire,4", "--dhcp-range=fd66::,slaac,64,2m"
    dead = serve(box, "eth0", "10.66.0", "--dhcp-option=6,10.66.0.53", *more)
    right = serve(box, "eth1", "10.55.0", "--dhcp-option=6,10.55.0.53")
    with started(box, f"{PARAMETERS} interface=eth0", dead, right):
        box.wait_for(f"host.reached host={HOST} interface=eth1")
        box.wait_for("interface=eth0 address=fd66:")
        log = box.wires["eth0"].folder / "eth0.log"
        with box.watched_routes() as changes:
            for number in range(2, 5):
                box.renew("eth0")
                _wait_for_leases(log, number)
        assert not [line for line in changes if "proto 84" in line or "metric 10 " in line]
        assert box.read("resolv.conf") == "nameserver 10.55.0.53\n"


def _wait_for_leases(log: Path, number: int) -> None:
    given = f"{number} leases and renewals"
    wait_for(given, lambda: log.read_text().count("DHCPACK") >= number, seconds=SECONDS)


def test_a_named_nic_that_begins_to_reach_the_host_is_used(make_box: Callable[[int], Box]) -> None:
    box = make_box(2)
    box.wires["eth1"].has(f"{HOST}/32")
    both = serve(box, "eth0", "10.66.0"), serve(box, "eth1", "10.55.0")
    with started(box, f"{PARAMETERS} hw_addr={box.mac('eth0')}", *both):
        box.wait_for(f"host.reached host={HOST} interface=eth1")
        box.wires["eth0"].has(f"{HOST}/32")
        box.wait_for(f"route.changed interface=eth0 before=eth1 host={HOST}", 70)


def test_the_routes_of_both_families_move_to_another_nic(make_box: Callable[[int], Box]) -> None:
    box = make_box(2)
    more = "--enable-ra", "--ra-param=wire,10"
    servers = [
        serve(box, nic, f"10.5{at}.0", *more, f"--dhcp-range=fd5{at}::,slaac,64,2m")
        for at, nic in enumerate(box.wires)
    ]
    for at, wire in enumerate(box.wires.values()):
        wire.has(f"fd5{at}::1/64")
    box.wires["eth0"].has(f"{HOST}/32")
    with started(box, PARAMETERS, *servers):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        box.wait_for("interface=eth0 address=fd50:")
        box.wait_for("interface=eth1 address=fd51:")
        box.wires["eth0"].ip("address", "delete", f"{HOST}/32", "dev", "wire")
        box.wires["eth1"].has(f"{HOST}/32")
        box.wait_for(f"route.changed interface=eth1 before=eth0 host={HOST}", 40)
        routes = [*box.routes(), *box.routes("-6")]
        assert len(routes) == 4
        assert all(" dev eth1 " in route for route in routes)
        assert segment_size(box, "eth1", HOST) > 0


def test_a_host_in_the_network_of_a_dead_nic_is_reached_by_the_other(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(2)
    box.wires["eth0"].has(f"{HOST}/32")
    box.wires["eth1"].has("198.51.100.254/24")
    near = "--port=0", "--dhcp-range=198.51.100.10,198.51.100.20,255.255.255.0,2m"
    with (
        box.wires["eth1"].server(*near),
        started(box, PARAMETERS, serve(box, "eth0", "10.55.0")),
    ):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        box.wait_for("address.bound interface=eth1")
        _wait_for_route(box, f"{HOST} via 10.55.0.1 dev eth0 src ")
        assert segment_size(box, "eth0", HOST) > 0


def _wait_for_route(box: Box, start: str) -> None:
    wait_for(start, lambda: f"\n{start}" in "\n".join(["", *box.routes()]), seconds=SECONDS)


def test_of_eight_nics_the_right_one_is_used_wherever_its_cable_is(
    make_box: Callable[[int], Box],
) -> None:
    """The host is a name, which only the right network's name server has."""
    box = make_box(8)
    dead = [serve(box, f"eth{at}", f"10.6{at}.0", f"--dhcp-option=6,10.6{at}.0.1") for at in (0, 1)]
    for nic in ("eth3", "eth5", "eth7"):
        box.wires[nic].plug(is_in=False)
    line = "grpc_authority=tink.example:42113"
    with started(box, line, *dead):
        box.wait_for("address.bound interface=eth0")
        box.wait_for("host.unreachable host=tink.example port=42113")
        (said, *_) = [text for text in box.console() if "host.unreachable" in text]
        assert "eth0: name not found" in said
        assert "eth2: no link" not in said
        for nic, subnet in (("eth5", "10.55.0"), ("eth3", "10.53.0")):
            wire = box.wires[nic]
            wire.has(f"{HOST}/32", f"{subnet}.1/24")
            given = f"--dhcp-range={subnet}.10,{subnet}.20,255.255.255.0,2m"
            name = f"--address=/tink.example/{HOST}"
            with wire.server(given, name, f"--dhcp-option=6,{subnet}.1"):
                wire.plug(is_in=True)
                box.wait_for(f"interface={nic} ", 40)
                _wait_for_choice(box, nic)
                assert box.read("resolv.conf") == f"nameserver {subnet}.1\n"
                assert f"dev {nic} " in box.routes()[0]
                wire.plug(is_in=False)
                box.wait_for(f"link.down interface={nic}")


def _wait_for_choice(box: Box, nic: str) -> None:
    wait_for(nic, lambda: box.read("run/chosen") == f"{nic}\n", seconds=SECONDS)


def test_a_lease_that_the_server_takes_back_is_lost(make_box: Callable[[int], Box]) -> None:
    box = make_box(1)
    wire = box.wires["eth0"]
    wire.has(f"{HOST}/32")
    with ExitStack() as stack:
        with serve(box, "eth0", "10.55.0"):
            stack.enter_context(box.started(PARAMETERS))
            box.wait_for(f"host.reached host={HOST} interface=eth0")
        other = (
            "--dhcp-range=10.55.0.200,10.55.0.200,2m",
            "--dhcp-host=02:00:00:00:00:99,10.55.0.200",
        )
        with wire.server("--port=0", *other):
            box.renew("eth0")
            box.wait_for("address.lost interface=eth0 ")
            (lost,) = [line for line in box.console() if "address.lost" in line]
            assert 'reason=NAK next="asks again"' in lost
            assert box.routes() == []
            box.wait_for("eth0: no lease")


HOSTILE_PATH = b"x\nnd1_dnssl1_search=evil.example\nnd1_dnssl1_lifetime=99"
HOSTILE_DOMAIN = b"-e a\\noptions rotate"


def test_text_of_a_server_becomes_no_other_option(make_box: Callable[[int], Box]) -> None:
    box = make_box(1)
    box.wires["eth0"].has(f"{HOST}/32")
    options = (
        f"--dhcp-option-force=17,{HOSTILE_PATH.hex(':')}",
        f"--dhcp-option-force=15,{HOSTILE_DOMAIN.hex(':')}",
        f"--dhcp-option-force=12,{b'a;reboot'.hex(':')}",
        f"--dhcp-option-force=119,{(bytes([5]) + b'a' + bytes([10]) + b'b c' + bytes(1)).hex(':')}",
        "--dhcp-option=6,10.55.0.1",
    )
    with started(box, PARAMETERS, serve(box, "eth0", "10.55.0", *options)):
        box.wait_for(f"host.reached host={HOST} interface=eth0")
        lines = box.read("resolv.conf").splitlines()
        assert lines[-1] == "nameserver 10.55.0.1"
        assert not {"evil.example", "options", "rotate\n"} & set(" ".join(lines).split())
        assert len(lines) <= 2
        assert box.read("hostname") == ""


def test_dhcpcds_end_is_reported_and_the_next_run_goes_on_without_its_server(
    make_box: Callable[[int], Box],
) -> None:
    box = make_box(1)
    box.wires["eth0"].has(f"{HOST}/32")
    with ExitStack() as stack:
        with serve(box, "eth0", "10.55.0", "--dhcp-option=6,10.55.0.53"):
            program = stack.enter_context(box.started(PARAMETERS))
            box.wait_for("host.reached")
            before = box.routes()
            box.kill_dhcpcd()
            box.wait_for('program.ended program=dhcpcd error="killed by signal 9')
            wait_for("the end", lambda: program.process.poll() is not None, seconds=SECONDS)
            assert box.routes() == before
        stack.enter_context(box.started(PARAMETERS))
        box.wait_for("host.reached")
        assert box.routes() == before
        assert box.read("resolv.conf") == "nameserver 10.55.0.53\n"
