"""Modules that are loaded when something of them is first used."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from tinkie.running.late import loaded_when_used

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "a_module_of_this_test"


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return where the module of this test, which can be imported, notes that it runs."""
    notes: list[str] = []
    (tmp_path / f"{NAME}.py").write_text(f"import sys\nsys.{NAME}.append(__name__)\nVALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, NAME, notes, raising=False)
    yield notes
    sys.modules.pop(NAME, None)


def test_a_module_runs_when_something_of_it_is_used(ran: list[str]) -> None:
    with loaded_when_used(NAME):
        module = importlib.import_module(NAME)
    assert ran == []
    assert module.VALUE == 1
    assert ran == [NAME]
    assert importlib.import_module(NAME) is module
    assert ran == [NAME], "once"


def test_the_next_import_of_it_is_a_use(ran: list[str]) -> None:
    with loaded_when_used(NAME):
        importlib.import_module(NAME)
    assert importlib.import_module(NAME).VALUE == 1
    assert ran == [NAME]


def test_other_modules_run_at_once(ran: list[str]) -> None:
    with loaded_when_used("asyncio"):
        importlib.import_module(NAME)
    assert ran == [NAME]


def test_a_module_that_is_missing_is_missing() -> None:
    with loaded_when_used("no_such_module"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module")


def test_nothing_of_it_stays(ran: list[str]) -> None:
    before = list(sys.meta_path)
    with pytest.raises(ValueError, match="x"), loaded_when_used(NAME):
        raise ValueError("x")
    assert sys.meta_path == before
    importlib.import_module(NAME)
    assert ran == [NAME]
