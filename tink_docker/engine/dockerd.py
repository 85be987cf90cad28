"""dockerd: how it is called, and how it gets our socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tink_docker.engine.child import Child
from tink_docker.engine.containerd import ADDRESS
from tink_docker.engine.daemon_json import CONFIG_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

# The first file handed over is descriptor 3, for the process that LISTEN_PID names; see
# sd_listen_fds(3). Only a process that is there already knows its own number. No kernel parameter
# comes near this shell.
_HAND_OVER = ("sh", "-c", 'export LISTEN_PID=$$; exec "$@" 3<&0 0</dev/null', "sh")


def words(host: str = "fd://") -> list[str]:
    """Return how dockerd is called; host: where it listens, as its option has it."""
    containerd = ["--containerd", str(ADDRESS)]
    return ["dockerd", "--config-file", str(CONFIG_PATH), *containerd, "--host", host]


def start_dockerd(listener: socket, arguments: Sequence[str]) -> Child:
    """Start dockerd with `listener` as its socket.

    Raises:
        PermanentError: no process can be made.
    """
    variables = {"LISTEN_FDS": "1"}
    return Child.start(
        "dockerd", [*_HAND_OVER, *arguments], stdin=listener.fileno(), variables=variables
    )
