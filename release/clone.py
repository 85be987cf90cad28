"""Build as on a machine that has never built Tinkie: a fresh clone, empty caches, another path.

`python -m release.clone` builds two releases like that and compares the bytes (`make reproduce`).
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release import arch, assemble
from release.errors import reported_errors
from release.process import run
from release.version import PROJECT


@dataclass(frozen=True)
class Clone:
    """A clone, and an environment without cache and without engine."""

    folder: Path
    environment: dict[str, str]

    def make(self, *targets: str) -> float:
        """Run make and return the seconds that it took; ReportedError if it fails."""
        started = time.monotonic()
        command = ["make", "--no-print-directory", *targets]
        what = f"make {' '.join(targets)}"
        run(what, command, cwd=self.folder, env=self.environment, shown=True, seconds=None)
        return time.monotonic() - started

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of kernel and initramfs by file name."""
        target = arch.wanted()
        paths = [
            self.folder / path.relative_to(PROJECT)
            for path in (assemble.kernel(target), assemble.initramfs(target))
        ]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@contextmanager
def fresh() -> Iterator[Clone]:
    """Clone the checked-out commit; delete it and its caches after the with block."""
    with tempfile.TemporaryDirectory(prefix="tinkie-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        project = folder / f"clone-{os.getpid()}-{time.monotonic_ns()}"
        run("cloning the project", ["git", "clone", "--quiet", PROJECT, project], seconds=None)
        own = {
            "TINKIE_CACHE": str(folder / "cache"),
            "GOCACHE": str(folder / "gocache"),
            "GOMODCACHE": str(folder / "gomodcache"),
            "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
            # No engine listens there, so the build starts one of its own, without any image.
            "DOCKER_HOST": f"unix://{folder}/none.sock",
        }
        clone = Clone(project, os.environ | own)
        clone.make("setup")
        yield clone


def main() -> None:
    """Run this module's command line; its status is 1 if the bytes differ."""
    digests = []
    with reported_errors():
        for _ in range(2):
            with fresh() as clone:
                print(f"make dist took {clone.make('dist'):.0f} s", flush=True)
                digests.append(clone.digests())
    for name, digest in digests[0].items():
        print(f"{digest}  {name}" if digests[1][name] == digest else f"{name} differs")
    sys.exit(digests[0] != digests[1])


if __name__ == "__main__":
    main()
