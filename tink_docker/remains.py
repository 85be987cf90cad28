"""What a dockerd that was killed leaves behind, and what must not keep the next one from starting."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import structlog

from tink_docker.daemon_json import EXEC_ROOT, PID_PATH

log = structlog.get_logger()

CONTAINERD_PID_PATH = EXEC_ROOT / "containerd" / "containerd.pid"
END_SECONDS = 10.0


def clear_remains(pid_path: Path = PID_PATH, containerd: Path = CONTAINERD_PID_PATH) -> None:
    """End a dockerd that outlived its parent, and remove pid files that speak of processes that are gone.

    dockerd refuses to start while the process of its pid file lives, even if that is a quite different one by now.
    A containerd that still runs is left to dockerd, which takes it over.
    """
    old = _process_of(pid_path, "dockerd")
    if old is not None:
        log.warning("engine.found", pid=old, next="ended, since it is no child of this process")
        _end(old)
    pid_path.unlink(missing_ok=True)
    if _process_of(containerd, "containerd") is None:
        containerd.unlink(missing_ok=True)


def _process_of(pid_path: Path, program: str) -> int | None:
    """Return the number in the file if a process of that name has it."""
    try:
        pid = int(pid_path.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if name == program and pid > 1 else None


def _end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(descriptor, number)
            if select.select([descriptor], [], [], END_SECONDS)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)
