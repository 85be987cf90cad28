"""Debian's PostgreSQL with an empty database, on a socket in a folder and no port."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.commands import run
from sandbox.errors import SandboxError
from sandbox.network import Network
from sandbox.processes import Program, running
from sandbox.waiting import wait_for

READY_SECONDS = 30.0
RELEASES = Path("/usr/lib/postgresql")
USER = "postgres"  # it refuses to run as root
# To change the user undoes that a program ends with its owner, so that is asked for again.
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--pdeathsig=KILL")


@contextmanager
def postgres(folder: Path, network: Network) -> Iterator[dict[str, str]]:
    """Run it until the end of the with block; gives the variables by which clients find it.

    folder: gets its log. What is in the database is lost at the end.
    Raises SandboxError, with its last lines, if it does not serve in time.
    """
    programs = _programs()
    # Not in the given folder: a test's is closed to everybody but root.
    with tempfile.TemporaryDirectory(prefix="tinkie-postgres-") as place:
        shutil.chown(place, USER, USER)
        data = Path(place) / "data"
        initdb: list[str | Path] = [
            *AS_USER,
            programs / "initdb",
            "--auth=trust",
            "--no-sync",
            "-D",
            data,
        ]
        run("making a database", initdb)
        serve: list[str | Path] = [
            *AS_USER,
            programs / "postgres",
            "-F",
            "-h",
            "",
            "-k",
            place,
            "-D",
            data,
        ]
        with running("PostgreSQL", serve, log=folder / "postgres.log", network=network) as program:
            socket = Path(place) / ".s.PGSQL.5432"
            wait_for("PostgreSQL", lambda: _serves(program, socket), seconds=READY_SECONDS)
            yield {"PGHOST": place, "PGUSER": USER, "PGDATABASE": USER}


def _programs() -> Path:
    """Return the folder of the newest release that is installed."""
    found = sorted(RELEASES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise SandboxError(f"{RELEASES} has no PostgreSQL: run `make setup` as root")
    return found[-1].parent


def _serves(program: Program, socket: Path) -> bool:
    program.check()
    return socket.exists()
