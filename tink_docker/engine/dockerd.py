"""dockerd: its command line, its start, and how it gets our listening socket.

`tink_docker/keeper.py` starts it again when it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tink_docker.engine.child import Child
from tink_docker.engine.containerd import ADDRESS
from tink_docker.engine.daemon_json import CONFIG_PATH
from tinkie.paths import GO_CERTIFICATE_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

# systemd's socket activation, see sd_listen_fds(3): the first socket is descriptor 3, for the
# process in LISTEN_PID. Only the process itself can set its own number, so a shell does that and
# then becomes dockerd. No kernel parameter reaches this shell.
SOCKET_ACTIVATION = ("sh", "-c", 'export LISTEN_PID=$$; exec "$@" 3<&0 0</dev/null', "sh")


def dockerd_command(host: str = "fd://") -> list[str]:
    """Return dockerd's command line; host: where it listens, by default on the socket given."""
    containerd = ["--containerd", str(ADDRESS)]
    return ["dockerd", "--config-file", str(CONFIG_PATH), *containerd, "--host", host]


def start_dockerd(listener: socket, command: Sequence[str], signs: tuple[str, ...] = ()) -> Child:
    """Start dockerd with `listener` as its socket; its lines with one of `signs` are kept.

    Raises:
        PermanentError: no process can be created.
    """
    return Child.start(
        "dockerd",
        [*SOCKET_ACTIVATION, *command],
        stdin=listener.fileno(),
        variables={"LISTEN_FDS": "1", "SSL_CERT_DIR": GO_CERTIFICATE_FOLDERS},
        signs=signs,
    )
