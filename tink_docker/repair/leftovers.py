"""Stop the daemons of an earlier run, which would keep the next dockerd from starting."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from tink_docker import policy
from tink_docker.engine.containerd import PID_PATH as CONTAINERD_PID_PATH
from tink_docker.engine.daemon_json import PID_PATH
from tinkie.running.log import get_logger

log = get_logger()


def stop_leftovers(dockerd: Path = PID_PATH, containerd: Path = CONTAINERD_PID_PATH) -> None:
    """Stop the dockerd and the containerd of these pid files, and remove the files.

    dockerd does not start while any process has the number in its pid file; and two containerds
    would manage the same containers. Containers run on: each has a shim, a process of its own.
    """
    for path, program in ((dockerd, "dockerd"), (containerd, "containerd")):
        pid = _running_pid(path, program)
        if pid is not None:
            _stop(pid, program)
        path.unlink(missing_ok=True)


def _running_pid(pid_path: Path, program: str) -> int | None:
    """Return the pid in the file if a process of that name has it."""
    try:
        pid = int(pid_path.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return pid if name == program and pid > 1 else None


def _stop(pid: int, program: str) -> None:
    """Stop it in order, or by force after a bound; a zombie needs no signal."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if select.select([descriptor], [], [], 0)[0]:
                return
            log.warning("engine.leftover", program=program, pid=pid, next=f"sending {number.name}")
            signal.pidfd_send_signal(descriptor, number)
            select.select([descriptor], [], [], policy.LEFTOVER_STOP_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)
