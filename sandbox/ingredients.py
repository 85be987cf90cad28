"""The programs and the OS from which a sandbox is started."""

from dataclasses import dataclass
from pathlib import Path

from release import arch, gotools
from release.arch import Architecture
from release.errors import ReportedError
from release.progress import Progress

STEPS = 2  # of ingredients


@dataclass(frozen=True)
class Ingredients:
    """Go binaries, and the folder with the OS under test, which is for an architecture."""

    tinkerbell: Path
    agent: Path
    artifacts: Path
    target: Architecture

    @property
    def kernel(self) -> Path:
        """The kernel of the OS under test."""
        return self.artifacts / self.target.kernel

    @property
    def initramfs(self) -> Path:
        """The initramfs of the OS under test."""
        return self.artifacts / self.target.initramfs


def ingredients(
    artifacts: Path, progress: Progress | None = None, target: Architecture | None = None
) -> Ingredients:
    """Return the ingredients for these artifacts; build the Go programs if needed.

    target: arch.wanted() if it is not given.
    """
    progress, target = progress or Progress(), target or arch.wanted()
    check_artifacts(artifacts, target)
    tinkerbell = gotools.build("tinkerbell", progress)
    agent = gotools.build("agent", progress, target=target)
    return Ingredients(tinkerbell, agent, artifacts, target)


def check_artifacts(folder: Path, target: Architecture) -> None:
    """Raise ReportedError unless the folder has a kernel and an initramfs."""
    names = (target.kernel, target.initramfs)
    for name in names:
        if not (folder / name).is_file():
            raise ReportedError(f"{folder} has no {name}: machines need {' and '.join(names)}")
