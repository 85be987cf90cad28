from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.heaviest import heaviest
from tink_docker.mounts import Mount

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def write(path: Path, kilobytes: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1000 * kilobytes)


def test_one_large_file_is_found_at_any_depth(tmp_path: Path) -> None:
    write(tmp_path / "a/b/c/big", 500)
    write(tmp_path / "a/b/small", 20)
    write(tmp_path / "d", 100)
    found = heaviest(tmp_path, by_files=False)
    assert found.path == "a/b/c/big"
    assert 0.5e6 <= found.weight.size < 0.6e6
    assert str(found.weight) == f"{found.weight.size / 1e6:.1f} MB"
    assert found.total.size >= 620_000
    assert found.total.files == 6


def test_of_many_files_their_folder_is_found(tmp_path: Path) -> None:
    for number in range(10):
        write(tmp_path / f"a/many/{number}", 50)
    write(tmp_path / "b", 100)
    found = heaviest(tmp_path, by_files=False)
    assert found.path == "a/many"
    assert "MB in 11 files" in str(found.weight)


def test_many_files_without_content_are_found(tmp_path: Path) -> None:
    write(tmp_path / "big", 500)
    for number in range(20):
        write(tmp_path / f"a/{number}")
    assert heaviest(tmp_path, by_files=True).path == "a"
    assert heaviest(tmp_path, by_files=False).path == "big"


def test_a_sparse_file_weighs_what_it_takes(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**30)
    write(tmp_path / "real", 50)
    assert heaviest(tmp_path, by_files=False).path == "real"


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/big", 500)
    write(tmp_path / "here/small", 50)
    (tmp_path / "here/link").symlink_to(tmp_path / "elsewhere")
    found = heaviest(tmp_path / "here", by_files=False)
    assert (found.path, found.total.files) == ("small", 2)


def test_the_search_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "SPACE_LOOKS_MAXIMUM", 10)
    for number in range(50):
        write(tmp_path / f"a/{number}")
    assert heaviest(tmp_path, by_files=True).total.files == 10


def test_nothing_is_found_in_nothing(tmp_path: Path) -> None:
    assert heaviest(tmp_path / "missing", by_files=False).path == "."
    assert heaviest(tmp_path, by_files=False).weight.size == 0


def test_what_goes_meanwhile_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "gone/file", 100)
    write(tmp_path / "here", 50)
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("gone"):
            raise FileNotFoundError(2, "gone")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert heaviest(tmp_path, by_files=False).path == "here"


def test_other_file_systems_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "here", 50)
    real = os.lstat(tmp_path)
    other = os.stat_result((*real[:2], real.st_dev + 1, *real[3:10]))
    monkeypatch.setattr(os, "lstat", lambda _: other)
    assert heaviest(tmp_path, by_files=False).total.files == 0


def test_a_mount_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may be dead: a look would not return."""
    write(tmp_path / "a", 20)
    write(tmp_path / "nas/big", 500)
    mount = Mount("2", "1", str(tmp_path / "nas"), "nfs4", writable=True)
    monkeypatch.setattr("tink_docker.heaviest.read_mounts", lambda: [mount])
    found = heaviest(tmp_path, by_files=False)
    assert found.path == "a"
    assert found.total.files == 1
