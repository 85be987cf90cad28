from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bootkit.image.progress import log_progress
from bootkit.policy import PULL_PROGRESS_LOG_SECONDS

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Events = list[MutableMapping[str, Any]]


def test_progress_is_one_line_for_each_change(events: Events) -> None:
    messages: list[dict[str, Any]] = [
        {"status": "Pulling from tink-worker", "id": "latest"},
        {"status": "Pulling fs layer", "id": "a"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 1, "total": 9}},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 2, "total": 9}},
        {"status": "Retrying in 5 seconds", "id": "a"},
        {"status": "Retrying in 4 seconds", "id": "a"},
        {"status": "Pull complete", "id": "a"},
        {"status": "Digest: sha256:0"},
    ]
    log_progress(messages, float)
    assert [(event["layer"], event["state"], event.get("bytes")) for event in events] == [
        ("a", "Pulling fs layer", None),
        ("a", "Downloading", 9),
        ("a", "Retrying", None),
        ("a", "Pull complete", None),
    ]


def test_a_slow_layer_is_logged_now_and_then(events: Events) -> None:
    messages = [
        {"status": "Downloading", "id": "a", "progressDetail": {"current": n, "total": 9}}
        for n in range(1, 10)
    ]
    ticks = iter(n * PULL_PROGRESS_LOG_SECONDS / 4 for n in range(100))
    log_progress(messages, lambda: next(ticks))
    logged = [(event.get("done"), event["bytes"]) for event in events]
    assert logged[0] == (None, 9)
    assert len(logged) == 1 + 8 // 4


@pytest.mark.parametrize("size", [-1, 2**63, 10**400, 1.5, "9", None])
def test_a_size_that_is_none_is_left_out(events: Events, size: Any) -> None:
    message = {"id": "a", "status": "Downloading", "progressDetail": {"total": size}}
    log_progress([message], lambda: 0.0)
    assert "bytes" not in events[0]
