"""`python -m release.engine COMMAND...`: run COMMAND with a Docker engine.

If no engine answers, one is started with its own socket and data folder in the cache. Builds that
run at the same time share it, and the last one stops it.
"""

import contextlib
import csv
import fcntl
import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from release.cache import cache, locked
from release.errors import ReportedError, reported_errors
from release.process import CommandTimeoutError, run, start_detached

START_SECONDS = 60.0
STOP_SECONDS = 30.0
RUNTIME = Path(__file__).parent / "runc-without-sys-resource"
CAP_SYS_RESOURCE = 24
# Read instead of /etc/docker/daemon.json: dockerd ends if that file sets the same as a flag.
SETTINGS = {"builder": {"gc": {"enabled": True, "defaultKeepStorage": "5GB"}}}
# Builds use the host's network. The host's bridge, firewall and forwarding stay as they are:
# another engine may use them.
NO_NETWORK = ("--bridge=none", "--iptables=false", "--ip-forward=false")


@contextmanager
def running() -> Iterator[str]:
    """Yield the DOCKER_HOST of an engine that answers until the end of the with block.

    Raises ReportedError if none answers and none could be started.
    """
    given = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if _answers(given):
        yield given
        return
    with _own_engine() as own:
        yield own


def fields(**given: str | Path) -> str:
    """Return fields as the value of an option of `docker buildx`: CSV, as paths may hold commas."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(f"{name}={value}" for name, value in given.items())
    return line.getvalue()


def _answers(host: str) -> bool:
    command = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    try:
        done = run("probing the engine", command, seconds=20, check=False)
    except CommandTimeoutError:
        return False
    return done.code == 0


@contextmanager
def _own_engine() -> Iterator[str]:
    folder = cache() / "engine"
    folder.mkdir(exist_ok=True)
    host = f"unix://{folder}/docker.sock"
    with (folder / "users").open("w") as users:
        with locked(folder / "lock"):
            if not _answers(host):
                _start(folder, host)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield host
        finally:
            with locked(folder / "lock"):
                if _is_last(users):
                    _remove_untagged(host)
                    _stop(folder)


def _is_last(users: IO[str]) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _start(folder: Path, host: str) -> None:
    if os.geteuid():
        raise ReportedError(
            "no Docker engine answers, and only root can start one: run this as root"
        )
    command = ["dockerd", *NO_NETWORK, "--host", host, "--data-root", f"{folder}/data"]
    command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/docker.pid"]
    (folder / "daemon.json").write_text(json.dumps(SETTINGS))
    command += ["--config-file", f"{folder}/daemon.json"]
    if not has_capability(CAP_SYS_RESOURCE):
        command += ["--add-runtime", f"limited={RUNTIME}", "--default-runtime", "limited"]
    # A killed engine leaves this file, and the next one mistakes any process with that id for it.
    (folder / "docker.pid").unlink(missing_ok=True)
    pid = start_detached("starting an engine", command, folder / "log")
    try:
        _wait_until_it_answers(pid, host, folder / "log")
    except BaseException:  # also for ctrl-C: no other build uses this engine yet
        _signal(pid, signal.SIGTERM)
        raise


def _wait_until_it_answers(pid: int, host: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(host):
        ended = os.waitpid(pid, os.WNOHANG) != (0, 0)
        if ended or time.monotonic() > deadline:
            last = "\n".join(log.read_text().splitlines()[-5:])
            raise ReportedError(
                f"dockerd did not answer within {START_SECONDS:.0f} s ({log}):\n{last}"
            )
        time.sleep(0.2)  # dockerd sends no message when it is ready


def _remove_untagged(host: str) -> None:
    """Remove the images of earlier builds, which have lost their tags: 400 MB each time."""
    command = ["docker", "--host", host, "image", "prune", "--force"]
    run("removing untagged images", command, check=False, seconds=None)


def _stop(folder: Path) -> None:
    pidfile = folder / "docker.pid"
    with contextlib.suppress(FileNotFoundError):
        pid = int(pidfile.read_text())
        _terminate(pid, pidfile)
        if pidfile.exists():
            print(
                f"dockerd (process {pid}) did not end within {STOP_SECONDS:.0f} s: killed",
                flush=True,
            )
            _signal(pid, signal.SIGKILL)


def _terminate(pid: int, pidfile: Path) -> None:
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while pidfile.exists() and time.monotonic() < deadline:
        time.sleep(0.1)  # only its parent can wait for it, which may be another build


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def has_capability(number: int) -> bool:
    """Return whether programs started by this process can have a capability(7)."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding.split()[1], 16) >> number & 1)


def main() -> None:
    """Run this module's command line; its status is COMMAND's."""
    with reported_errors(), running() as host:
        environment = os.environ | {"DOCKER_HOST": host}
        command = sys.argv[1:]
        done = run(command[0], command, env=environment, shown=True, seconds=None, check=False)
    sys.exit(done.code)


if __name__ == "__main__":
    main()
