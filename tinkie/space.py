"""The space for images and containers: tink-docker measures it, bootkit reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, Self

from tinkie.files import write_atomically
from tinkie.paths import TINK_DOCKER_FOLDER
from tinkie.state_files import read_state

if TYPE_CHECKING:
    from pathlib import Path

PATH = TINK_DOCKER_FOLDER / "space.json"


class Space(NamedTuple):
    """Free and total bytes of the file system that holds images and containers."""

    free: int
    size: int

    def __str__(self) -> str:
        """Return both numbers for people."""
        return f"{megabytes(self.free)} of {megabytes(self.size)}"

    def write(self, path: Path) -> None:
        """Write the state file that `read` reads.

        Raises:
            OSError: the file cannot be written.
        """
        write_atomically(path, f"{json.dumps(self._asdict())}\n".encode())

    @classmethod
    def read(cls, path: Path = PATH) -> Self | None:
        """Return what was written last; None if the file is missing or invalid."""
        content = read_state(path, {"free": int, "size": int})
        return cls(**content) if content else None


def megabytes(count: int) -> str:
    """Return a number of bytes in the form that Docker uses."""
    return f"{count / 1e6:.1f} MB"
