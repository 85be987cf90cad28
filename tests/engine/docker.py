"""A Docker engine, used through Docker's own client."""

import json
import signal
from dataclasses import dataclass
from typing import Any

from release.process import run


@dataclass(frozen=True)
class Docker:
    """One engine; host as in DOCKER_HOST."""

    host: str

    def __call__(self, *words: str, seconds: float = 60) -> str:
        """Run the client and return what it printed; ReportedError if it fails."""
        command = ["docker", "--host", self.host, *words]
        return run(f"docker {words[0]}", command, seconds=seconds).text

    def inspect(self, container: str) -> Any:
        """Return what `docker inspect` prints of a container."""
        return json.loads(self("inspect", "--type", "container", container))[0]

    def pid(self, container: str) -> int:
        """Return the PID of a container's first process on the host."""
        return int(self.inspect(container)["State"]["Pid"])

    def processes(self, container: str, program: str) -> list[int]:
        """Return the host's PIDs of a container's processes that run a program."""
        rows = self("top", container, "-o", "pid,comm").splitlines()[1:]
        return [int(row.split()[0]) for row in rows if row.split()[1:] == [program]]  # no <defunct>

    def kill(self, container: str) -> None:
        """Kill a container and wait for its end."""
        self("kill", "--signal", signal.SIGKILL.name, container)
        self("wait", container)

    def remove(self, container: str) -> None:
        """Kill and remove a container with its volumes."""
        self("rm", "--force", "--volumes", container)

    def logs(self, container: str) -> str:
        """Return what a container wrote to stdout."""
        return self("logs", container)
