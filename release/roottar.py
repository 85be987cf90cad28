"""LinuxKit's tar of a whole root, made ready for a squashfs.

LinuxKit writes some paths more than once (an image's file, then the one of the yml's `files:`),
and the last one counts. Its entries carry the build's times and its own pax headers. The same
inputs must give the same bytes, so all of that goes.
"""

import fnmatch
import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Self

from release.errors import ReportedError

KERNEL = "boot/kernel"
NOT_IN_ROOT = (".", "boot", KERNEL, "boot/cmdline")


class RootTar:
    """The entries of a LinuxKit tar by path, each path once.

    Raises ReportedError if the file is no tar, and for a path that it does not hold.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path)  # noqa: SIM115 - closed by __exit__
        except tarfile.ReadError:
            raise ReportedError(f"{path} is no tar as `linuxkit build` writes it") from None
        self._entries = {_clean(entry.name): entry for entry in self._tar}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def read(self, path: str) -> bytes:
        """The bytes of a file; path as LinuxKit wrote it, links are not followed."""
        content = self._tar.extractfile(self._entries[path])
        if content is None:
            message = f"{path} in LinuxKit's tar is not a file"
            raise ReportedError(message)
        return content.read()

    def find(self, pattern: str) -> str:
        """The one path that fits a shell pattern, a kernel module's for example."""
        found = fnmatch.filter(self._entries, pattern)
        if len(found) != 1:
            message = f"LinuxKit's tar holds {len(found)} files that fit {pattern}, not one"
            raise ReportedError(message)
        return found[0]

    def digests(self) -> Iterator[tuple[str, str]]:
        """Path, and what `described` says, of everything that the root will hold."""
        for path, entry in self._root():
            target = self._entries[_clean(entry.linkname)] if entry.islnk() else entry
            yield path, described(self._tar, target)

    def write(self, out: IO[bytes], epoch: int) -> None:
        """Writes a plain tar: sorted, hard links after what they link to, all times epoch (s)."""
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for path, entry in sorted(self._root(), key=lambda item: (item[1].islnk(), item[0])):
                content = self._tar.extractfile(entry) if entry.isreg() else None
                tar.addfile(_normal(path, entry, epoch), content)

    def _root(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        return ((path, entry) for path, entry in self._entries.items() if path not in NOT_IN_ROOT)


def content_of(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    """An entry in a form that can be compared: a file's SHA-256, a link's target, else its type."""
    file = tar.extractfile(entry) if entry.isreg() else None
    if file is None:
        return f"-> {entry.linkname}" if entry.issym() else f"type {entry.type!r}"
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def described(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    """Content, owner and mode of an entry in a form that can be compared."""
    device = f" {entry.devmajor},{entry.devminor}" if entry.isdev() else ""
    mode = "" if entry.issym() else f" {entry.mode & 0o7777:04o}"  # a symbolic link has none
    return f"{content_of(tar, entry)}{device}{mode} {entry.uid}:{entry.gid}"


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
