"""`python3 -m release.engine COMMAND...`: runs COMMAND with a Docker engine that answers.

If none does, one is started, with its own socket and data folder in the cache, shared by
all who need it at the same time, and stopped by the last of them.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from release.cache import alone, cache
from release.errors import ReportedError, reported_errors
from release.process import CommandTimeoutError, run, start_detached

START_SECONDS = 60.0
STOP_SECONDS = 30.0
RUNTIME = Path(__file__).parent / "runc-without-sys-resource"
CAP_SYS_RESOURCE = 24
# Of /etc/docker/daemon.json nothing is wanted here: what it says as well as a flag ends dockerd.
SETTINGS = {"builder": {"gc": {"enabled": True, "defaultKeepStorage": "5GB"}}}
# Builds use the host's network. So the host's own bridge, firewall and forwarding, which another
# engine may be using, are left alone.
NO_NETWORK = ("--bridge=none", "--iptables=false", "--ip-forward=false")


@contextmanager
def running() -> Iterator[str]:
    """The DOCKER_HOST of an engine that answers until the end of the with block.

    Raises ReportedError if none answers and none could be started.
    """
    given = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if _answers(given):
        yield given
        return
    with _own_engine() as own:
        yield own


def _answers(host: str) -> bool:
    command = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    try:
        done = run("asking the engine for its version", command, seconds=20, check=False)
    except CommandTimeoutError:
        return False
    return done.code == 0


@contextmanager
def _own_engine() -> Iterator[str]:
    folder = cache() / "engine"
    folder.mkdir(exist_ok=True)
    host = f"unix://{folder}/docker.sock"
    with (folder / "users").open("w") as users:
        with alone(folder / "lock"):
            if not _answers(host):
                _start(folder, host)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield host
        finally:
            with alone(folder / "lock"):
                if _last(users):
                    _forget_nameless(host)
                    _stop(folder)


def _last(users: IO[str]) -> bool:
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
    # A killed engine leaves this file, and the next one takes a stranger with that number for it.
    (folder / "docker.pid").unlink(missing_ok=True)
    pid = start_detached("starting an engine", command, folder / "log")
    try:
        _wait_until_it_answers(pid, host, folder / "log")
    except BaseException:  # a person's ctrl-C as well: nobody else knows of this engine yet
        _signal(pid, signal.SIGTERM)
        raise


def _wait_until_it_answers(pid: int, host: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(host):
        ended = os.waitpid(pid, os.WNOHANG) != (0, 0)
        if ended or time.monotonic() > deadline:
            last = "\n".join(log.read_text().splitlines()[-5:])
            raise ReportedError(
                f"dockerd did not come up in {START_SECONDS:.0f} s ({log}):\n{last}"
            )
        time.sleep(0.2)  # dockerd sends no message when it is ready


def _forget_nameless(host: str) -> None:
    """Each build leaves the images of the one before without a name, 400 MB of them."""
    command = ["docker", "--host", host, "image", "prune", "--force"]
    run("removing images without a name", command, check=False, seconds=None)


def _stop(folder: Path) -> None:
    pidfile = folder / "docker.pid"
    with contextlib.suppress(FileNotFoundError):
        pid = int(pidfile.read_text())
        _ask_to_end(pid, pidfile)
        if pidfile.exists():
            print(f"dockerd did not end in {STOP_SECONDS:.0f} s: killing it ({pid})", flush=True)
            _signal(pid, signal.SIGKILL)


def _ask_to_end(pid: int, pidfile: Path) -> None:
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while pidfile.exists() and time.monotonic() < deadline:
        time.sleep(0.1)  # it may be the child of another build, which nobody else can wait for


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def has_capability(number: int) -> bool:
    """Whether programs that this process starts can have a capability (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding.split()[1], 16) >> number & 1)


def main() -> None:
    """The command line of this module; its status is COMMAND's."""
    with reported_errors(), running() as host:
        environment = os.environ | {"DOCKER_HOST": host}
        command = sys.argv[1:]
        done = run(command[0], command, env=environment, shown=True, seconds=None, check=False)
    sys.exit(done.code)


if __name__ == "__main__":
    main()
