"""Where results of the build are kept between runs and shared by clones; what they are keyed by."""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache() -> Path:
    """The cache folder: TINKIE_CACHE, else tinkie in the user's cache folder. Made if missing."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("TINKIE_CACHE") or user / "tinkie")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Holds a lock file until the end of the with block; says so if another program has it."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build to end ({lock})", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(paths: Iterable[Path], *words: str) -> str:
    """Sixteen hexadecimal digits: words, and files by name, content and whether they can run."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                runs = bool(file.stat().st_mode & 0o100)  # all of a file's mode that git knows
                total.update(f"\0{file.relative_to(path.parent)}\0{runs}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()[:16]
