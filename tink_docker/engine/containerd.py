"""The engine's own containerd, which holds the containers.

dockerd could start it by itself, but once it has died it is back only after ten seconds, in which
no container starts and the end of none is noticed. Its folders are those that dockerd gives it.
"""

from __future__ import annotations

import socket

from tink_docker.engine.child import Child
from tink_docker.engine.daemon_json import DATA_ROOT, EXEC_ROOT
from tinkie.errors import PermanentError
from tinkie.files import write_atomically

STATE = EXEC_ROOT / "containerd"
ADDRESS = STATE / "containerd.sock"
PID_PATH = STATE / "containerd.pid"
CONFIG_PATH = STATE / "containerd.toml"

# No Kubernetes, and no snapshots: dockerd keeps the images itself. A containerd that starts takes
# a container whose shim says nothing within a bound for dead, and kills it; by custom that is 5 s,
# and a machine that is short of memory stands still for longer.
_CONFIG = f"""version = 2
root = "{DATA_ROOT}/containerd/daemon"
state = "{STATE}/daemon"
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[timeouts]
  "io.containerd.timeout.task.state" = "60s"
  "io.containerd.timeout.shim.load" = "60s"

[grpc]
  address = "{ADDRESS}"

[debug]
  level = "warn"
"""


def start_containerd() -> Child:
    """Write its configuration and start it.

    Raises:
        PermanentError: a file cannot be written, or no process can be made.
    """
    try:
        write_atomically(CONFIG_PATH, _CONFIG.encode())
        child = Child.start("containerd", ["containerd", "--config", str(CONFIG_PATH)])
        write_atomically(PID_PATH, str(child.process.pid).encode())
    except OSError as error:
        raise PermanentError(f"writing to {STATE}: {error.strerror}") from error
    return child


def is_serving() -> bool:
    """Say whether somebody listens on its socket."""
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(ADDRESS))
        except OSError:
            return False
        return True
