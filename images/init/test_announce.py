"""announce and to-consoles under busybox: one line for people, which blocks nobody."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from images.init.conftest import PAUSE
from tests.fakes.script_root import SECONDS, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.init.conftest import Console
    from tests.fakes.script_root import ScriptRoot

PIPE = option("bootkit", "--console")
ANNOUNCE = "/usr/lib/tinkie/announce"
LINE = '[   100.25] dhcp: link.up interface=eth0 error="a  b"'
WORDS = ("link.up", "interface=eth0", 'error="a  b"')


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.restore("announce")
    root.restore("to-consoles")
    os.mkfifo(root.at(PIPE))
    return root


def test_line_goes_to_the_pipe_and_to_syslog(machine: ScriptRoot) -> None:
    reader = os.open(machine.at(PIPE), os.O_RDONLY | os.O_NONBLOCK)
    folder = os.open(machine.at("/dev"), os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(f"/proc/self/fd/{folder}/log")
        done = machine.run(ANNOUNCE, "dhcp", *WORDS)
    os.close(folder)
    assert os.read(reader, 4096).decode() == f"{LINE}\n"
    os.close(reader)
    assert machine.log == ['dhcp: link.up interface=eth0 error="a  b"']
    assert done.stdout == ""


def test_in_a_container_the_line_is_printed(machine: ScriptRoot) -> None:
    done = machine.run(ANNOUNCE, "dhcp", *WORDS)
    assert done.stdout == 'link.up interface=eth0 error="a  b"\n'
    assert machine.log == []


@pytest.mark.parametrize(
    "odd", ["\x1b[2J", "\n", "\r", "\t", "\x7f", "\u009b31m", "\u202e", "\u2800"]
)
def test_no_text_moves_the_cursor_or_hides_a_part(
    machine: ScriptRoot, add_console: Callable[[str], Console], odd: str
) -> None:
    console = add_console("ttyS0")
    printed = machine.run(ANNOUNCE, "dhcp", "link.up", f"interface={odd}eth0").stdout
    machine.run("/usr/lib/tinkie/to-consoles", "shutdown.started", f"by={odd}eth0")
    machine.wait_for("the line", lambda: console.lines)
    for text in (printed.rstrip("\n"), *console.lines):
        assert text.isascii()
        assert text.isprintable()
        assert "?" in text
        assert text.endswith("eth0")


def test_a_missing_reader_and_a_full_pipe_block_nobody(machine: ScriptRoot) -> None:
    assert machine.run(ANNOUNCE, "dhcp", "link.up").stdout == "link.up\n"
    pipe = os.open(machine.at(PIPE), os.O_RDWR | os.O_NONBLOCK)
    os.write(pipe, b"x" * os.fpathconf(pipe, "PC_PIPE_BUF") * 16)
    with pytest.raises(BlockingIOError):
        os.write(pipe, b"x")
    assert machine.run(ANNOUNCE, "dhcp", "link.up").stdout == "link.up\n"
    os.close(pipe)


def test_to_consoles_writes_to_each_one_and_waits_for_none_that_is_paused(
    machine: ScriptRoot, add_console: Callable[[str], Console]
) -> None:
    paused, other = add_console("tty0"), add_console("ttyS0")
    paused.press(PAUSE)
    thread = threading.Thread(target=machine.run, args=("/usr/lib/tinkie/to-consoles", *WORDS))
    thread.start()
    machine.wait_for("the line", lambda: other.lines == [LINE.replace("dhcp", "init")])
    thread.join(timeout=SECONDS)
    assert not thread.is_alive()
    assert paused.lines == []
