"""The HTTP server from which machines download kernel, initramfs and everything else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import webserver
from sandbox.http_client import answers
from sandbox.network import Network
from sandbox.processes import Program, running
from sandbox.waiting import wait_for

READY_SECONDS = 10.0
PORT = 8080


@dataclass(frozen=True)
class Files:
    """A running file server: it serves root, and writes posted bodies to uploads."""

    url: str
    root: Path
    uploads: Path
    program: Program

    def publish(self, path: Path, name: str = "") -> str:
        """Serve a file that is not in root; return its URL."""
        name = name or path.name
        link = self.root / name
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
        return f"{self.url}/{name}"


@contextmanager
def files(folder: Path, network: Network, port: int = PORT) -> Iterator[Files]:
    """Run a file server until the end of the with block."""
    root, uploads = folder / "root", folder / "uploads"
    root.mkdir(parents=True, exist_ok=True)
    uploads.mkdir(exist_ok=True)
    script = str(webserver.__file__)
    command: list[str | Path] = [sys.executable, script, network.address, str(port), root, uploads]
    with running("file server", command, log=folder / "files.log", network=network) as program:
        found = Files(f"http://{network.address}:{port}", root, uploads, program)
        wait_for("the file server", lambda: _answers(found, network), seconds=READY_SECONDS)
        yield found


def _answers(found: Files, network: Network) -> bool:
    found.program.check()
    return answers(network, found.url, method="HEAD")
