"""The program: events wake it, a group of them means one look, and dhcpcd's end is its own."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from network import cli, loop, policy
from network.dhcpcd import Listener
from network.files import Files
from network.log import Log
from network.loop import Loop
from network.metadata_bond import MetadataBond
from tests.fakes.network import FakeLog
from tinkie.errors import ShutdownRequested, TransientError
from tinkie.parameters.bond import Bond
from tinkie.running.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from network.leases import DhcpcdEvent

EVENT = b"interface=eth0\0protocol=dhcp\0reason=EXPIRE\0"


@dataclass
class FakeService:
    """Note each look; the last one ends the program."""

    looks: list[tuple[bool, bool]] = field(default_factory=list)
    notes: list[DhcpcdEvent] = field(default_factory=list)
    nics: Sequence[Any] = ()
    probe: Any = field(default_factory=SimpleNamespace)
    last: int = 3
    pause: float = 0.01
    over_after: int = 99

    def is_over(self) -> bool:
        return len(self.looks) >= self.over_after

    def look(self, *, is_woken: bool, is_dhcpcd_there: bool) -> float:
        self.looks.append((is_woken, is_dhcpcd_there))
        if len(self.looks) >= self.last:
            raise ShutdownRequested("SIGTERM")
        return self.pause

    def note(self, events: Sequence[DhcpcdEvent]) -> None:
        self.notes += events


@dataclass
class FakeProcess:
    pid: int = 0


@dataclass
class FakeClient:
    process: FakeProcess = field(default_factory=FakeProcess)
    is_running: bool = True
    error: str = ""
    ends: list[bool] = field(default_factory=list)

    def look(self, _nics: object, _now: float) -> None:
        if self.error:
            raise TransientError(self.error)

    def ended(self, _codes: object) -> bool:
        return bool(self.ends) and self.ends.pop(0)


class FakeKernelEvents:
    """The kernel's events: `happen` makes one."""

    def __init__(self) -> None:
        self.socket, self.other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.drains = 0

    def happen(self) -> None:
        self.other.send(b"x")

    def drain(self) -> None:
        self.drains += 1
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(100)


class NoSignals:
    def check(self) -> None: ...


