"""dhcpcd: its process, and its control socket, which says what it has and that something changed.

The protocol is dhcpcd's own, between its processes of one version (10.1, control.c): a command is
its arguments, each with a NUL byte behind it. A message is its size, a native `size_t`, and as
many bytes. `--getinterfaces` sends the number of its messages first; `--listen` sends one for each
event, with what a hook would get. So no hook is needed: an event only wakes up whoever then asks
for all that there is, and no shell reads what a server sent (ADR 18).
"""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from network.leases import DhcpcdEvent, read_event
from network.policy import (
    DHCPCD_ANSWER_SECONDS,
    DHCPCD_MESSAGE_BYTES,
    DHCPCD_MESSAGES_MAXIMUM,
)
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SIZE = struct.Struct("N")
_PART = 65536


def read_messages(path: Path) -> list[bytes]:
    """Return what a hook would get for each interface and protocol now.

    Raises:
        TransientError: dhcpcd does not answer, or not in its protocol.
    """
    try:
        with _connected(path) as link:
            answer = _Answer(link)
            link.sendall(b"--getinterfaces\0")
            count = answer.number(DHCPCD_MESSAGES_MAXIMUM)
            return [answer.exactly(answer.number(DHCPCD_MESSAGE_BYTES)) for _ in range(count)]
    except OSError as error:
        raise TransientError(f"ask dhcpcd for its leases: {error}") from None


@dataclass(slots=True, eq=False, repr=False)
class Listener:
    """dhcpcd's events. `read` returns what has come; use `socket` to wait for more."""

    socket: socket.socket
    _received: bytes = b""

    @classmethod
    def connect(cls, path: Path) -> Listener:
        """Return a listener to this dhcpcd; raises TransientError if it does not listen yet."""
        try:
            link = _connected(path)
            link.sendall(b"--listen\0")
        except OSError as error:
            raise TransientError(f"listen to dhcpcd: {error}") from None
        link.settimeout(0.0)
        return cls(link)

    def read(self) -> list[DhcpcdEvent] | None:
        """Return the events since the last call; None if dhcpcd has closed the connection.

        It takes one message of the greatest size at once: what is behind it is there later.
        """
        with suppress(BlockingIOError):
            while len(self._received) < _SIZE.size + DHCPCD_MESSAGE_BYTES:
                part = self._part()
                if not part:
                    return None
                self._received += part
        return self._events()

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _part(self) -> bytes:
        try:
            return self.socket.recv(_PART)
        except ConnectionError:
            return b""

    def _events(self) -> list[DhcpcdEvent] | None:
        """Return the whole messages of what was received; None if it is not this protocol."""
        found = []
        start = 0
        while len(self._received) - start >= _SIZE.size:
            (size,) = _SIZE.unpack_from(self._received, start)
            if size > DHCPCD_MESSAGE_BYTES:
                return None
            end = start + _SIZE.size + size
            if len(self._received) < end:
                break
            found.append(read_event(self._received[start + _SIZE.size : end]))
            start = end
        self._received = self._received[start:]
        return [event for event in found if event]


@dataclass(slots=True, eq=False, repr=False)
class Process:
    """dhcpcd as a child of this process, which may have been started before Python."""

    command: Sequence[str] = ("/usr/sbin/dhcpcd", "--nobackground", "-f")
    pid: int = 0  # 0: it does not run
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def start(self, configuration: Path) -> None:
        """Start it with this configuration; raises TransientError if there is no such program."""
        words = [*self.command, str(configuration)]
        try:
            self.pid = os.posix_spawn(words[0], words, self.environment)
        except OSError as error:
            raise TransientError(f"start {words[0]}: {error}") from None


def ended_children() -> dict[int, int]:
    """Return the exit codes of the children that have ended, by PID; a signal's number is negative.

    This is PID 1 of a container: it also gets the children of processes that have ended.
    """
    found = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            found[pid] = os.waitstatus_to_exitcode(status)
    return found


def _connected(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    link.settimeout(DHCPCD_ANSWER_SECONDS)
    try:
        link.connect(str(path))
    except OSError:
        link.close()
        raise
    return link


class _Answer:
    """What comes on a connection until DHCPCD_ANSWER_SECONDS have passed, for all of it."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._end = time.monotonic() + DHCPCD_ANSWER_SECONDS

    def number(self, maximum: int) -> int:
        (number,) = _SIZE.unpack(self.exactly(_SIZE.size))
        if number > maximum:
            raise TransientError(f"ask dhcpcd for its leases: {number} is more than {maximum}")
        return int(number)

    def exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._link.settimeout(left)
            part = self._link.recv(size - len(found))
            if not part:
                raise TransientError(
                    "ask dhcpcd for its leases: it ended in the middle of an answer"
                )
            found += part
        return bytes(found)
