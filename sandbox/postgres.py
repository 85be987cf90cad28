"""Debian's PostgreSQL with an empty database, on a socket in a folder and no port."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release.errors import ReportedError
from release.process import run
from sandbox.network import Network
from sandbox.processes import Program, running
from sandbox.waiting import wait_for

READY_SECONDS = 30.0
RELEASES = Path("/usr/lib/postgresql")
USER = "postgres"  # PostgreSQL refuses to run as root
INITDB = ("--auth=trust", "--no-sync", "--pgdata")
# Keep shared memory in its folder, so that nothing else is left if it is killed.
MEMORY = ("-c", "shared_memory_type=mmap", "-c", "dynamic_shared_memory_type=mmap")
SERVER = (*MEMORY, "-F", "-h", "", "-k")
# Changing the user clears the parent-death signal, so it is set again.
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig=KILL")


@contextmanager
def postgres(folder: Path, network: Network) -> Iterator[dict[str, str]]:
    """Run it until the end of the with block; yield the environment for its clients.

    folder: for its log. The database is deleted at the end.
    Raises ReportedError, with its last lines, if it does not serve in time.
    """
    programs = _programs()
    # Not in the given folder: only root can enter that of a test.
    with tempfile.TemporaryDirectory(prefix="tinkie-postgres-") as home:
        shutil.chown(home, USER, USER)
        data = Path(home) / "data"
        run("creating a database", _as_user(programs / "initdb", *INITDB, data))
        command = _as_user(programs / "postgres", *SERVER, home, "-D", data)
        log = folder / "postgres.log"
        with running("PostgreSQL", command, log=log, network=network) as program:
            probe = _as_user(programs / "pg_isready", "--quiet", "--host", home)
            wait_for("PostgreSQL", lambda: _serves(program, probe), seconds=READY_SECONDS)
            yield {"PGHOST": home, "PGUSER": USER, "PGDATABASE": USER}


def _as_user(program: Path, *words: str | Path) -> list[str | Path]:
    return [*AS_USER, program, *words]


def _programs() -> Path:
    """Return the folder of the newest release that is installed."""
    found = sorted(RELEASES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise ReportedError(f"{RELEASES} has no PostgreSQL: run `make setup-tests` as root")
    return found[-1].parent


def _serves(program: Program, probe: list[str | Path]) -> bool:
    program.check()
    try:
        run("probing PostgreSQL", probe)
    except ReportedError:  # it creates its socket before it accepts queries
        return False
    return True
