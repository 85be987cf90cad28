"""Programs that the sandbox starts: each has a log file, and none outlives its owner."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from release.errors import ReportedError
from release.process import Process, start, stop
from sandbox.network import Network

STOP_SECONDS = 10.0
LAST_LINES = 12


@dataclass
class Program:
    """A program that runs inside a network, and the file that holds its output."""

    name: str
    command: Sequence[str | Path]
    log: Path
    network: Network
    env: Mapping[str, str] | None = None
    process: Process = field(init=False)

    def start(self) -> None:
        """Start it, again if it has ended; its output is appended to the log."""
        with self.log.open("ab") as output, self.network.inside():
            self.process = start(self.command, output, env=self.env)

    def check(self) -> None:
        """Raise ReportedError with its last lines if the program has ended."""
        code = self.process.poll()
        if code is not None:
            message = f"{self.name} ended with code {code}; its last lines ({self.log}):"
            raise ReportedError("\n    ".join([message, *self.last_lines()]))

    def last_lines(self) -> list[str]:
        """Return the end of its log."""
        return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]

    def stop(self) -> None:
        """Stop it, by force if needed; calling it twice does no harm."""
        stop(self.process, STOP_SECONDS)


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    network: Network,
    env: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a program until the end of the with block, with a new log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    program = Program(name, command, log, network, env)
    program.start()
    try:
        yield program
    finally:
        program.stop()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and all its threads have used, user and system."""
    return ticks_of(Path(f"/proc/{pid}/stat").read_text()) / os.sysconf("SC_CLK_TCK")


def ticks_of(stat: str) -> int:
    """Return the user and system time in a /proc/PID/stat; no I/O."""
    fields = stat.rpartition(")")[2].split()  # a program's name may contain spaces and brackets
    return sum(map(int, fields[11:13]))


def host_cpu_seconds() -> float:
    """Return the CPU time that all programs of this host have used."""
    return host_ticks_of(Path("/proc/stat").read_text()) / os.sysconf("SC_CLK_TCK")


def host_ticks_of(stat: str) -> int:
    """Return the time during which CPUs were not idle, from a /proc/stat; no I/O."""
    fields = stat.splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, interrupts, soft, *_ = map(int, fields)
    return user + nice + system + interrupts + soft
