"""Archives whose bytes depend on nothing but the files in them and the commit's time."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from release.version import source_date_epoch


def tar_gz(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, by their names inside, to path; path is whole or as it was."""
    partial = path.with_suffix(".partial")
    with (
        partial.open("wb") as raw,
        # What is inside is compressed already; the level costs time and gains nothing.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=source_date_epoch()) as packed,
    ):
        _write(packed, files)
    partial.rename(path)


def tar(path: Path, files: Mapping[str, bytes]) -> None:
    """The same without compression."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as raw:
        _write(raw, files)
    partial.rename(path)


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """The same in memory."""
    buffer = io.BytesIO()
    _write(buffer, files)
    return buffer.getvalue()


def _write(stream: IO[bytes] | gzip.GzipFile, files: Mapping[str, bytes]) -> None:
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            runs = content.startswith(b"#!")
            entry.size, entry.mode = len(content), 0o755 if runs else 0o644
            entry.mtime = source_date_epoch()
            archive.addfile(entry, io.BytesIO(content))
