"""The engine's own containerd, which holds the containers. It is started again when it dies.

dockerd could start it by itself, but starts one that died again only after ten seconds. Meanwhile
no container starts, and nobody notices the end of one (ADR 9). Its folders are those that dockerd
would give it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.child import Child
from tink_docker.engine.daemon_json import DATA_ROOT, EXEC_ROOT
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError, TransientError
from tinkie.files import write_atomically
from tinkie.policy import HEALTHY_AFTER_SECONDS
from tinkie.running.backoff import Schedule
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.engine.child import Wait

log = get_logger()

STATE = EXEC_ROOT / "containerd"
ADDRESS = STATE / "containerd.sock"
PID_PATH = STATE / "containerd.pid"
CONFIG_PATH = STATE / "containerd.toml"

# No Kubernetes, and no snapshots: dockerd keeps the images itself. The timeouts are those after
# which a containerd that starts kills a container whose shim does not answer.
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
  "io.containerd.timeout.task.state" = "{policy.CONTAINERD_SHIM_SECONDS}s"
  "io.containerd.timeout.shim.load" = "{policy.CONTAINERD_SHIM_SECONDS}s"

[grpc]
  address = "{ADDRESS}"

[debug]
  level = "warn"
"""


def start_containerd() -> Child:
    """Write its configuration and start it.

    Raises:
        PermanentError: a file cannot be written, or no process can be created.
    """
    try:
        write_atomically(CONFIG_PATH, _CONFIG.encode())
        child = Child.start("containerd", ["containerd", "--config", str(CONFIG_PATH)])
        try:
            write_atomically(PID_PATH, str(child.process.pid).encode())
        except BaseException:  # without the file nobody would stop it
            child.process.kill()
            child.process.wait()
            child.close()
            raise
    except OSError as error:
        raise PermanentError(f"writing to {STATE}: {error.strerror}") from error
    return child


def is_serving() -> bool:
    """Return whether its socket accepts connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(ADDRESS))
        except OSError:
            return False
        return True


@dataclass(slots=True, eq=False, repr=False)
class Containerd:
    """containerd, started again after a growing wait whenever it ends by itself."""

    start_child: Callable[[], Child]
    now: Callable[[], float]
    child: Child | None  # None from its end to the next start
    started_at: float
    restarts: Schedule

    @classmethod
    def start(cls, start_child: Callable[[], Child], now: Callable[[], float]) -> Containerd:
        """Start it for the first time.

        Raises:
            PermanentError: it cannot be started.
        """
        restarts = Schedule(policy.CONTAINERD_RESTARTS, now)
        return cls(start_child, now, start_child(), now(), restarts)

    def wait_until_serving(self, is_serving: Callable[[], bool], wait: Wait) -> None:
        """Wait until `is_serving` after the first start.

        Raises:
            TransientError: it has ended, or a minute has passed.
        """
        deadline = self.now() + policy.CONTAINERD_FIRST_ANSWER_SECONDS
        while self.child and not is_serving():
            ended = self.child.ended()
            self.child.read_output()
            if ended or self.now() >= deadline:
                lines = self.child.last_lines
                message = f"containerd does not serve ({self.child.status}): {lines}"
                raise TransientError(message, kind=ErrorKind.ENGINE_NOT_READY)
            wait(policy.CONTAINERD_POLL_SECONDS, [])

    @property
    def files(self) -> list[int]:
        """Return the descriptors to wait on."""
        return self.child.files if self.child else []

    def look_after(self) -> None:
        """Log its output. If it has ended, start it again as soon as that is due."""
        if self.child:
            self.child.read_output()
            if self.child.ended():
                self._schedule_restart(self.child)
        if self.child is None and self.restarts.is_due():
            self._restart()

    def stop(self, wait: Wait) -> None:
        """Stop it if it runs."""
        if self.child:
            self.child.stop(wait)

    def _schedule_restart(self, child: Child) -> None:
        if self.now() - self.started_at >= HEALTHY_AFTER_SECONDS:
            self.restarts.reset()
        seconds = self.restarts.failed()
        log.error(
            "containerd.ended",
            error=f"containerd ended by itself: {child.status}",
            last_lines=child.last_lines,
            next=f"starting it again in {seconds:.1f} s; containers run on",
        )
        self.child = None
        child.close()

    def _restart(self) -> None:
        try:
            self.child, self.started_at = self.start_child(), self.now()
        except BootError as error:
            seconds = self.restarts.failed()
            what_next = f"trying again in {seconds:.1f} s"
            log.error("containerd.failed", **error.fields, next=what_next)  # noqa: TRY400
