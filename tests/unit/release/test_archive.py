"""An archive is a plain tar, the same for the same files."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIME = 1796020821
SCRIPT, LONG = b"#!/bin/sh\n", f"folder/{'x' * 120}"


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "source_date_epoch", lambda: TIME)


def by_tarfile(files: Mapping[str, bytes]) -> bytes:
    """Return what the tarfile module writes, of which releases up to now are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), TIME
            entry.mode = 0o755 if content == SCRIPT else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"b": b"x", "a": b"", "ä": SCRIPT, LONG: b"x" * 513},
        *({"a": b"x" * size} for size in (511, 512, 513, 8703, 8704, 8705, 10240)),
    ],
)
def test_an_archive_is_what_the_tarfile_module_writes(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    expected = by_tarfile(files)
    assert archive.tar_bytes(files) == expected
    path = tmp_path / "a.tar"
    archive.tar(path, files)
    assert path.read_bytes() == expected
    archive.tar_gz(path, files)
    assert gzip.decompress(path.read_bytes()) == expected


def test_another_python_writes_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    archive.tar_gz(path, {"a": b"x", "b": SCRIPT})
    packed = path.read_bytes()
    assert packed[:10] == b"\x1f\x8b\x08\x00" + TIME.to_bytes(4, "little") + b"\x04\xff"
    digest = hashlib.sha256(gzip.decompress(packed)).hexdigest()
    assert digest == "b489412005ae82e12858a80739e0bec770cf55755cfbadc6cc18edbec9c97ddb"
