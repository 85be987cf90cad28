from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tinkie.space import Space

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    space = Space(48_200_000, 1_612_000_000)
    space.write(tmp_path / "space.json")
    assert Space.read(tmp_path / "space.json") == space
    assert str(space) == "48.2 MB of 1612.0 MB"


@pytest.mark.parametrize("free", ["-1", "1e400", "9" * 400, "true", "1.5", '"1"', "null", "[]"])
def test_an_invalid_file_counts_as_missing(tmp_path: Path, free: str) -> None:
    (tmp_path / "space.json").write_text(f'{{"free": {free}, "size": 1}}')
    assert Space.read(tmp_path / "space.json") is None


def test_a_missing_file(tmp_path: Path) -> None:
    assert Space.read(tmp_path / "space.json") is None
