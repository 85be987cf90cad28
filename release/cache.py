"""The cache of build results, which all clones share, and the digests that are its keys."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache() -> Path:
    """Return the cache folder, which is created: TINKIE_CACHE, else the user's cache/tinkie."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("TINKIE_CACHE") or user / "tinkie")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock file until the end of the with block; print a line if that means waiting."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build to end ({lock})", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(paths: Iterable[Path], *words: str) -> str:
    """Return 16 hexadecimal digits for words, and for files: name, content, executable bit."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and _is_input(file):
                is_executable = bool(file.stat().st_mode & 0o100)  # the only mode bit in git
                name = file.relative_to(path.parent)
                total.update(f"\0{name}\0{is_executable}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()[:16]


def _is_input(file: Path) -> bool:
    """Leave out what no image gets: bytecode, and the tests beside an image's scripts."""
    return "__pycache__" not in file.parts and not file.match("test_*.py")


def keep(partial: Path, folder: Path) -> None:
    """Rename a result to its place in the cache, unless another build has put the same there."""
    try:
        partial.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def copy_to(folder: Path, source: Path) -> None:
    """Make folder a copy of source; one that has the same content is not touched."""
    if folder.exists() and _contents(folder) == _contents(source):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)


def _contents(folder: Path) -> str:
    return digest(sorted(folder.iterdir()))
