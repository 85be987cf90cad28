from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootkit.image.progress import TELL_EVERY_SECONDS, tell_progress

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Events = list[MutableMapping[str, Any]]


def test_progress_is_one_line_a_change(events: Events) -> None:
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
    tell_progress(messages, float)
    assert [(event["layer"], event["state"], event.get("bytes")) for event in events] == [
        ("a", "Pulling fs layer", None),
        ("a", "Downloading", 9),
        ("a", "Retrying", None),
        ("a", "Pull complete", None),
    ]


def test_a_slow_layer_is_told_of_now_and_then(events: Events) -> None:
    messages = [
        {"status": "Downloading", "id": "a", "progressDetail": {"current": n, "total": 9}}
        for n in range(1, 10)
    ]
    ticks = iter(n * TELL_EVERY_SECONDS / 4 for n in range(100))
    tell_progress(messages, lambda: next(ticks))
    told = [(event.get("done"), event["bytes"]) for event in events]
    assert told[0] == (None, 9)
    assert len(told) == 1 + 8 // 4
