"""How old the Debian packages in the cache are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release import base

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
HOUR, DAY = 3600, 86400


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    monkeypatch.delenv("BASE", raising=False)
    return tmp_path


def make_base(age_seconds: float) -> None:
    base._tar().touch()
    os.utime(base._tar(), (NOW, NOW - age_seconds))


@pytest.mark.parametrize(
    ("age", "message"),
    [
        (HOUR, "the Debian packages are 0 days old"),
        (DAY, "the Debian packages are 1 day old"),
        (7 * DAY - 1, "the Debian packages are 6 days old"),
        (7 * DAY, "the Debian packages are 7 days old: `make refresh` renews them"),
        (40 * DAY + HOUR, "the Debian packages are 40 days old: `make refresh` renews them"),
    ],
)
def test_from_a_week_on_the_message_names_what_renews_them(age: float, message: str) -> None:
    make_base(age)
    assert base.age_message(NOW) == message


def test_without_packages_there_is_no_message(cache: Path) -> None:
    assert base.age_message(NOW) == ""
    assert list(cache.iterdir()) == []


def test_the_age_of_another_base_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    make_base(40 * DAY)
    monkeypatch.setenv("BASE", "debian:trixie")
    assert base.age_message(NOW) == ""
