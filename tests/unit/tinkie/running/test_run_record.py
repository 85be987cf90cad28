"""The file that carries the back-off over a restart of the process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinkie.running.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

NOW = 1000.0
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=5,
)


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    return RunRecord.beside(tmp_path / "run" / "bootkit.json", lambda: NOW)


def test_it_is_beside_the_state_file(record: RunRecord, tmp_path: Path) -> None:
    assert record.write(3, is_up=True)
    written = json.loads((tmp_path / "run" / "runs.json").read_text())
    assert written == {"failures": 3, "at": NOW, "is_up": True}
    assert record.read() == 3


def test_none_is_no_failure(record: RunRecord) -> None:
    assert record.read() == 0
    record.forget()


@pytest.mark.parametrize(
    ("content", "failures"),
    [
        ({"failures": 5, "at": NOW, "is_up": False}, 5),
        ({"failures": 5, "at": 0, "is_up": False}, 5),
        ({"failures": 5, "at": NOW - 59, "is_up": True}, 5),
        ({"failures": 5, "at": NOW - 60, "is_up": True}, 0),
        ({"failures": 5, "at": NOW + 1, "is_up": False}, 0),
        ({"failures": -5, "at": NOW, "is_up": False}, 0),
        ({"failures": 5, "at": float("nan"), "is_up": False}, 0),
        ({"failures": 5, "is_up": False}, 0),
        ({"failures": "many", "at": NOW, "is_up": False}, 0),
        ({"failures": 10**4000, "at": NOW, "is_up": False}, 0),
        ({"failures": 5, "at": 10**400, "is_up": False}, 0),
        ({"failures": 5, "at": NOW, "is_up": 1}, 0),
        ([], 0),
    ],
)
def test_a_file_of_another_time_or_shape_is_ignored(
    record: RunRecord, content: object, failures: int
) -> None:
    record.path.parent.mkdir()
    record.path.write_text(json.dumps(content))
    assert record.read() == failures


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary()
    | ANYTHING.map(json.dumps).map(str.encode)
    | st.fixed_dictionaries({"failures": ANYTHING, "at": ANYTHING, "is_up": ANYTHING})
    .map(json.dumps)
    .map(str.encode)
)
def test_no_content_raises(record: RunRecord, content: bytes) -> None:
    record.path.parent.mkdir(exist_ok=True)
    record.path.write_bytes(content)
    assert record.write(record.read() + 1)


def test_a_folder_that_cannot_be_written_is_reported_once(
    tmp_path: Path, events: list[MutableMapping[str, Any]]
) -> None:
    (tmp_path / "file").write_text("")
    record = RunRecord(tmp_path / "file" / "runs.json", lambda: NOW)
    assert not record.write(1)
    assert not record.write(2)
    record.forget()
    (event,) = events
    assert (event["event"], event["log_level"]) == ("run.unrecorded", "warning")
    assert "file" in event["error"]
