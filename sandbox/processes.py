"""Programs that the sandbox starts: each with a log file, none outlives its owner."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.network import Network

STOP_SECONDS = 10.0
LAST_LINES = 12
# The kernel ends the program when the process that started it is gone, however it went.
TIED_TO_OWNER = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass(frozen=True)
class Program:
    """A running program and the file that holds all it said."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raise SandboxError with its last lines if the program has ended."""
        code = self.process.poll()
        if code is not None:
            told = f"{self.name} ended by itself with code {code}; its last lines ({self.log}):"
            raise SandboxError("\n    ".join([told, *self.last_lines()]))

    def last_lines(self) -> list[str]:
        """Return the end of what it said, for a person."""
        return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]

    def stop(self) -> None:
        """End it in order, by force if it does not; calling twice does no harm."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    network: Network,
    env: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a program inside a network until the end of the with block.

    It gets a session of its own: ctrl-C reaches only the owner, which stops it in order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, network.inside():
        process = subprocess.Popen(
            [*TIED_TO_OWNER, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    program = Program(name, log, process)
    try:
        yield program
    finally:
        program.stop()
