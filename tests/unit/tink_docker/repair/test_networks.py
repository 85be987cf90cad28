"""When the engine's record of its networks is removed, and above all when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.repair.networks import NetworkRecord

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

_LINE = (
    "failed to start daemon: Error initializing network controller: error creating default "
    '"bridge" network: cannot create network 1083 (docker0): conflicts with network b324: '
    "networks have same bridge name"
)
START_FAILURE = [_LINE]


@pytest.fixture
def record(tmp_path: Path) -> NetworkRecord:
    path = tmp_path / "local-kv.db"
    path.write_text("networks")
    return NetworkRecord(path)


def test_the_second_failure_removes_it(record: NetworkRecord, events: Events) -> None:
    record.engine_ended(START_FAILURE, answered=False)
    assert record.path.exists()
    record.engine_ended(START_FAILURE, answered=False)
    assert not record.path.exists()
    assert [event["event"] for event in events] == ["networks.reset"]


def test_an_engine_that_started_in_between_keeps_it(record: NetworkRecord) -> None:
    for _ in range(5):
        record.engine_ended(START_FAILURE, answered=False)
        record.engine_ended(START_FAILURE, answered=True)
    assert record.path.exists()


def test_other_reasons_keep_it(record: NetworkRecord, events: Events) -> None:
    for lines in ([], ["no space left on device"], ["failed to load listeners"]):
        for _ in range(5):
            record.engine_ended(lines, answered=False)
    assert record.path.exists()
    assert events == []


def test_a_missing_record_is_no_error(record: NetworkRecord) -> None:
    record.path.unlink()
    for _ in range(4):
        record.engine_ended(START_FAILURE, answered=False)


def test_a_record_that_cannot_be_removed_is_logged(record: NetworkRecord, events: Events) -> None:
    record.path.unlink()
    record.path.mkdir()
    for _ in range(2):
        record.engine_ended(START_FAILURE, answered=False)
    assert [event["event"] for event in events] == ["networks.reset_failed"]
