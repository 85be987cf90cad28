"""One machine of the herd: the real bootkit in a process of its own, and its log."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.network import Network
from sandbox.processes import Program, running

BOOTKIT = Path(sys.executable).with_name("bootkit")


@dataclass(frozen=True)
class PoweredOff:
    """A machine that is off: its name, its folder, its kernel parameters and the CA it trusts."""

    name: str
    folder: Path
    words: Mapping[str, str]
    ca: Path

    @property
    def socket(self) -> Path:
        """The socket of its engine."""
        return self.folder / "docker.sock"

    def power_on(self, network: Network) -> AbstractContextManager[Program]:
        """Run its bootkit for a with block."""
        line = " ".join(f"{name}={value}" for name, value in self.words.items())
        cmdline = self.folder / "cmdline"
        cmdline.write_text(f"{line}\n")
        options = {"cmdline": cmdline, "state": self.folder / "state", "engine": self.socket}
        words = [f"--{name}={path}" for name, path in options.items()]
        log = self.folder / "bootkit.log"
        command: list[str | Path] = [BOOTKIT, *words]
        # There is no tink-docker that puts the registry's CA certificate into its place.
        env = {**os.environ, "SSL_CERT_FILE": str(self.ca)}
        name = f"bootkit of {self.name}"
        return running(name, command, log=log, network=network, env=env)


@dataclass
class Machine:
    """A machine that is on, as far as its bootkit logged."""

    program: Program
    failed: bool = False
    worker_started: float = 0.0  # uptime
    last_error: str = "none"
    _read: int = 0

    @property
    def recovered(self) -> bool:
        """Return whether its worker runs."""
        return self.worker_started > 0

    def read_log(self) -> None:
        """Read what bootkit logged since the last time."""
        with self.program.log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if line.endswith(b"\n"):
                    self._read += len(line)
                    self._take(json.loads(line))

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "run.failed":
            self.failed, self.last_error = True, event["error"]
        elif event["event"] == "worker.started":
            self.worker_started = event["uptime"]

    def hold(self) -> None:
        """Stop its process (SIGSTOP)."""
        self.program.process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Let its process go on; a wait that has passed meanwhile is over."""
        self.program.process.send_signal(signal.SIGCONT)

    def memory(self) -> int:
        """Return its bytes of memory, its share of what it shares with others."""
        rollup = Path(f"/proc/{self.program.process.pid}/smaps_rollup").read_text()
        (line,) = (line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024
