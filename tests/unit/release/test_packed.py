"""A record of packing counts only if it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release import assemble, packed
from release.arch import ALL, Architecture
from release.filenames import Names
from release.packed import Packed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("has_uki", [True, False])
def test_a_record_is_read_as_it_was_written_and_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Architecture, *, has_uki: bool
) -> None:
    monkeypatch.setattr(assemble, "OUT", tmp_path)
    assert packed.read(target) is None
    names = Names(target, has_uki=has_uki)
    for name in {*names.results, *names.attested}:
        (tmp_path / name).write_text(name)
    one = Packed(names, "key of the inputs", packed.sums(tmp_path, names))
    packed.write(one)
    assert packed.read(target) == one
    (path,) = tmp_path.glob("packed-*")
    lines = path.read_text().splitlines(keepends=True)
    for kept in range(len(lines)):
        path.write_text("".join(lines[:kept]))
        assert packed.read(target) is None
    path.write_bytes(path.read_bytes() + b"\xff")
    assert packed.read(target) is None
    packed.forget(target)
    assert packed.read(target) is None
