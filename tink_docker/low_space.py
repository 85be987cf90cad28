"""When space is low, and the log lines about it. What fills a file system logs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tink_docker import policy
from tinkie.error_kinds import ErrorKind
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = get_logger()

_HINT = "delete what largest= names, write less, or use a machine with more memory"


def low_bytes(size: int) -> int:
    """Return how little free space is low on a file system of this size."""
    return min(size // policy.SPACE_LOW_SHARE, policy.SPACE_LOW_BYTES)


@dataclass(slots=True, eq=False, repr=False)
class LowMark:
    """Whether something is low; `lowest` is how little was left, the last time that it was."""

    is_low: bool = False
    lowest: int = 0

    def update(self, free: int, low: int) -> Literal["", "low", "recovered"]:
        """Return what has changed."""
        if not self.is_low and free < low:
            self.is_low, self.lowest = True, free
            return "low"
        if self.is_low and free >= policy.SPACE_RECOVERED_FACTOR * low:
            self.is_low = False
            return "recovered"
        self.lowest = min(self.lowest, free)
        return ""


def log_low(path: Path | str, error: str, largest: Callable[[], str], what_next: str) -> None:
    """Log that space is low on a file system, with what `largest` finds there."""
    try:
        found = largest()
    except OSError as failure:
        found = f"unknown: {failure.strerror}"
    kind = str(ErrorKind.OUT_OF_SPACE)
    log.warning(
        "space.low",
        path=str(path),
        error=error,
        largest=found,
        kind=kind,
        hint=_HINT,
        next=what_next,
    )


def log_recovered(path: Path | str, free: str, lowest: str) -> None:
    """Log that there is enough again, and how little was left."""
    log.info("space.recovered", path=str(path), free=free, lowest=lowest)
