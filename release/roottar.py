"""LinuxKit's tar of a whole root, prepared for a squashfs.

LinuxKit writes some paths more than once (an image's file, then that of `files:`); the last one
counts. Its entries carry the time of the build and LinuxKit's pax headers. These are dropped,
since the same inputs must give the same bytes.
"""

import fnmatch
import hashlib
import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import IO, Self

from release.errors import ReportedError

KERNEL = "boot/kernel"
ELF_HEAD_BYTES = 20  # up to the end of e_machine (elf(5))
NOT_IN_ROOT = (".", "boot", KERNEL, "boot/cmdline")

Opener = Callable[[tarfile.TarInfo], IO[bytes] | None]


class RootTar:
    """The entries of a LinuxKit tar by path, each path once.

    Raises ReportedError if the file is no tar, and for a path that is not in it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path)  # noqa: SIM115 - closed by __exit__
        except tarfile.ReadError:
            raise ReportedError(
                f"{path} is no tar: give a file that `linuxkit build --format tar` wrote"
            ) from None
        self._entries = {_clean(entry.name): entry for entry in self._tar}
        self._contents: dict[str, bytes] = {}  # of what put() added
        self._described: dict[str, str] = {}  # by path: each file is hashed once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    @property
    def paths(self) -> list[str]:
        """Every path."""
        return list(self._entries)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; symbolic links are not followed."""
        entry = self._entries.get(path)
        if entry is None:
            message = f"LinuxKit's tar has no {path}"
            raise ReportedError(message)
        content = self._open(entry) if entry.isreg() or entry.islnk() else None
        if content is None:
            message = f"{path} in LinuxKit's tar is not a file"
            raise ReportedError(message)
        return content.read()

    def put(self, path: str, content: bytes) -> None:
        """Add or replace a file: root's, with mode 0644."""
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        self._entries[path], self._contents[path] = entry, content
        self._described.pop(path, None)

    def remove(self, path: str) -> None:
        """Remove a path and all below it."""
        for name in self.paths:
            if name == path or name.startswith(f"{path}/"):
                del self._entries[name]
                self._contents.pop(name, None)
                self._described.pop(name, None)

    def _open(self, entry: tarfile.TarInfo) -> IO[bytes] | None:
        content = self._contents.get(_clean(entry.name))
        return self._tar.extractfile(entry) if content is None else io.BytesIO(content)

    def _describe(self, entry: tarfile.TarInfo) -> str:
        path = _clean(entry.name)
        if path not in self._described:
            self._described[path] = describe(self._open, entry)
        return self._described[path]

    def find(self, pattern: str) -> str:
        """Return the one path that matches a shell pattern, for example of a kernel module."""
        found = fnmatch.filter(self._entries, pattern)
        if len(found) != 1:
            message = f"LinuxKit's tar has {len(found)} files that match {pattern}, not one"
            raise ReportedError(message)
        return found[0]

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield path and description of each entry of the root."""
        for path, entry in self._root():
            target = self._entries[_clean(entry.linkname)] if entry.islnk() else entry
            yield path, self._describe(target)

    def programs(self) -> Iterator[tuple[str, int]]:
        """Yield path and e_machine of each ELF file of the root: programs, libraries, modules."""
        for path, entry in self._root():
            file = self._open(entry) if entry.isreg() else None
            head = file.read(ELF_HEAD_BYTES) if file else b""
            if head.startswith(b"\x7fELF"):
                yield path, int.from_bytes(head[18:20], "little")

    def write(self, out: IO[bytes], epoch: int) -> None:
        """Write a plain tar: sorted, hard links after their targets, all times epoch (s).

        Files that are the same become links to the first of them: several images have Python, and
        memory then holds what is used of it once.
        """
        same = self._same_files()
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for path, entry in sorted(self._root(), key=lambda item: (item[1].islnk(), item[0])):
                normal = _normal(path, entry, epoch)
                if path in same:
                    normal.type, normal.linkname, normal.size = tarfile.LNKTYPE, same[path], 0
                content = self._open(entry) if normal.isreg() else None
                tar.addfile(normal, content)

    def _same_files(self) -> dict[str, str]:
        """Return, by path, the first path of the same content, owner and mode."""
        files = [
            (path, entry)
            for path, entry in sorted(self._root(), key=itemgetter(0))
            if entry.isreg() and entry.size
        ]
        counts = Counter(entry.size for _, entry in files)
        first: dict[str, str] = {}
        found = {}
        for path, entry in files:
            if counts[entry.size] > 1:
                original = first.setdefault(self._describe(entry), path)
                if original != path:
                    found[path] = original
        return found

    def _root(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        return ((path, entry) for path, entry in self._entries.items() if path not in NOT_IN_ROOT)


def content_of(opener: Opener, entry: tarfile.TarInfo) -> str:
    """Return a file's SHA-256, a link's target, or another entry's type, for comparison."""
    file = opener(entry) if entry.isreg() else None
    if file is None:
        return f"-> {entry.linkname}" if entry.issym() else f"type {entry.type!r}"
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def describe(opener: Opener, entry: tarfile.TarInfo) -> str:
    """Return content, owner and mode of an entry, for comparison."""
    device = f" {entry.devmajor},{entry.devminor}" if entry.isdev() else ""
    mode = "" if entry.issym() else f" {entry.mode & 0o7777:04o}"  # a symbolic link has none
    return f"{content_of(opener, entry)}{device}{mode} {entry.uid}:{entry.gid}"


def _clean(name: str) -> str:
    return str(PurePosixPath(name))


def _normal(path: str, entry: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    normal = tarfile.TarInfo(path)
    for field in ("size", "mode", "type", "linkname", "uid", "gid", "devmajor", "devminor"):
        setattr(normal, field, getattr(entry, field))
    if not entry.isreg():
        normal.size = 0
    if entry.islnk():
        normal.linkname = _clean(entry.linkname)
    normal.mtime = epoch
    return normal
