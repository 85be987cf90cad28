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
USER = "postgres"  # it refuses to run as root
INITDB = ("--auth=trust", "--no-sync", "--pgdata")
# Nothing of it is to be found anywhere but in its folder, also if it is killed.
MEMORY = ("-c", "shared_memory_type=mmap", "-c", "dynamic_shared_memory_type=mmap")
SERVER = (*MEMORY, "-F", "-h", "", "-k")
# To change the user undoes that a program ends with its owner, so that is asked for again.
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig=KILL")


@contextmanager
def postgres(folder: Path, network: Network) -> Iterator[dict[str, str]]:
    """Run it until the end of the with block; gives the variables by which clients find it.

    folder: gets its log. What is in the database is lost at the end.
    Raises ReportedError, with its last lines, if it does not serve in time.
    """
    programs = _programs()
    # Not in the given folder: a test's is closed to everybody but root.
    with tempfile.TemporaryDirectory(prefix="tinkie-postgres-") as place:
        shutil.chown(place, USER, USER)
        data = Path(place) / "data"
        run("making a database", _as_user(programs / "initdb", *INITDB, data))
        command = _as_user(programs / "postgres", *SERVER, place, "-D", data)
        log = folder / "postgres.log"
        with running("PostgreSQL", command, log=log, network=network) as program:
            look = _as_user(programs / "pg_isready", "--quiet", "--host", place)
            wait_for("PostgreSQL", lambda: _serves(program, look), seconds=READY_SECONDS)
            yield {"PGHOST": place, "PGUSER": USER, "PGDATABASE": USER}


def _as_user(program: Path, *words: str | Path) -> list[str | Path]:
    return [*AS_USER, program, *words]


def _programs() -> Path:
    """Return the folder of the newest release that is installed."""
    found = sorted(RELEASES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise ReportedError(f"{RELEASES} has no PostgreSQL: run `make setup-tests` as root")
    return found[-1].parent


def _serves(program: Program, look: list[str | Path]) -> bool:
    program.check()
    try:
        run("asking PostgreSQL", look)
    except ReportedError:  # its socket is there before it takes questions
        return False
    return True
