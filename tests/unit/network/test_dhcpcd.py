"""dhcpcd's control socket, and dhcpcd as a child."""

from __future__ import annotations

import os
import signal
import socket
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from network import dhcpcd
from network.bonds import BondPlan
from network.client import Client
from network.dhcpcd import Listener, Process, ended_children, read_messages
from network.leases import DhcpcdEvent
from network.nics import Nic
from network.policy import DHCPCD_MESSAGE_BYTES, DHCPCD_MESSAGES_MAXIMUM
from network.static import StaticPlan
from tests.fakes.network import FakeLog
from tinkie.errors import TransientError
from tinkie.parameters.bond import Bond
from tinkie.parameters.ipam import StaticAddress

if TYPE_CHECKING:
    from collections.abc import Iterator

MAC = "52:54:00:ab:00:01"


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack("N", len(one)) + one for one in messages)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that takes connections, as soon as the test accepts one."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "sock"))
        made.listen(1)
        yield made


def answering(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> socket.socket:
    """Have dhcpcd answer this, and close the connection; return its end."""
    ours, its = socket.socketpair()
    its.send(answer)
    its.shutdown(socket.SHUT_WR)
    monkeypatch.setattr(dhcpcd, "_connected", lambda _: ours)
    return its


def test_all_messages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = struct.pack("N", 3) + framed(b"a=b\0", b"", b"c" * 100000)
    with answering(monkeypatch, answer) as its:
        assert read_messages(Path("x")) == [b"a=b\0", b"", b"c" * 100000]
        assert its.recv(100) == b"--getinterfaces\0"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"x",
        struct.pack("N", 1),
        struct.pack("N", 1) + framed(b"abc")[:-1],
        struct.pack("N", DHCPCD_MESSAGES_MAXIMUM + 1),
        struct.pack("N", 1) + struct.pack("N", DHCPCD_MESSAGE_BYTES + 1),
    ],
)
def test_another_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    with answering(monkeypatch, answer), pytest.raises(TransientError, match="ask dhcpcd"):
        read_messages(Path("x"))


