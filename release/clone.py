"""Build as on a machine that has never built Tinkie: a fresh clone, empty caches, another path.

`python -m release.clone` builds two releases like that and compares the bytes (`make reproduce`).
`--manifest FILE` builds one, and compares it with the release that the manifest is of.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release import arch, assemble, differences, published, uki
from release.differences import Manifest
from release.errors import ReportedError, reported_errors
from release.filenames import Names
from release.process import run
from release.version import PROJECT, commit, version

OPENED = "kernel and initramfs are those of the manifest"
ABSENT = "no such file beside the manifest; it is not compared"


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
        """Return the SHA-256 of kernel, initramfs and, with UKI=key, their signed image by name."""
        target = arch.wanted()
        built = [assemble.kernel(target), assemble.initramfs(target)]
        signed = [PROJECT / Names(target).uki] if uki.wanted() else []
        paths = [self.folder / path.relative_to(PROJECT) for path in (*built, *signed)]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def manifest(self) -> Manifest:
        """Return the manifest of the release that `make dist` wrote."""
        return published.read(self.folder / Names(arch.wanted()).manifest)


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


def build() -> Manifest:
    """Build a release from nothing; return its manifest. Raises ReportedError."""
    with fresh() as clone:
        # A signature is not compared: who builds it again may have another key.
        print(f"make dist took {clone.make('dist', 'SIGN='):.0f} s", flush=True)
        return clone.manifest()


def compare(one: Manifest, other: Manifest) -> bool:
    """Print which files are the same, and else what moved; return whether all are the same."""
    differing = differences.results(one, other)
    for name, file in one["files"].items():
        print(f"{name} differs" if name in differing else f"{file['sha512']}  {name}")
    if not differing:
        return True
    moved = differences.inputs(one, other)
    for line in moved or ["no input moved: a step of the build makes other bytes each time"]:
        print(f"  {line}")
    return False


def wanted(path: Path) -> Manifest:
    """Return the manifest of a release that somebody else built.

    Raises ReportedError if this clone would not build that one, or if an archive beside the
    manifest holds something else.
    """
    try:
        found = published.read(path)
    except OSError as error:
        raise ReportedError(f"reading the manifest {path} failed: {error}") from None
    own = {"commit": commit(), "version": version(), "arch": arch.wanted().name}
    remedies = {
        "commit": f"git checkout {found.get('commit')}",
        "version": f"VERSION={found.get('version')}",
        "arch": f"ARCH={found.get('arch')}",
    }
    wrong = [name for name in own if found.get(name) != own[name]]
    if wrong:
        message = f"{path} is of another {' and '.join(wrong)} than this would build"
        raise ReportedError(f"{message}: {', '.join(remedies[name] for name in wrong)}")
    archives = published.check_archives(path.parent, found, arch.wanted())
    for name, is_present in archives.items():
        print(f"{name}: {OPENED if is_present else ABSENT}", flush=True)
    return found


def main() -> None:
    """Run this module's command line; its status is 1 if the bytes differ."""
    parser = argparse.ArgumentParser(prog="release.clone", description=__doc__)
    parser.add_argument("--manifest", default="", help="of a release to compare with")
    name = parser.parse_args().manifest
    with reported_errors():
        first = wanted(Path(name)) if name else build()
        is_same = compare(first, build())
    sys.exit(not is_same)


if __name__ == "__main__":
    main()
