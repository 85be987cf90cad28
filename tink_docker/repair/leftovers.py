"""Stop the daemons of an earlier run, which would keep the next dockerd from starting."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

from tink_docker import policy
from tink_docker.engine.containerd import PID_PATH as CONTAINERD_PID_PATH
from tink_docker.engine.daemon_json import PID_PATH
from tinkie.files import read_file
from tinkie.policy import STATE_FILE_BYTES
from tinkie.running.log import get_logger

log = get_logger()


def stop_leftovers(dockerd: Path = PID_PATH, containerd: Path = CONTAINERD_PID_PATH) -> None:
    """Stop the dockerd and the containerd of these pid files, and remove the files.

    dockerd does not start while any process has the number in its pid file; and two containerds
    would manage the same containers. Containers run on: each has a shim, a process of its own.
    """
    for path, program in ((dockerd, "dockerd"), (containerd, "containerd")):
        process = _running(path, program)
        if process is not None:
            try:
                _stop(process, program)
            finally:
                os.close(process)
        path.unlink(missing_ok=True)


def _running(pid_path: Path, program: str) -> int | None:
    """Return a pidfd of the process in the file, if it runs that program.

    The number may have been given to another process since, or to a thread, of which there is no
    pidfd. The pidfd comes first: while it is open, the number stays with that process.
    """
    try:
        pid = int(read_file(pid_path, STATE_FILE_BYTES))
        process = os.pidfd_open(pid)
    except (OSError, ValueError, OverflowError):
        return None
    if pid > 1 and _program(pid) == program:
        return process
    os.close(process)
    return None


def _program(pid: int) -> str:
    """Return the name of a process's program, from its command line; a zombie has none."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return Path(os.fsdecode(line.partition(b"\0")[0])).name


def _stop(process: int, program: str) -> None:
    """Stop it in order, or by force after a bound."""
    with suppress(ProcessLookupError):  # it has ended, and nobody has waited for it yet
        for number in (signal.SIGTERM, signal.SIGKILL):
            if select.select([process], [], [], 0)[0]:
                return
            log.warning("engine.leftover", program=program, next=f"sending {number.name}")
            signal.pidfd_send_signal(process, number)
            select.select([process], [], [], policy.LEFTOVER_STOP_SECONDS)
