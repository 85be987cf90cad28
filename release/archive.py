"""Archives whose bytes depend only on the files in them and on the commit's time."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from release.version import source_date_epoch


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


def _write(stream: IO[bytes] | gzip.GzipFile, files: Mapping[str, bytes]) -> None:
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            is_script = content.startswith(b"#!")
            entry.size, entry.mode = len(content), 0o755 if is_script else 0o644
            entry.mtime = source_date_epoch()
            archive.addfile(entry, io.BytesIO(content))
