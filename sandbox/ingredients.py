"""The programs and the OS from which a sandbox is started."""

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
    """Go binaries, and the folder with the OS under test."""

    tinkerbell: Path
    agent: Path
    artifacts: Path

    @property
    def kernel(self) -> Path:
        """The kernel of the OS under test."""
        return self.artifacts / KERNEL

    @property
    def initramfs(self) -> Path:
        """The initramfs of the OS under test."""
        return self.artifacts / INITRAMFS


def ingredients(artifacts: Path, progress: Progress | None = None) -> Ingredients:
    """Return the ingredients for these artifacts; build the Go programs if needed."""
    check_artifacts(artifacts)
    progress = progress or Progress()
    tinkerbell, agent = (gotools.build(name, progress) for name in ("tinkerbell", "agent"))
    return Ingredients(tinkerbell, agent, artifacts)


def check_artifacts(folder: Path) -> None:
    """Raise ReportedError unless the folder has a kernel and an initramfs."""
    for name in (KERNEL, INITRAMFS):
        if not (folder / name).is_file():
            raise ReportedError(f"{folder} has no {name}: machines need {KERNEL} and {INITRAMFS}")
