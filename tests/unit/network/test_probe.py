"""Whether the host answers through a NIC: sockets whose other ends are in the test's hands."""

from __future__ import annotations

import errno
import socket
import struct
import time
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from threading import Timer
from typing import TYPE_CHECKING, Any, Self

import pytest

from network import lookups as lookups_module
from network import probe as probe_module
from network.dns import AAAA, A
from network.lookups import Lookups, Resolver
from network.nics import Nic
from network.probe import NO_NAME, Probe
from network.sockets import ready
from tests.fakes.dns import answered
from tinkie.parameters.types import Host, HostPort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ADDRESS = HostPort(Host("10.0.0.1"), 42113)
NAME = HostPort(Host("tink.example"), 42113)
V4 = frozenset((4,))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "ECHO_SECONDS", 0.05)
    monkeypatch.setattr(probe_module, "CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(lookups_module, "LOOKUP_SECONDS", 0.1)


def nics(*names: str) -> list[Nic]:
    return [Nic(name, has_link=True, addresses=("10.0.0.5/24",)) for name in names]


@dataclass
class Pair:
    """A socket, and its other end."""

    end: socket.socket
    other: socket.socket

    def fileno(self) -> int:
        return self.end.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end.close()
        self.other.close()


@dataclass
class Echo(Pair):
    """A raw socket: it answers what it is sent, or does not, or fails."""

    version: int
    behaviour: str

    def send(self, packet: bytes) -> int:
        if self.behaviour == "unreachable":
            raise OSError(errno.EHOSTUNREACH, "x")
        _, _, _, identifier, number = struct.unpack("!BBHHH", packet[:8])
        kind = {4: 0, 6: 129}[self.version]
        header = bytes([0x45, *([0] * 19)]) if self.version == 4 else b""
        if self.behaviour in ("good", "other"):
            wrong = struct.pack("!BBHHH", kind, 0, 0, identifier ^ 1, number)
            self.other.send(header + wrong)
        if self.behaviour == "good":
            self.other.send(header + struct.pack("!BBHHH", kind, 0, 0, identifier, number))
        return len(packet)

    def recv(self, size: int) -> bytes:
        return self.end.recv(size)


@dataclass
class Tcp(Pair):
    """A TCP socket: connected, refused, or full, so that it is never ready."""

    code: int

    def getsockopt(self, _level: int, _option: int) -> int:
        return self.code


@dataclass
class Sockets:
    """What comes of each NIC: for an echo request, and for a connection."""

    echoes: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=dict)
    opened: list[tuple[str, str]] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    def open_echo(self, nic: str, address: str) -> Any:
        self.opened.append((nic, address))
        behaviour = self.echoes.get(nic, "silent")
        if behaviour == "no route":
            raise OSError(errno.ENETUNREACH, "x")
        end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        if behaviour == "closed":
            other.close()
            end.close()
            end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            other.send(b"x")
            end = Broken(fileno=end.detach())
        return Echo(end, other, 6 if ":" in address else 4, behaviour)

    def open_tcp(self, nic: str, address: str, port: int) -> Any:
        self.opened.append((nic, f"{address}:{port}"))
        behaviour = self.ports.get(nic, "silent")
        if behaviour == "no route":
            raise OSError(errno.ENETUNREACH, "x")
        end, other = socket.socketpair()
        end.settimeout(0.0)
        if behaviour == "silent":
            fill(end)
        if behaviour == "late":  # it can be written once the other end is closed
            fill(end)
            timer = Timer(0.25, other.close)
            timer.start()
            self.timers.append(timer)
        return Tcp(end, other, errno.ECONNREFUSED if behaviour == "refused" else 0)

    def probe(
        self, host: HostPort | None = ADDRESS, lookup: Callable[..., Any] | None = None
    ) -> Probe:
        return Probe(host, lookup or Lookups(no_sockets), self.open_echo, self.open_tcp)  # type: ignore[arg-type]


class Broken(socket.socket):
    def recv(self, *_: Any) -> bytes:
        raise OSError(errno.EHOSTUNREACH, "x")


def fill(end: socket.socket) -> None:
    try:
        while True:
            end.send(b"x" * 65536)
    except BlockingIOError:
        return


