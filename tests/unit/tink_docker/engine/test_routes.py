from __future__ import annotations

import sys
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from tink_docker.engine.routes import Route, read_name_servers, read_routes

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
UP, GATEWAY, REJECT = 1, 2, 0x200


def row(interface: str, network: str, flags: int) -> str:
    parsed = IPv4Network(network)
    numbers = (parsed.network_address, parsed.netmask)
    address, mask = (f"{int.from_bytes(one.packed, sys.byteorder):08X}" for one in numbers)
    return f"{interface}\t{address}\t010011AC\t{flags:04X}\t0\t0\t0\t{mask}\t0\t0\t0    \n"


def test_the_kernels_routes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "route"
    path.write_text(
        HEAD
        + row("eth0", "0.0.0.0/0", UP | GATEWAY)
        + row("eth0", "198.18.0.0/15", UP)
        + row("vlan30", "10.1.2.3/32", UP | GATEWAY)
        + row("eth1", "10.0.0.0/8", 0)
        + row("*", "10.0.0.0/8", UP | REJECT)
    )
    assert read_routes(path) == [
        Route("eth0", IPv4Network("0.0.0.0/0")),
        Route("eth0", IPv4Network("198.18.0.0/15")),
        Route("vlan30", IPv4Network("10.1.2.3/32")),
    ]


def test_an_address_as_this_machine_prints_it(tmp_path: Path) -> None:
    path, order = tmp_path / "route", sys.byteorder
    network, mask = ("000012C6", "00FFFFFF") if order == "little" else ("C6120000", "FFFFFF00")
    path.write_text(f"{HEAD}docker0\t{network}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n")
    assert read_routes(path) == [Route("docker0", IPv4Network("198.18.0.0/24"))]


def test_name_servers(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(
        "search a\nnameserver 198.18.0.53\nnameserver fd00::1\n#nameserver 10.1.1.1\n"
        "nameserver 10.0.0\nnameserver 10.0.0.256\n"
    )
    assert read_name_servers(path) == [IPv4Network("198.18.0.53/32")]
    assert read_name_servers(tmp_path / "missing") == []


def test_what_cannot_be_read_leaves_the_other_routes(tmp_path: Path) -> None:
    path = tmp_path / "route"
    names = ["eth0", "\u00e90", "a\x85b", "a\x0cb"]
    good = "".join(row(name, "10.0.0.0/8", UP) for name in names)
    path.write_text(
        f"{HEAD}nonsense\n{good}{row('eth1', '10.0.0.0/8', UP).replace('0000000A', 'x')}"
    )
    assert [route.interface for route in read_routes(path)] == names
    path.write_bytes(HEAD.encode() + b"\xe90" + row("", "10.0.0.0/8", UP).encode())
    assert len(read_routes(path)) == 1
    path.write_bytes(b"")
    assert read_routes(path) == []
