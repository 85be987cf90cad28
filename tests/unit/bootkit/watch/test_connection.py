"""When the worker's connection to its server is logged."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from bootkit.policy import AUTH_LATER_SECONDS, METADATA_WANTED_SECONDS, REGISTRY_PROBE_SECONDS
from bootkit.watch.connection import ConnectionMonitor, why_disconnected
from bootkit.watch.tcp_table import remote_endpoints
from tinkie.parameters.types import HostPort
from tinkie.policy import UNWATCHED_SECONDS

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from bootkit.watch.tcp_table import Address

    Events = list[MutableMapping[str, Any]]

SERVER = ("192.0.2.1", 42113)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"


@dataclass
class World:
    """A clock, and the established connections."""

    clock: float = 0.0
    connections: set[tuple[Address, int]] = field(default_factory=set)

    def monitor(self, server: str | None = "192.0.2.1:42113") -> ConnectionMonitor:
        endpoint = HostPort.parse(server) if server else None
        return ConnectionMonitor(
            endpoint, lambda: self.clock, lambda: self.connections, lambda _: "refused"
        )

    def connect(self, host: str, port: int) -> None:
        self.connections = {(ip_address(host), port)}

    def run(self, monitor: ConnectionMonitor, seconds: int) -> None:
        for _ in range(seconds):
            self.clock += 1
            monitor.tick()


def names(events: Events) -> list[str]:
    return [event["event"] for event in events]


def test_a_first_connection_is_logged_once(events: Events) -> None:
    world = World()
    monitor = world.monitor()
    world.run(monitor, 5)
    world.connect(*SERVER)
    world.run(monitor, 100)
    assert names(events) == ["server.connected"]
    assert events[0]["seconds"] == 6


def test_a_short_loss_is_not_logged(events: Events) -> None:
    world = World()
    world.connect(*SERVER)
    monitor = world.monitor()
    world.run(monitor, 5)
    for _ in range(3):
        world.connections = set()
        world.run(monitor, 15)
        world.connect(*SERVER)
        world.run(monitor, 1)
    assert names(events) == ["server.connected"]


def test_a_loss_is_logged_less_and_less_often_and_its_end_once(events: Events) -> None:
    world = World()
    monitor = world.monitor()
    world.run(monitor, 3600)
    assert [event["event"] for event in events] == ["server.disconnected"] * 10
    assert events[0]["error"] == "the worker has had no connection for 20 s: refused"
    assert events[1]["error"].startswith("the worker has had no connection for 40 s")
    world.connect(*SERVER)
    world.run(monitor, 50)
    assert names(events)[10:] == ["server.connected"]


def test_connections_to_others_do_not_count(events: Events) -> None:
    world = World()
    world.connections = {(ip_address("192.0.2.1"), 443), (ip_address("192.0.2.9"), 42113)}
    world.run(world.monitor(), 20)
    assert names(events) == ["server.disconnected"]


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("tink.example.com:42113", *SERVER),
        ("[2001:DB8::1]:42113", "2001:db8::1", 42113),
        ("[::FFFF:192.0.2.1]:42113", *SERVER),
    ],
)
def test_names_and_ipv6(server: str, host: str, port: int, events: Events) -> None:
    world = World()
    world.connect(host, port)
    world.run(world.monitor(server), 30)
    assert names(events) == ["server.connected"]


def test_without_a_server_nothing_is_logged(events: Events) -> None:
    world = World()
    world.run(world.monitor(None), 100)
    assert events == []


def test_the_kernels_table_is_read(tmp_path: Path) -> None:
    four, six = tmp_path / "tcp", tmp_path / "tcp6"
    four.write_text(
        f"{HEAD}\n"
        "   0: 0A0000AC:A3C2 010200C0:A481 01 00000000:00000000 02:0000 00000000 0 0 1 1 0\n"
        "   1: 0A0000AC:A3C3 020200C0:01BB 02 00000000:00000000 02:0000 00000000 0 0 1 1 0\n"
    )
    mapped, plain = "0000000000000000FFFF0000010200C0", "B80D0120000000000000000001000000"
    six.write_text(
        f"{HEAD}\n"
        f"   0: {plain}:A3C2 {mapped}:0001 01 00000000:00000000 02:0000 00000000 0 0 1 1 0\n"
        f"   1: {plain}:A3C2 {plain}:0002 01 00000000:00000000 02:0000 00000000 0 0 1 1 0\n"
    )
    assert remote_endpoints((four, six, tmp_path / "missing")) == {
        (ip_address("192.0.2.1"), 42113),
        (ip_address("192.0.2.1"), 1),
        (ip_address("2001:db8::1"), 2),
    }


REFUSED = ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (REFUSED, "connect to 192.0.2.1:42113: Connection refused"),
        (TimeoutError("timed out"), "connect to 192.0.2.1:42113: timed out"),
        (None, "192.0.2.1:42113 accepts connections; check the worker's log"),
    ],
)
def test_the_reason_is_found_by_trying_to_connect(
    error: OSError | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(_: socket.socket, address: tuple[str, int]) -> None:
        assert address == SERVER
        if error:
            raise error

    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", SERVER)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert why_disconnected(HostPort.parse("192.0.2.1:42113")).startswith(why)


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_all_addresses_of_a_name_have_one_bound(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try takes that long, or as long as it may."""
    clock = 100.0
    tried: list[object] = []

    def connect(one: socket.socket, address: object) -> None:
        nonlocal clock
        tried.append(address)
        clock += min(one.gettimeout() or 0.0, seconds)
        raise TimeoutError("timed out")

    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"192.0.2.{n}", 42113)) for n in range(9)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket.socket, "connect", connect)
    why = why_disconnected(HostPort.parse("tink.example.com:42113"), lambda: clock)
    assert why == "connect to tink.example.com:42113: timed out"
    assert len(tried) == (4 if seconds < 1 else 1)
    assert clock == 100.0 + UNWATCHED_SECONDS


def test_the_next_address_is_tried_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[OSError | None] = [REFUSED, None]

    def connect(_: socket.socket, _address: object) -> None:
        if error := answers.pop(0):
            raise error

    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", SERVER)] * 3
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert "accepts connections" in why_disconnected(HostPort.parse("t.example:1"), lambda: 0.0)
    assert answers == []


def test_a_slow_look_up_leaves_no_time_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 9.0])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", SERVER)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    why = why_disconnected(HostPort.parse("t.example:1"), lambda: next(times))
    assert why == "connect to t.example:1: no answer within 2 s"


def test_nothing_beside_the_worker_takes_longer_than_its_bound() -> None:
    bounds = (AUTH_LATER_SECONDS, METADATA_WANTED_SECONDS, REGISTRY_PROBE_SECONDS)
    assert max(bounds) <= UNWATCHED_SECONDS
