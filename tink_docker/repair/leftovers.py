"""What a dockerd that was killed leaves behind, and must not keep the next one from starting."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import structlog

from tink_docker.engine.containerd import PID_PATH as CONTAINERD_PID_PATH
from tink_docker.engine.daemon_json import PID_PATH

log = structlog.get_logger()

END_SECONDS = 10.0


def clear_remains(dockerd: Path = PID_PATH, containerd: Path = CONTAINERD_PID_PATH) -> None:
    """End the dockerd and the containerd of these pid files, and remove the files.

    dockerd does not start while the process of its pid file lives, even if that is quite another
    one by now; and two containerds would hold the same containers. Containers run on: each has a
    shim, which is neither of the two.
    """
    for path, program in ((dockerd, "dockerd"), (containerd, "containerd")):
        old = _process_of(path, program)
        if old is not None:
            _end(old, program)
        path.unlink(missing_ok=True)


def _process_of(pid_path: Path, program: str) -> int | None:
    """Return the number in the file if a process of that name has it."""
    try:
        pid = int(pid_path.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if name == program and pid > 1 else None


def _end(pid: int, program: str) -> None:
    """End it in order, or by force after 10 s; one that is a zombie already is fine."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if select.select([descriptor], [], [], 0)[0]:
                return
            log.warning("engine.leftover", program=program, pid=pid, next=f"ended by {number.name}")
            signal.pidfd_send_signal(descriptor, number)
            select.select([descriptor], [], [], END_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)
