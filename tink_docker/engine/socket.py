"""The engine's socket. It is ours, and outlives every dockerd.

A container that binds `/var/run/docker.sock` holds that very file: a new one under the same name is
another, and whoever bound the old can never reach an engine again.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinkie.paths import ENGINE_SOCKET

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_MODE = 0o660
# Who comes while no dockerd runs waits in the socket's queue.
_QUEUE = 4096


@dataclass(slots=True)
class Listener:
    """A listening unix socket at `path`, which other programs see only once it is published."""

    path: Path
    socket: socket.socket
    published: bool = False

    @classmethod
    def open(cls, path: Path = ENGINE_SOCKET) -> Listener:
        """Listen under a name beside `path`.

        Raises:
            OSError: the socket cannot be made there.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        listener = cls(path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.address.unlink(missing_ok=True)
        listener.socket.bind(str(listener.address))
        listener.address.chmod(SOCKET_MODE)
        listener.socket.listen(_QUEUE)
        return listener

    @property
    def address(self) -> Path:
        """Return where the socket is now."""
        return (
            self.path if self.published else self.path.with_name(f".{self.path.name}.unpublished")
        )

    def publish(self) -> None:
        """Give the socket its name; whatever had it before is replaced. Done once."""
        if not self.published:
            self.address.rename(self.path)
            self.published = True