def no_sockets(*_: object) -> Any:
    raise OSError(errno.ENETUNREACH, "x")


def test_an_echo_is_enough() -> None:
    sockets = Sockets({"eth0": "good"})
    probe = sockets.probe()
    assert probe(nics("eth0")) == {"eth0": ""}
    assert sockets.opened == [("eth0", "10.0.0.1")]
    assert probe.address == "10.0.0.1"


def test_without_an_echo_a_connection_is_enough() -> None:
    sockets = Sockets({"eth0": "other"}, {"eth0": "open"})
    assert sockets.probe()(nics("eth0")) == {"eth0": ""}
    assert sockets.opened[-1] == ("eth0", "10.0.0.1:42113")


@pytest.mark.parametrize(
    ("echo", "port", "reason"),
    [
        ("silent", "silent", "timed out"),
        ("silent", "refused", "connection refused"),
        ("silent", "no route", "network is unreachable"),
        ("no route", "silent", "network is unreachable"),
        ("unreachable", "silent", "no route to host"),
        ("closed", "silent", "no route to host"),
    ],
)
def test_the_reason_is_the_last_that_was_found(echo: str, port: str, reason: str) -> None:
    assert Sockets({"eth0": echo}, {"eth0": port}).probe()(nics("eth0")) == {"eth0": reason}


def test_all_nics_are_tested_at_once() -> None:
    sockets = Sockets({"eth1": "good"}, {"eth2": "open"})
    found = sockets.probe()(nics("eth0", "eth1", "eth2"))
    assert found == {"eth0": "timed out", "eth1": "", "eth2": ""}


def test_if_any_will_do_silent_ones_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = Sockets({"eth1": "good"}, {"eth0": "open"})
    assert sockets.probe()(nics("eth0", "eth1"), any_will_do=True) == {
        "eth0": "timed out",
        "eth1": "",
    }
    assert not any(address.endswith(":42113") for _, address in sockets.opened)
    sockets = Sockets({"eth0": "good"})
    monkeypatch.setattr(probe_module, "ECHO_SECONDS", 5.0)
    before = time.monotonic()
    found = sockets.probe()(nics("eth0", "eth1"), any_will_do=True)
    assert found == {"eth0": "", "eth1": "timed out"}
    assert time.monotonic() - before < 2


def test_an_event_ends_the_wait_if_no_nic_is_in_use_but_not_twice_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe_module, "CONNECT_SECONDS", 0.4)
    waker, other = socket.socketpair()
    with waker, other:
        probe = Sockets().probe()
        probe.wakers = [waker]
        assert elapsed(probe, any_will_do=True) >= 0.4
        other.send(b"x")
        assert elapsed(probe, any_will_do=False) >= 0.4
        assert 0.2 <= elapsed(probe, any_will_do=True) < 0.4
        assert elapsed(probe, any_will_do=True) >= 0.4
        assert 0.2 <= elapsed(probe, any_will_do=True) < 0.4


def elapsed(probe: Probe, *, any_will_do: bool) -> float:
    before = time.monotonic()
    assert probe(nics("eth0"), any_will_do=any_will_do) == {"eth0": "timed out"}
    return time.monotonic() - before


def test_a_connection_that_comes_late_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "CONNECT_SECONDS", 0.4)
    sockets = Sockets({}, {"eth0": "late", "eth1": "late"})
    probe = sockets.probe()
    waker, other = socket.socketpair()
    with waker, other:
        probe.wakers = [waker]
        before = time.monotonic()
        assert probe(nics("eth0", "eth1"), any_will_do=True) == {"eth0": "", "eth1": ""}
        assert time.monotonic() - before < 0.4


def test_a_host_that_sends_all_the_time_does_not_delay_the_end() -> None:
    ours, flood = socket.socketpair()
    with ours, flood, DefaultSelector() as waiting:
        flood.send(b"x")  # nobody reads it: the next packet is always there
        waiting.register(ours, EVENT_READ, "packet")
        time = iter(range(1000))
        assert len(list(ready(waiting, 5, lambda: next(time)))) == 6
        assert list(ready(waiting, 0, lambda: next(time))) == ["packet"]


def test_without_a_host_every_nic_is_right() -> None:
    assert Sockets().probe(None)(nics("eth0")) == {"eth0": ""}


