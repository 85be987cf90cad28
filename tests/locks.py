"""Lock files of flock(2), as release.cache.locked holds them."""

import fcntl
from pathlib import Path


def is_held(path: Path) -> bool:
    """Return whether a lock file is held, by this program too; it is created if it is missing."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