def test_an_answer_in_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its parts comes before the first one would be too late."""
    times = iter(range(100))
    monkeypatch.setattr(dhcpcd, "time", SimpleNamespace(monotonic=lambda: next(times)))
    answer = struct.pack("N", 9) + framed(b"a=b\0") * 9
    with (
        answering(monkeypatch, answer),
        pytest.raises(TransientError, match="leases: timed out"),
    ):
        read_messages(Path("x"))


def test_without_dhcpcd_both_fail(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="ask dhcpcd for its leases"):
        read_messages(tmp_path / "sock")
    with pytest.raises(TransientError, match="listen to dhcpcd"):
        Listener.connect(tmp_path / "sock")


EVENT = b"interface=eth0\0protocol=dhcp\0reason=EXPIRE\0"


def test_events_are_read_in_parts(server: socket.socket, tmp_path: Path) -> None:
    listener = Listener.connect(tmp_path / "sock")
    its, _ = server.accept()
    assert its.recv(100) == b"--listen\0"
    assert listener.read() == []
    data = framed(EVENT, b"reason=x\0", EVENT)
    its.send(data[:20])
    assert listener.read() == []
    its.send(data[20:-5])
    assert listener.read() == [DhcpcdEvent("eth0", "dhcp", "EXPIRE")]
    its.send(data[-5:])
    assert listener.read() == [DhcpcdEvent("eth0", "dhcp", "EXPIRE")]
    its.close()
    assert listener.read() is None
    listener.close()


def test_a_stream_of_something_else_ends(server: socket.socket, tmp_path: Path) -> None:
    listener = Listener.connect(tmp_path / "sock")
    its, _ = server.accept()
    its.send(b"\xff" * 100)
    assert listener.read() is None
    listener.close()
    its.close()


def test_a_stream_without_an_end_is_read_in_parts() -> None:
    class Endless:
        sent = 0

        def recv(self, size: int) -> bytes:
            self.sent += 1
            assert self.sent < 100, "it never returns"
            return framed(EVENT) * (size // len(framed(EVENT)))

    link: Any = Endless()
    listener = Listener(link)
    assert listener.read()
    assert listener._received == b""


def test_a_connection_that_is_reset_has_ended() -> None:
    class Reset:
        def recv(self, _: int) -> bytes:
            raise ConnectionResetError

    link: Any = Reset()
    assert Listener(link).read() is None


# == the process


def static(text: str) -> StaticPlan:
    given = StaticAddress.parse(f"{MAC.replace(':', '-')}:{text}")
    return StaticPlan(given.mac, given.vlan, given)


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *words: found.append(words))
    return found


class Starts(Process):
    """Remember the configurations that it is started with."""

    def __init__(self, pid: int = 0) -> None:
        super().__init__(pid=pid)
        self.texts: list[str] = []

    def start(self, configuration: Path) -> None:
        self.texts.append(configuration.read_text())
        self.pid = 100 + len(self.texts)


def client(folder: Path, plan: StaticPlan, pid: int = 0) -> tuple[Client, Any, FakeLog]:
    (folder / "given").write_text("nodelay\n")
    log: Any = FakeLog()
    process = Starts(pid)
    return Client(process, plan, log, folder / "given", folder / "run/made"), process, log


NIC = Nic("eth0", (MAC,), is_device=True)


def test_a_dhcpcd_that_runs_already_is_left_alone(
    tmp_path: Path, kills: list[tuple[int, int]]
) -> None:
    made, process, _ = client(tmp_path, StaticPlan(), pid=7)
    made.look([NIC], 0)
    assert process.texts == kills == []
    assert made.is_running


def test_a_dhcpcd_that_ran_before_the_bond_was_asked_for_is_started_anew(
    tmp_path: Path, kills: list[tuple[int, int]]
) -> None:
    plan = StaticPlan(bond=BondPlan(Bond.parse(f"bond0:{MAC.replace(':', '-')}")))
    made, process, _ = client(tmp_path, plan, pid=7)
    made.look([NIC], 0)
    assert kills == []
    joined = replace(NIC, master="bond0")
    made.look([joined], 1)
    assert kills == [(7, signal.SIGTERM)]
    assert not made.ended({7: 0})
    made.look([joined, Nic("bond0", (MAC,), kind="bond")], 2)
    assert process.texts == ["nodelay\ndenyinterfaces eth0\n"]


@pytest.mark.parametrize("plan", [StaticPlan(), StaticPlan(MAC, 30), static("30:10.0.0.5:24")])
def test_where_the_name_is_known_it_starts_at_once(tmp_path: Path, plan: StaticPlan) -> None:
    made, process, _ = client(tmp_path, plan)
    made.look([], 0)
    assert len(process.texts) == 1


def test_it_waits_for_the_nic_of_an_address_and_not_for_ever(tmp_path: Path) -> None:
    made, process, _ = client(tmp_path, static(":10.0.0.5:24"))
    made.look([], 0)
    made.look([], 19)
    assert not made.is_running
    made.look([], 20)
    assert process.texts == ["nodelay\n"]


def test_with_the_nic_it_starts_with_its_name(tmp_path: Path) -> None:
    made, process, _ = client(tmp_path, static(":10.0.0.5:24"))
    made.look([NIC], 5)
    assert process.texts == ["nodelay\ninterface eth0\nnoipv4\n"]


def test_a_nic_that_comes_late_restarts_it(tmp_path: Path, kills: list[tuple[int, int]]) -> None:
    made, process, log = client(tmp_path, static(":10.0.0.5:24"))
    made.look([], 0)
    made.look([], 20)
    for now in (21, 22):
        made.look([NIC], now)
    assert kills == [(101, signal.SIGTERM)]
    assert not made.ended({101: 0})
    made.look([NIC], 23)
    assert process.texts[-1].endswith("noipv4\n")
    made.look([], 24)
    assert kills == [(101, signal.SIGTERM), (102, signal.SIGTERM)]
    assert log.events == []


@pytest.mark.parametrize(
    ("code", "error"), [(1, "exit code 1"), (-9, "killed by signal 9 (SIGKILL)")]
)
def test_an_end_of_its_own_is_reported(tmp_path: Path, code: int, error: str) -> None:
    made, _, log = client(tmp_path, StaticPlan(), pid=7)
    assert not made.ended({8: 1})
    assert made.ended({7: code})
    assert not made.ended({0: 0})
    (ended,) = log.named("program.ended")
    assert ended == {
        "program": "dhcpcd",
        "error": error,
        "next": "starts again, addresses stay",
    }


def test_what_cannot_be_read_or_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    made, _, _ = client(tmp_path, StaticPlan())
    (tmp_path / "run").write_text("")
    with pytest.raises(TransientError, match="write"):
        made.look([], 0)
    (tmp_path / "given").unlink()
    with pytest.raises(TransientError, match="read"):
        made.look([], 0)


def test_the_program_is_started_with_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def spawn(*words: object) -> int:
        calls.append(words)
        return 55

    monkeypatch.setattr(os, "posix_spawn", spawn)
    process = Process()
    process.start(tmp_path / "x.conf")
    assert process.pid == 55
    (program, words, _) = calls[0]
    assert words == ["/usr/sbin/dhcpcd", "--nobackground", "-f", str(tmp_path / "x.conf")]
    assert program == words[0]


def test_a_missing_program_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="start"):
        Process(command=("/nowhere",)).start(tmp_path)


def test_children_that_have_ended_are_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter([(5, 0), (6, 9), (0, 0)])
    monkeypatch.setattr(os, "waitpid", lambda *_: next(results))
    assert ended_children() == {5: 0, 6: -9}

    def none(*_: object) -> None:
        raise ChildProcessError

    monkeypatch.setattr(os, "waitpid", none)
    assert ended_children() == {}
