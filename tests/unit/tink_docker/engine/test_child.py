"""With real children: what a process inherits and how it ends cannot be shown by a fake."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import policy
from tink_docker.engine.dockerd import dockerd_command, start_dockerd
from tink_docker.engine.socket import Listener
from tinkie.errors import PermanentError, ShutdownRequested
from tinkie.policy import CUT_TEXT_CHARACTERS
from tinkie.running.redaction import MASK, REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping, Sequence

    from tink_docker.engine.child import Child

    Events = list[MutableMapping[str, Any]]
    Start = Callable[..., Child]

pytestmark = pytest.mark.usefixtures("children")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    opened = Listener.open(tmp_path / "docker.sock", os.getgid())
    yield opened
    opened.socket.close()


@pytest.fixture
def start(listener: Listener) -> Iterator[Start]:
    started: list[Child] = []

    def run(*arguments: str) -> Child:
        started.append(start_dockerd(listener.socket, list(arguments)))
        return started[-1]

    yield run
    for engine in started:
        if not engine.ended():
            engine.process.kill()
        engine.stop(wait)


def wait(seconds: float, files: Sequence[int]) -> None:
    select.select(files, [], [], min(seconds, 0.2))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def until_ended(engine: Child) -> None:
    deadline = time.monotonic() + 10
    while not engine.ended() and time.monotonic() < deadline:
        wait(1, engine.files)
        engine.read_output()
    engine.read_output()
    assert engine.ended()


def test_the_engine_listens_on_nothing_of_its_own() -> None:
    ours = ["--containerd", "/var/run/docker/containerd/containerd.sock"]
    config = ["--config-file", "/var/run/docker/daemon.json"]
    assert dockerd_command() == ["dockerd", *config, *ours, "--host", "fd://"]


def test_it_gets_the_socket_as_systemd_would_give_it(
    start: Start, listener: Listener, events: Events
) -> None:
    program = (
        "import os, json, socket; s = socket.socket(fileno=3);"
        "print(json.dumps({'pid': os.getpid(), 'name': s.getsockname(), "
        "'environment': dict(os.environ), 'stdin': os.readlink('/proc/self/fd/0'),"
        "'listens': s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)}))"
    )
    engine = start(sys.executable, "-c", program)
    until_ended(engine)
    seen = json.loads(events[-1]["line"])
    assert seen["pid"] == engine.process.pid
    assert seen["environment"]["LISTEN_PID"] == str(engine.process.pid)
    assert seen["environment"]["LISTEN_FDS"] == "1"
    assert seen["environment"]["SSL_CERT_DIR"] == "/etc/ssl/certs:/etc/docker/certs.d/.trusted"
    ours = {"LISTEN_PID", "LISTEN_FDS", "SSL_CERT_DIR"}
    assert set(seen["environment"]) <= ours | {"PATH", "PWD", "LC_CTYPE"}
    assert seen["name"] == str(listener.address)
    assert seen["listens"] == 1
    assert seen["stdin"] == "/dev/null"


def test_signals_reach_it_as_usual(start: Start) -> None:
    engine = start("sh", "-c", "kill -TERM $$; sleep 60")
    until_ended(engine)
    assert engine.status == "killed by SIGTERM"


def test_a_signal_without_a_name_has_a_number(start: Start) -> None:
    engine = start("sh", "-c", "kill -40 $$; sleep 60")
    until_ended(engine)
    assert engine.status == "killed by signal 40"


def test_a_sign_of_trouble_is_kept_whatever_follows(listener: Listener) -> None:
    sign = "could not create bridge"
    after = "i=0; while [ $i -lt 50 ]; do i=$((i + 1)); echo line $i; done"
    output = f"echo 'level=warning msg=\"{sign} x\"'; {after}; printf '%5000s {sign} y' ''"
    REDACTOR.hide("create")
    engine = start_dockerd(listener.socket, ["sh", "-c", output], (sign,))
    until_ended(engine)
    engine.stop(wait)
    assert "line 50" in engine.last_lines
    assert set(engine.noticed) == {f'{sign} x"', f"{sign} y"}


def test_its_status_and_last_lines_after_its_end(start: Start, events: Events) -> None:
    lines = "for i in 1 2 3 4 5 6 7; do echo line $i; done"
    message = """echo 'time="2026" level=fatal msg="cannot \\"do\\" it" error=x' >&2; printf end"""
    engine = start("sh", "-c", f"{lines}; {message}; exit 3")
    until_ended(engine)
    assert engine.status == "exit status 3"
    assert engine.last_lines == ["line 5", "line 6", "line 7", 'cannot "do" it', "end"]
    assert {event["log_level"] for event in events} == {"debug"}
    assert events[7]["line"].startswith("time=")


def test_long_lines_are_cut(start: Start) -> None:
    engine = start("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo next")
    until_ended(engine)
    assert [len(line) for line in engine.last_lines] == [400, 4]


def test_a_line_that_never_ends_takes_no_memory(start: Start) -> None:
    engine = start("sh", "-c", "true")
    for _ in range(100):
        engine._log_lines(b"x" * policy.CHILD_LINE_BYTES)
    assert len(engine._rest) <= policy.CHILD_LINE_BYTES + 1


@pytest.mark.parametrize("secret", ["hunter2-hunter2", "geheim-wörter-€-1234"])
def test_of_a_long_line_the_beginning_is_shown_and_no_part_of_a_secret(
    start: Start, events: Events, secret: str
) -> None:
    REDACTOR.hide(secret)
    engine = start("sh", "-c", "true")
    until_ended(engine)
    whole = secret.encode()
    for shift in range(len(whole) + 6):
        # A read ends within the secret, and so does what is kept of the line.
        before = b"x" * (policy.CHILD_LINE_BYTES - shift)
        engine._log_lines(before + whole[:shift])
        engine._log_lines(whole[shift:] + b" xxx" * policy.CHILD_LINE_BYTES)
        engine._log_lines(b"xxx\nnext\n")
        assert engine.last_lines[-1] == "next"
    for event in events:
        shown = str(REDACTOR.value(event["line"]))
        assert shown == "next" or shown.startswith("xxx")
        assert shown.strip("x… ") in ("next", MASK, "", *(secret[:end] for end in range(4)))


def test_a_line_that_was_cut_is_no_part_of_the_next_one(start: Start) -> None:
    engine = start("sh", "-c", "true")
    until_ended(engine)
    for data in (b"x" * 3 * policy.CHILD_LINE_BYTES, b"yy", b"y\nshort\n", b"end", b"\n"):
        engine._log_lines(data)
    assert [line[:5] for line in engine.last_lines] == ["xxxxx", "short", "end"]


def test_a_secret_in_a_last_line_is_masked_before_the_line_is_cut(start: Start) -> None:
    REDACTOR.hide("hunter2-hunter2")
    engine = start("sh", "-c", "true")
    before = "x" * (CUT_TEXT_CHARACTERS - 3)
    engine._log_lines(f"{before}hunter2-hunter2\n".encode())
    assert engine.last_lines == [before + "**…"]


def test_it_can_write_a_megabyte_while_nobody_reads(start: Start) -> None:
    engine = start("sh", "-c", "head -c 1000000 /dev/zero")
    assert select.select([engine.files[0]], [], [], 10)[0], "it waits for us"
    until_ended(engine)


def test_the_end_of_a_child_ends_the_wait(start: Start) -> None:
    engine = start("sleep", "0.05")
    assert select.select(engine.files[:1], [], [], 10)[0]


def test_a_child_that_keeps_the_output_open_does_not_hide_the_end(start: Start) -> None:
    engine = start("sh", "-c", "sleep 5 & echo started")
    before = time.monotonic()
    until_ended(engine)
    assert time.monotonic() - before < 4
    assert engine.last_lines == ["started"]


def test_a_closed_output_is_waited_for_no_more(start: Start) -> None:
    engine = start("sh", "-c", "exec >/dev/null 2>&1; sleep 60")
    select.select(engine.files, [], [], 5)
    engine.read_output()
    assert len(engine.files) == 1
    assert not engine.ended()


def test_it_is_stopped_in_order(listener: Listener) -> None:
    program = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    engine = start_dockerd(listener.socket, ["sh", "-c", program])
    select.select(engine.files[1:], [], [], 5)
    engine.stop(wait)
    assert engine.status == "exit status 0"
    assert engine.last_lines == ["up", "bye"]


def test_it_is_killed_if_it_does_not_end(
    listener: Listener, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "CHILD_STOP_SECONDS", 0.2)
    program = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    engine = start_dockerd(listener.socket, ["sh", "-c", program])
    select.select(engine.files[1:], [], [], 5)
    engine.stop(wait)
    assert engine.status == "killed by SIGKILL"
    assert "engine.killed" in [event["event"] for event in events]


def test_a_signal_meanwhile_does_not_shorten_the_time_that_it_has(
    listener: Listener, events: Events
) -> None:
    program = "trap 'sleep 0.5; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    engine = start_dockerd(listener.socket, ["sh", "-c", program])
    select.select(engine.files[1:], [], [], 5)
    signals = [ShutdownRequested("SIGTERM")]

    def interrupted(seconds: float, files: Sequence[int]) -> None:
        if signals:
            raise signals.pop()
        wait(seconds, files)

    with pytest.raises(ShutdownRequested):
        engine.stop(interrupted)
    assert engine.status == "exit status 0"
    assert engine.last_lines == ["up", "bye"]
    assert "engine.killed" not in [event["event"] for event in events]


def test_output_without_end_does_not_keep_us(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = start("sleep", "60")
    read: list[int] = []

    def endless(_descriptor: int, size: int) -> bytes:
        read.append(size)
        assert sum(read) <= 1024 * 1024, "more than a pipe holds"
        return b"more\n".ljust(size, b"\n")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", endless)
        engine.read_output()
    assert sum(read) == 1024 * 1024


def test_nothing_is_left_open(listener: Listener) -> None:
    before = open_files()
    engine = start_dockerd(listener.socket, ["sleep", "60"])
    engine.process.send_signal(signal.SIGKILL)
    engine.stop(wait)
    assert open_files() == before


def test_a_missing_program_is_reported(start: Start) -> None:
    engine = start("no-such-program")
    until_ended(engine)
    assert engine.status == "exit status 127"
    assert "not found" in engine.last_lines[-1]


def test_no_process_can_be_made(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = open_files()
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(PermanentError, match="starting dockerd: Resource temporarily"):
        start_dockerd(listener.socket, dockerd_command())
    assert open_files() == before
