"""A root shell in a running machine, on a serial port of its own: what tests reach inside by.

The machine needs Hardware.shell_port, and SHELL_WORDS on its command line. Events for people come
on the same port, in between; so what a command says is marked. They are taken all the time: a
machine leaves out lines on a console that nobody reads.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from release.errors import ReportedError

SHELL_WORDS = "console=ttyS2 tinkie.shell"
START_SECONDS = 180.0
ANSWER_SECONDS = 60.0
TYPE_SECONDS = 1.0
LAST_CHARACTERS = 500
_PROMPT = "tinkie# "
# A terminal's shell edits lines and shows them; one that reads a pipe does neither.
_PLAIN = "stty -echo; echo plain''ly; cat | sh 2>&1"
_IS_PLAIN = "plainly\n"
_HOLD, _GO_ON = b"\x13", b"\x11"  # ctrl-S, ctrl-Q


@dataclass
class GuestShell:
    """Runs one command after the other."""

    port: socket.socket
    received: Queue[bytes]
    _heard: str = ""
    _count: int = 0

    def run(self, command: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Return what a command printed; ReportedError if it fails or takes longer.

        What it leaves in the background must not hold its stdout.
        """
        self._count += 1
        end = f"= {self._count} "
        show = f"echo \"$out\" | sed 's/^/> /'; echo '{end}'$code"
        self._say(f"out=$(\n{command}\n) 2>&1; code=$?; {show}")
        heard = self._hear(f"\n{end}", seconds)
        code = self._hear("\n", seconds).strip()
        said = "\n".join(line[2:] for line in heard.splitlines() if line.startswith("> "))
        if code != "0":
            raise ReportedError(f"in the machine: {command}: exit code {code}: {said}")
        return said

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the machine write nothing to this console, as by ctrl-S, in the with block."""
        self.port.sendall(_HOLD)
        try:
            yield
        finally:
            self.port.sendall(_GO_ON)

    def start(self) -> None:
        """Wait for the shell and make it a plain one."""
        self._hear(_PROMPT, START_SECONDS)
        self._say(_PLAIN)
        self._hear(_IS_PLAIN, ANSWER_SECONDS)

    def _say(self, line: str) -> None:
        self.port.sendall(line.encode() + b"\n")

    def _hear(self, text: str, seconds: float) -> str:
        """Return what comes before a text, and go on behind it.

        An emulated port may keep the end of what was typed until more comes: so an empty line is
        typed now and then. It also brings the first prompt.
        """
        deadline = time.monotonic() + seconds
        while text not in self._heard:
            if time.monotonic() > deadline:
                told = f"the machine's shell said no {text!r} within {seconds:.0f} s, but"
                raise ReportedError(f"{told} {self._heard[-LAST_CHARACTERS:]!r}")
            try:
                self._heard += self._receive()
            except Empty:
                self._say("")
        before, _, self._heard = self._heard.partition(text)
        return before

    def _receive(self) -> str:
        more = self.received.get(timeout=TYPE_SECONDS)
        if not more:
            raise ReportedError("the machine is off, and its shell with it")
        return more.decode(errors="replace").replace("\r", "")


@contextmanager
def guest_shell(path: Path) -> Iterator[GuestShell]:
    """Speak to the shell at a unix socket until the end of the with block."""
    with socket.socket(socket.AF_UNIX) as port:
        port.connect(str(path))
        received: Queue[bytes] = Queue()
        reader = Thread(target=_receive_all, args=(port, received), daemon=True)
        reader.start()
        try:
            shell = GuestShell(port, received)
            shell.start()
            yield shell
        finally:
            with suppress(OSError):  # the machine may be off
                port.shutdown(socket.SHUT_RDWR)
            reader.join()


def _receive_all(port: socket.socket, received: Queue[bytes]) -> None:
    """Take what comes until the port is closed, by either side: then, an empty piece."""
    with suppress(OSError):
        while more := port.recv(65536):
            received.put(more)
    received.put(b"")
