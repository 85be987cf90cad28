"""The engine's listening socket. tink-docker opens it, so that it outlives every dockerd.

A container that binds `/var/run/docker.sock` binds that very file. A new socket under the same name
is another file, so a container that bound the old one could never reach an engine again.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tinkie.paths import ENGINE_SOCKET

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_MODE = 0o660
SOCKET_GROUP = 2000  # bootkit is in it (linuxkit.yml); who may use the engine can be root


@dataclass(slots=True, eq=False, repr=False)
class Listener:
    """A listening unix socket at `path`, which other programs see only once it is published."""

    path: Path
    socket: socket.socket
    published: bool = False

    @classmethod
    def open(cls, path: Path = ENGINE_SOCKET, group: int = SOCKET_GROUP) -> Listener:
        """Listen under a hidden name beside `path`; root and the group may connect.

        Raises:
            OSError: the socket cannot be created there.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        listener = cls(path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.address.unlink(missing_ok=True)
        listener.socket.bind(str(listener.address))
        os.chown(listener.address, -1, group)
        listener.address.chmod(SOCKET_MODE)
        listener.socket.listen(policy.SOCKET_QUEUE_CONNECTIONS)
        return listener

    @property
    def address(self) -> Path:
        """Return the socket's present path."""
        return (
            self.path if self.published else self.path.with_name(f".{self.path.name}.unpublished")
        )

    def publish(self) -> None:
        """Rename the socket to `path`, replacing any file there; later calls do nothing."""
        if not self.published:
            self.address.rename(self.path)
            self.published = True
