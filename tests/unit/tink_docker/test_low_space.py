from __future__ import annotations

from tink_docker import policy
from tink_docker.low_space import LowMark, low_bytes

MIB = 1024 * 1024


def test_what_is_low_is_the_same_for_all() -> None:
    assert low_bytes(400 * MIB) == 50 * MIB
    assert low_bytes(4000 * MIB) == policy.SPACE_LOW_BYTES


def test_small_changes_around_the_mark_change_nothing() -> None:
    mark = LowMark()
    assert [mark.update(free, 10) for free in (10, 9, 3, 11, 9, 19)] == ["", "low", *[""] * 4]
    assert mark.lowest == 3
    assert mark.update(20, 10) == "recovered"
    assert mark.lowest == 3
    assert mark.update(9, 10) == "low"
    assert mark.lowest == 9
