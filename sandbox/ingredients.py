"""What a sandbox is made from."""

from dataclasses import dataclass
from pathlib import Path

from release import gotools
from release.errors import ReportedError
from release.progress import Progress

KERNEL = "vmlinuz-x86_64"
INITRAMFS = "initramfs-x86_64"
STEPS = 2  # of ingredients


@dataclass(frozen=True)
class Ingredients:
    """What a sandbox is made from: Go binaries, and the folder with the OS under test."""

    tinkerbell: Path
    agent: Path
    artifacts: Path

    @property
    def kernel(self) -> Path:
        """The kernel that machines are given."""
        return self.artifacts / KERNEL

    @property
    def initramfs(self) -> Path:
        """The initramfs that machines are given."""
        return self.artifacts / INITRAMFS


def ingredients(artifacts: Path, progress: Progress | None = None) -> Ingredients:
    """Return what a sandbox around these artifacts needs; builds the Go programs if need be."""
    check_artifacts(artifacts)
    progress = progress or Progress()
    tinkerbell, agent = (gotools.build(name, progress) for name in ("tinkerbell", "agent"))
    return Ingredients(tinkerbell, agent, artifacts)


def check_artifacts(folder: Path) -> None:
    """Raise ReportedError unless the folder has a kernel and an initramfs."""
    for name in (KERNEL, INITRAMFS):
        if not (folder / name).is_file():
            raise ReportedError(f"{folder} has no {name}: machines need {KERNEL} and {INITRAMFS}")