def test_an_ipv6_host_is_tested_by_version_6() -> None:
    probe = Sockets({"eth0": "good"}).probe(HostPort(Host("fd00::1"), 1))
    assert probe(nics("eth0")) == {"eth0": ""}


# == names


@dataclass
class Names:
    """Look-ups that give these addresses."""

    found: dict[str, list[str]]
    calls: list[list[str]] = field(default_factory=list)

    def __call__(self, name: str, resolvers: Mapping[str, Resolver]) -> dict[str, list[str]]:
        assert name == "tink.example"
        self.calls.append(sorted(resolvers))
        return {nic: self.found.get(nic, []) for nic in resolvers}


def with_servers(*names: str) -> dict[str, Resolver]:
    return {name: Resolver(("10.0.0.53",), (), V4) for name in names}


def test_each_nic_uses_what_its_own_servers_say() -> None:
    names = Names({"eth0": ["10.0.0.1"], "eth1": ["10.9.9.9", "fd00::1", "10.9.9.8"]})
    sockets = Sockets({"eth0": "good", "eth1": "silent"})
    probe = sockets.probe(NAME, names)
    probe.resolvers = with_servers("eth0", "eth1", "eth2")
    found = probe(nics("eth0", "eth1", "eth2"))
    assert found == {"eth0": "", "eth1": "timed out", "eth2": NO_NAME}
    assert ("eth1", "fd00::1") in sockets.opened
    assert ("eth1", "10.9.9.8") not in sockets.opened
    assert probe.address == "10.0.0.1"


def test_the_hosts_address_is_that_of_the_first_nic_that_reaches_it() -> None:
    names = Names({"eth0": ["10.0.0.1"], "eth1": ["10.9.9.9"]})
    for echo, port in (("eth1", "eth0"), ("eth0", "eth1")):
        probe = Sockets({echo: "good"}, {port: "open"}).probe(NAME, names)
        probe.resolvers = with_servers("eth0", "eth1")
        assert probe(nics("eth0", "eth1")) == {"eth0": "", "eth1": ""}
        assert probe.address == "10.0.0.1"


def test_only_name_servers_of_tested_nics_are_asked() -> None:
    names = Names({"eth0": ["10.0.0.1"]})
    probe = Sockets({"eth0": "good"}).probe(NAME, names)
    probe.resolvers = with_servers("eth0", "eth1")
    probe(nics("eth0"))
    assert names.calls == [["eth0"]]


def test_the_address_of_a_host_without_a_name_is_known_at_once() -> None:
    assert (Sockets().probe().address, Sockets().probe(NAME).address) == ("10.0.0.1", "")


def test_a_nic_without_servers_uses_what_those_of_others_say() -> None:
    probe = Sockets({"eth1": "good"}).probe(NAME, Names({"eth0": ["10.0.0.1"]}))
    probe.resolvers = {**with_servers("eth0"), "eth1": Resolver()}
    assert probe(nics("eth1")) == {"eth1": ""}


def test_a_name_that_answers_is_looked_up_once_a_minute_and_anew_when_it_does_not() -> None:
    names, time = Names({"eth0": ["10.0.0.1"]}), [100.0]
    sockets = Sockets({"eth0": "good"})
    probe = sockets.probe(NAME, names)
    probe.now, probe.resolvers = (lambda: time[0]), with_servers("eth0")
    for _ in range(5):
        probe(nics("eth0"))
    assert len(names.calls) == 1
    time[0] += 61
    probe(nics("eth0"))
    assert len(names.calls) == 2
    sockets.echoes = {}
    sockets.ports = {"eth0": "refused"}
    probe(nics("eth0"))
    probe(nics("eth0"))
    assert len(names.calls) == 3


# == name servers


@dataclass
class Servers:
    """Name servers by (NIC, address): what each says to a name and a type, and to how many."""

    answers: dict[tuple[str, str], Callable[[str, int], list[str] | int | None]]
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def open_udp(self, nic: str, server: str, port: int) -> Any:
        assert port == 53
        if (nic, server) not in self.answers:
            raise OSError(errno.ENETUNREACH, "x")
        return Udp(self, nic, server)