@dataclass
class Parts:
    loop: Loop
    service: FakeService
    client: FakeClient
    kernel_events: FakeKernelEvents
    log: FakeLog
    server: socket.socket

    def run(self) -> list[tuple[bool, bool]]:
        with pytest.raises(ShutdownRequested):
            self.loop.run()
        return self.service.looks


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    monkeypatch.setattr(loop, "EVENTS_SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(loop, "DHCPCD_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(loop, "ended_children", dict)
    fakes: Any = (FakeService(), FakeClient(), FakeKernelEvents(), NoSignals(), FakeLog())
    service, client, kernel_events, signals, log = fakes
    time = iter(range(10**6))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        path = tmp_path / "sock"
        whole = Loop(service, client, kernel_events, signals, log, path, lambda: next(time) / 1000)
        yield Parts(whole, service, client, kernel_events, log, server)
    kernel_events.socket.close()
    kernel_events.other.close()
    if whole._listener:
        whole._listener.close()
    for descriptor in whole._watched.values():
        os.close(descriptor)


def test_without_an_event_it_looks_when_its_pause_has_passed(parts: Parts) -> None:
    assert parts.run() == [(True, False), (False, False), (False, False)]


def test_a_missing_dhcpcd_makes_no_more_looks(parts: Parts) -> None:
    parts.loop.now = time.monotonic
    parts.service.pause, parts.service.last = 0.1, 2
    before = time.monotonic()
    assert len(parts.run()) == 2
    assert time.monotonic() - before >= 0.1


def test_dhcpcds_socket_is_listened_to_as_soon_as_it_is_there(parts: Parts) -> None:
    parts.server.listen(1)
    assert parts.run() == [(True, False), (True, True), (False, True)]


def test_dhcpcds_socket_is_not_waited_for_until_the_next_look(parts: Parts) -> None:
    parts.loop.now = time.monotonic
    parts.server.listen(1)
    parts.service.pause, parts.service.last = 5, 2
    before = time.monotonic()
    assert parts.run() == [(True, False), (True, True)]
    assert time.monotonic() - before < 2


def test_a_signal_ends_it(parts: Parts) -> None:
    def check() -> None:
        raise ShutdownRequested("SIGTERM")

    parts.loop.signals.check = check  # type: ignore[method-assign]
    parts.service.pause = 0
    assert parts.run() == [(True, False)]


def test_a_group_of_events_means_one_look(parts: Parts) -> None:
    for _ in range(8):
        parts.kernel_events.happen()
    assert parts.run()[1:] == [(True, False), (False, False)]
    assert parts.kernel_events.drains == 1


def test_dhcpcds_events_wake_it_and_are_noted(parts: Parts) -> None:
    parts.server.listen(1)
    parts.loop._listener = Listener.connect(parts.loop.path)
    its, _ = parts.server.accept()
    its.send(struct.pack("N", len(EVENT)) + EVENT)
    assert parts.run()[1] == (True, True)
    assert [event.reason for event in parts.service.notes] == ["EXPIRE"]
    assert parts.service.probe.wakers == [parts.kernel_events.socket, parts.loop._listener.socket]
    its.close()


def test_a_closed_connection_is_made_anew(parts: Parts) -> None:
    parts.server.listen(2)
    parts.loop._listener = Listener.connect(parts.loop.path)
    parts.server.accept()[0].close()
    first = parts.loop._listener
    parts.run()
    assert parts.loop._listener not in (None, first)


def test_a_dhcpcd_that_closes_each_connection_keeps_nobody_busy(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closing(Listener):
        @classmethod
        def connect(cls, path: Path) -> Listener:
            del path
            ours, its = socket.socketpair()
            its.close()
            return cls(ours)

    monkeypatch.setattr(loop, "Listener", Closing)
    parts.loop.now = time.monotonic
    parts.service.last, parts.service.pause = 6, 10
    before = time.monotonic()
    parts.run()
    assert time.monotonic() - before >= 0.04  # each look after its group


def test_that_dhcpcd_cannot_be_heard_is_reported_once_it_lasts(parts: Parts) -> None:
    time = iter(range(10**6))
    parts.loop.now = lambda: next(time)
    parts.service.last = 60
    parts.run()
    (failed,) = parts.log.named("network.failed")
    assert failed["step"] == "listen"
    parts.server.listen(1)
    assert parts.loop._listen()
    assert parts.loop._listener
    parts.loop._listener.close()
    parts.loop._listener = None
    parts.loop.path.unlink()
    parts.service.looks.clear()
    parts.run()
    assert len(parts.log.named("network.failed")) == 2


def test_a_dhcpcd_that_cannot_be_started_is_reported(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "EVENTS_SETTLE_LONG_SECONDS", 0.01)
    time = iter(range(10**6))
    parts.loop.now = lambda: next(time)
    parts.client.error, parts.client.is_running = "start it: none", False
    parts.service.last = 60
    parts.run()
    (failed,) = parts.log.named("network.failed")
    assert (failed["step"], failed["error"]) == ("start dhcpcd", "start it: none")
    monkeypatch.undo()
    assert parts.loop._keep_client() == policy.EVENTS_SETTLE_LONG_SECONDS


def test_while_dhcpcd_waits_for_a_nic_it_is_not_listened_to(parts: Parts) -> None:
    parts.server.listen(1)
    parts.client.is_running = False
    assert parts.run() == [(True, False), (False, False), (False, False)]
    assert parts.loop._keep_client() == policy.EVENTS_SETTLE_LONG_SECONDS


def test_dhcpcds_end_is_the_programs(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, ended = os.pipe()
    os.close(ended)  # readable, as the descriptor of a process that has ended
    monkeypatch.setattr(os, "pidfd_open", lambda _: opened)
    monkeypatch.setattr(loop, "EVENTS_SETTLE_SECONDS", 5)
    parts.client.process.pid, parts.client.ends = 7, [True]
    parts.service.pause, parts.loop.now = 5, time.monotonic
    before = time.monotonic()
    parts.loop.run()
    assert time.monotonic() - before < 2
    assert parts.service.looks == [(True, False)]


def test_a_bond_to_make_ends_the_program(parts: Parts) -> None:
    parts.service.over_after = 2
    parts.loop.run()
    assert len(parts.service.looks) == 2


def test_another_dhcpcd_is_watched_after_a_restart(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipes = [os.pipe() for _ in range(2)]
    opened = iter([pipe[0] for pipe in pipes])
    monkeypatch.setattr(os, "pidfd_open", lambda _: next(opened))
    for pid in (7, 7, 8):
        parts.client.process.pid = pid
        parts.loop._wait(0)
    assert list(parts.loop._watched) == [8]
    assert select.select([], [pipes[1][1]], [], 0)
    for _, ended in pipes:
        os.close(ended)


def test_many_events_have_a_pause_in_between(parts: Parts) -> None:
    waits = {parts.loop._settle_seconds() for _ in range(40)}
    assert len(waits) == 2
    assert max(waits) == policy.EVENTS_SETTLE_LONG_SECONDS


# == the command line of the program


@pytest.mark.parametrize("arguments", [["--x", "y"], ["--dhcpcd"], ["--dhcpcd", "x"], ["y"]])
def test_usage(arguments: list[str]) -> None:
    assert cli.main(arguments) == 2


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, signals: object) -> list[Any]:
    """What `run` does: the test puts an exception or nothing in front."""
    del signals
    found: list[Any] = []

    def run(self: Loop) -> None:
        found.insert(0, self)
        if isinstance(found[-1], BaseException):
            raise found[-1]

    monkeypatch.setattr(Loop, "run", run)
    return found


def main(folder: Path, line: str, *more: str) -> int:
    (folder / "cmdline").write_text(line)
    return cli.main(["--cmdline", str(folder / "cmdline"), *more])


def test_a_signal_ends_it_and_dhcpcds_end_is_a_failure(tmp_path: Path, runs: list[Any]) -> None:
    runs.append(ShutdownRequested("SIGTERM"))
    assert main(tmp_path, "interface=eth0", "--dhcpcd", "7") == 0
    made = runs[0]
    assert (made.client.process.pid, list(made.service.choice.wanted)) == (7, ["eth0"])
    made.kernel_events.socket.close()
    runs.append(None)
    assert main(tmp_path, "") == 1
    runs[0].kernel_events.socket.close()
    assert runs[0].service.now() > 0
    assert runs[0].service.uptime() > 0
    assert 0 <= runs[0].service.chance() < 1
    with pytest.raises(TransientError):
        runs[0].service.messages()


def test_the_parts_get_what_the_last_run_the_metadata_and_the_command_line_say(
    tmp_path: Path, runs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "chosen", "eth7")
    monkeypatch.setattr(MetadataBond, "read", lambda _: Bond.of("bond9", ["eth8"]))
    runs.append(None)
    main(tmp_path, "ipam=52-54-00-ab-00-01::10.0.0.5:24")
    service = runs[0].service
    runs[0].kernel_events.socket.close()
    assert service.choice.chosen == "eth7"
    assert service.plan.bond.name == "bond9"
    assert service.reports.waits_for == "52:54:00:ab:00:01"
    assert service.reports.members == ("eth8",)
    assert not service.metadata.has_parameter
    main(tmp_path, "bond=none")
    runs[0].kernel_events.socket.close()
    assert runs[0].service.metadata.has_parameter


def test_a_bug_is_logged_and_ends_it(tmp_path: Path, runs: list[Any]) -> None:
    runs.append(ZeroDivisionError("x"))
    console = tmp_path / "console"
    console.touch()
    with pytest.raises(ZeroDivisionError):
        main(tmp_path, "", "--console", str(console))
    runs[0].kernel_events.socket.close()
    assert 'program.failed error="ZeroDivisionError: x"' in console.read_text()


def test_bad_parameters_are_reported(
    tmp_path: Path, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    runs.append(None)
    main(tmp_path, "vlan_id=30")
    runs[0].kernel_events.socket.close()
    assert '"parameter": "vlan_id"' in capsys.readouterr().out


def test_a_line_of_the_log_is_json_and_one_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console = tmp_path / "console"
    console.touch()
    Log(Console(console, "dhcp")).info("link.up", interface="eth0")
    assert '"event": "link.up", "level": "info"' in capsys.readouterr().out
    assert console.read_text().endswith("] dhcp: link.up interface=eth0\n")
    Log().warning("link.down", interface="eth0")
    assert '"level": "warning"' in capsys.readouterr().out
