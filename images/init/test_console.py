"""console under bash: a paused console delays no other one, and reports what it missed."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from images.init.conftest import PAUSE, RESUME
from tests.fakes.script_root import IMAGES, option
from tinkie.policy import CONSOLE_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from images.init.conftest import Console
    from tests.fakes.script_root import ScriptRoot

PIPE = option("bootkit", "--console")
(INITTAB,) = (
    line.partition("respawn:")[2]
    for line in (IMAGES / "init/etc/inittab").read_text().splitlines()
    if "respawned console" in line
)
CONSOLE = ("sh", "-c", f"exec {INITTAB}")  # what PID 1 runs
LONGEST = CONSOLE_LINE_BYTES  # of the agents, too
MEMORY = 8 << 20  # bytes; bash needs 4 MB
DROPPED = re.compile(r"\((\d+) lines dropped on this console; the log has them\)")


@pytest.fixture
def machine(root: ScriptRoot) -> Iterator[ScriptRoot]:
    root.add_program("/bin/bash")
    os.mkfifo(root.at(PIPE))
    pipe = os.open(root.at(PIPE), os.O_RDWR)  # its lines stay until `console` reads them
    yield root
    os.close(pipe)


def send(root: ScriptRoot, *lines: str) -> None:
    """Write lines as the programs of the machine do."""
    with root.at(PIPE).open("r+b", buffering=0) as pipe:
        for line in lines:
            pipe.write(f"{line}\n".encode())


def test_every_console_shows_every_line_of_ascii_as_it_is(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    consoles = [add_console("tty0"), add_console("ttyS0")]
    lines = ["[ 1.00] init: boot.started", r"[ 2.00] x:  two  spaces, \n, $HOME, *"]
    lines += ["-n", "-e", "-E", r"-ne a\tb", "", r"a\cb", "%s", "last"]
    with machine.running(*CONSOLE):
        send(machine, *lines)
        for console in consoles:
            machine.wait_for("lines", partial(console.has, len(lines)))
            assert console.lines == lines


def test_no_line_moves_a_cursor(machine: ScriptRoot, add_console: Callable[[str], Console]) -> None:
    console = add_console("ttyS0")
    with machine.running(*CONSOLE):
        with machine.at(PIPE).open("r+b", buffering=0) as pipe:
            pipe.write(b"a\x1b[2Jb\x9bc\xc2\x9bd\te\r[0.0] init: forged \xe2\x80\xa6\n")
        machine.wait_for("the line", partial(console.has, 1))
    assert console.lines == ["a?[2Jb?c??d?e?[0.0] init: forged ???"]


def test_a_long_line_holds_up_no_console(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    console = add_console("ttyS0")
    with machine.running(*CONSOLE):
        send(machine, "x" * 30_000, "y" * LONGEST, "z" * (LONGEST + 1), "last")
        machine.wait_for("the last", partial(console.has, 4))
    assert console.lines == ["x" * LONGEST, "y" * LONGEST, "z" * LONGEST, "last"]


def test_a_line_without_end_takes_no_memory(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    console = add_console("ttyS0")
    with machine.running(*CONSOLE) as process:
        with machine.at(PIPE).open("r+b", buffering=0) as pipe:
            for _ in range(64):
                pipe.write(b"x" * 65_536)  # waits while the pipe is full
        assert _largest_descendant(process.pid) < MEMORY
        send(machine, "", "last")
        machine.wait_for("the last", partial(console.has, 2))
    assert console.lines == ["x" * LONGEST, "last"]


def _largest_descendant(pid: int) -> int:
    """Return the resident bytes of the largest process below this one."""
    own = 1024 * int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max([own, *map(_largest_descendant, map(int, children))])


def test_paused_console_delays_no_other_and_counts_what_it_drops(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    paused, other = add_console("tty0"), add_console("ttyS0")
    lines = [f"line {number:04} {'x' * 200}" for number in range(600)]  # 120 kB
    with machine.running(*CONSOLE):
        send(machine, "first")
        machine.wait_for("first", lambda: paused.lines == other.lines == ["first"])
        paused.press(PAUSE)
        for end in range(50, len(lines) + 1, 50):
            send(machine, *lines[end - 50 : end])
            machine.wait_for("the other", partial(other.has, end + 1))
        assert other.lines == ["first", *lines]
        assert len(paused.lines) < 5
        paused.press(RESUME)
        machine.wait_for("what was queued", lambda: len(paused.lines) > 100)
        queued = 0
        while queued != len(paused.lines):
            queued = len(paused.lines)
            machine.wait_for("written", lambda: _is_drained(machine))
        send(machine, "last")
        machine.wait_for("last", lambda: paused.lines[-1] == "last")
    *before, note, last = paused.lines
    (dropped,) = DROPPED.fullmatch(note).groups()  # type: ignore[union-attr]
    assert before == ["first", *lines][: len(before)]
    assert len(before) - 1 + int(dropped) == len(lines)
    assert last == "last"


def _is_drained(root: ScriptRoot) -> bool:
    folder = f"{PIPE}s/tty0"
    return root.read(f"{folder}/written") == root.read(f"{folder}/queued") != ""


def test_started_again_it_ends_the_writers_of_before_and_nothing_else(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    console = add_console("tty0")
    story = f"""
        tail -f /dev/null & other=$!
        /usr/lib/tinkie/console <>{PIPE} & first=$!
        until [ -s {PIPE}s/tty0/pid ]; do usleep 10000; done
        writer=$(cat {PIPE}s/tty0/pid)
        kill -9 $first
        mkdir {PIPE}s/ttyS9
        echo $other >{PIPE}s/ttyS9/pid
        /usr/lib/tinkie/console <>{PIPE} &
        until [ "$(cat {PIPE}s/tty0/pid 2>/dev/null || echo $writer)" != $writer ]; do
            usleep 10000
        done
        ! grep -q console /proc/$writer/cmdline 2>/dev/null || echo writer lives
        kill -0 $other && echo other lives
        echo one line >{PIPE}
        wait
    """
    with machine.running("sh", "-c", story, real_proc=True):
        machine.wait_for("the line", lambda: console.lines == ["one line"])
    assert machine.read(".output") == "other lives\n"