class Udp(Pair):
    """A UDP socket, connected to one of the Servers."""

    def __init__(self, servers: Servers, nic: str, server: str) -> None:
        self.servers, self.nic, self.server = servers, nic, server
        super().__init__(*socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))

    def send(self, packet: bytes) -> None:
        name, kind = question_of(packet)
        self.servers.asked.append((self.server, name, kind))
        said = self.servers.answers[self.nic, self.server](name, kind)
        if said is None:
            return
        if said == -1:
            self.other.send(b"\0\0nonsense" if len(self.servers.asked) % 2 else b"")
            raise OSError(errno.ECONNREFUSED, "x")
        self.other.send(answered(packet, said))

    def recv(self, size: int) -> bytes:
        packet = self.end.recv(size)
        if not packet:
            raise OSError(errno.ECONNREFUSED, "x")
        return packet


def question_of(packet: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), packet[at + 2]


def looked_up(servers: Servers, resolver: Resolver, name: str = "tink.example") -> list[str]:
    return Lookups(servers.open_udp)(name, {"eth0": resolver})["eth0"]


def says(*addresses: str, only: str = "") -> Callable[[str, int], list[str] | int | None]:
    def answer(name: str, kind: int) -> list[str]:
        kinds = {A: ".", AAAA: ":"}
        right = [one for one in addresses if kinds[kind] in one]
        return right if only in ("", name) else []

    return answer


SERVER = "10.0.0.53"
OTHER = "10.0.0.54"


def one(answer: Callable[[str, int], list[str] | int | None]) -> Servers:
    return Servers({("eth0", SERVER): answer})


def test_the_addresses_of_a_name_are_found() -> None:
    both = frozenset((4, 6))
    servers = one(says("10.0.0.1", "fd00::1"))
    assert looked_up(servers, Resolver((SERVER,), (), both)) == ["10.0.0.1", "fd00::1"]
    assert looked_up(one(says("10.0.0.1", "fd00::1")), Resolver((SERVER,), (), V4)) == ["10.0.0.1"]


def test_a_short_name_is_sought_in_the_domains_first() -> None:
    servers = one(says("10.0.0.1", only="tink.b.example"))
    resolver = Resolver((SERVER,), ("a.example", "b.example"), V4)
    assert looked_up(servers, resolver, "tink") == ["10.0.0.1"]
    assert [name for _, name, _ in servers.asked] == ["tink.a.example", "tink.b.example", "tink"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("tink.example", ["tink.example", "tink.example.a.example"]),
        ("tink.example.", ["tink.example"]),
        ("tink.", ["tink"]),
    ],
)
def test_a_name_with_a_dot_is_sought_as_it_is_first(name: str, asked: list[str]) -> None:
    found = Resolver((SERVER,), ("a.example",), V4).questions(name)
    assert [questions[0].name for questions in found] == asked


def test_a_second_server_answers_for_a_silent_or_failing_first_one() -> None:
    for bad in (lambda *_: None, lambda *_: 2, lambda *_: -1):
        servers = Servers({("eth0", SERVER): bad, ("eth0", OTHER): says("10.0.0.1")})
        assert looked_up(servers, Resolver((SERVER, OTHER), (), V4)) == ["10.0.0.1"]


def test_silent_servers_are_asked_twice() -> None:
    servers = one(lambda *_: None)
    assert looked_up(servers, Resolver((SERVER,), (), V4)) == []
    assert len(servers.asked) == 2


def test_without_an_answer_from_all_of_them_there_is_no_wait() -> None:
    servers = Servers({("eth0", SERVER): lambda *_: 2, ("eth0", OTHER): lambda *_: -1})
    assert looked_up(servers, Resolver((SERVER, OTHER, "10.0.0.55"), (), V4)) == []
    assert len(servers.asked) == 2
    assert looked_up(Servers({}), Resolver((SERVER,), (), V4)) == []
    assert looked_up(Servers({}), Resolver()) == []


def test_a_name_that_does_not_exist_is_known_at_once() -> None:
    servers = one(says())
    assert looked_up(servers, Resolver((SERVER,), (), V4)) == []
    assert len(servers.asked) == 1


@pytest.fixture(autouse=True)
def _no_leaks(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    yield
    assert not [one for one in recwarn if "unclosed" in str(one.message)]
