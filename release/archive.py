"""Archives whose bytes depend only on the files in them and on the commit's time."""

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Self

from release.version import source_date_epoch


class Entry(NamedTuple):
    """What the header of a file in an archive depends on, besides its name and the time."""

    size: int
    is_script: bool = False

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Return that of a file with this content."""
        return cls(len(content), content.startswith(b"#!"))


def tar_gz(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their names inside, to path; a failure leaves path as it was."""
    partial = path.with_suffix(".partial")
    with (
        partial.open("wb") as raw,
        # The files are compressed already: a higher level costs time and saves nothing.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=source_date_epoch()) as packed,
    ):
        _write(packed, files)
    partial.rename(path)


def tar(path: Path, files: Mapping[str, bytes]) -> None:
    """Write them without compression."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as raw:
        _write(raw, files)
    partial.rename(path)


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return them as a tar without compression."""
    buffer = io.BytesIO()
    _write(buffer, files)
    return buffer.getvalue()


def layout(entries: Mapping[str, Entry], time: int) -> Iterator[tuple[bytes, str]]:
    """Yield all bytes of a tar but the files' content, in their order.

    Each are those before the content of the file that is named with them. The last are those at the
    end, with "".
    """
    total, padding = 0, b""
    for name, entry in sorted(entries.items()):
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = entry.size, 0o755 if entry.is_script else 0o644, time
        before = padding + info.tobuf(tarfile.GNU_FORMAT)
        yield before, name
        total += len(before) + entry.size
        padding = bytes(-total % tarfile.BLOCKSIZE)
    end = padding + bytes(2 * tarfile.BLOCKSIZE)
    yield end + bytes(-(total + len(end)) % tarfile.RECORDSIZE), ""


def _write(stream: IO[bytes] | gzip.GzipFile, files: Mapping[str, bytes]) -> None:
    entries = {name: Entry.of(content) for name, content in files.items()}
    for before, name in layout(entries, source_date_epoch()):
        stream.write(before)
        stream.write(files.get(name, b""))
