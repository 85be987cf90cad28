"""A root shell in a running machine, on a serial port of its own, for tests.

The machine needs Hardware.shell_port, and Hardware.shell_words on its command line. Events are
printed on the same port, so the output of a command is marked. A thread reads all the time: the
machine drops lines on a console that is not read.
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

START_SECONDS = 180.0
ANSWER_SECONDS = 60.0
TYPE_SECONDS = 1.0
LAST_CHARACTERS = 500
_PROMPT = "tinkie# "
# A shell on a terminal edits and echoes lines; one that reads a pipe does neither.
_PLAIN = "stty -echo; echo plain''ly; cat | sh 2>&1"
_IS_PLAIN = "plainly\n"
_PAUSE, _RESUME = b"\x13", b"\x11"  # ctrl-S, ctrl-Q


@dataclass
class GuestShell:
    """Runs one command after another."""

    port: socket.socket
    received: Queue[bytes]
    _unread: str = ""
    _count: int = 0

    def run(self, command: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Return the output of a command; ReportedError if it fails or takes longer.

        Its background processes must not keep its stdout open.
        """
        self._count += 1
        end = f"= {self._count} "
        show = f"echo \"$out\" | sed 's/^/> /'; echo '{end}'$code"
        self._send(f"out=$(\n{command}\n) 2>&1; code=$?; {show}")
        output = self._read_until(f"\n{end}", seconds)
        code = self._read_until("\n", seconds).strip()
        printed = "\n".join(line[2:] for line in output.splitlines() if line.startswith("> "))
        if code != "0":
            raise ReportedError(f"{command} in the machine failed: exit code {code}: {printed}")
        return printed

    @contextmanager
    def held(self) -> Iterator[None]:
        """Pause this console, as by ctrl-S, until the end of the with block."""
        self.port.sendall(_PAUSE)
        try:
            yield
        finally:
            self.port.sendall(_RESUME)

    def start(self) -> None:
        """Wait for the shell, and turn off editing and echo."""
        self._read_until(_PROMPT, START_SECONDS)
        self._send(_PLAIN)
        self._read_until(_IS_PLAIN, ANSWER_SECONDS)

    def _send(self, line: str) -> None:
        self.port.sendall(line.encode() + b"\n")

    def _read_until(self, text: str, seconds: float) -> str:
        """Return the output before a text, and remove both.

        An emulated port may hold back the end of the input until more arrives, so an empty line is
        sent now and then. It also makes the shell print its first prompt.
        """
        deadline = time.monotonic() + seconds
        while text not in self._unread:
            if time.monotonic() > deadline:
                message = f"the machine's shell printed no {text!r} within {seconds:.0f} s, only"
                raise ReportedError(f"{message} {self._unread[-LAST_CHARACTERS:]!r}")
            try:
                self._unread += self._receive()
            except Empty:
                self._send("")
        before, _, self._unread = self._unread.partition(text)
        return before

    def _receive(self) -> str:
        more = self.received.get(timeout=TYPE_SECONDS)
        if not more:
            raise ReportedError("the machine's shell failed: the machine is off")
        return more.decode(errors="replace").replace("\r", "")


@contextmanager
def guest_shell(path: Path) -> Iterator[GuestShell]:
    """Connect to the shell at a unix socket until the end of the with block."""
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
    """Receive until either side closes the port, then put an empty piece."""
    with suppress(OSError):
        while more := port.recv(65536):
            received.put(more)
    received.put(b"")
