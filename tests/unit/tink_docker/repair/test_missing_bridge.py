"""When a dockerd without its bridge is restarted, and when that is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tink_docker.repair.missing_bridge import MissingBridge

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Events = list[MutableMapping[str, Any]]

FAILURE = "could not create bridge network for id 1fe8 bridge name docker0: running nft: exit 1"
WITHOUT_BRIDGE = ["loading", FAILURE, "Could not get operating system name"]
WHEN_IDLE = "dockerd and the worker start again when no action runs"


def test_an_engine_without_its_bridge_is_to_be_restarted(events: Events) -> None:
    missing = MissingBridge()
    missing.engine_answered(WITHOUT_BRIDGE)
    assert missing.reason() == f"dockerd runs without its bridge network: {FAILURE}"
    (event,) = events
    assert (event["event"], event["error"]) == ("networks.incomplete", missing.reason())
    assert event["next"] == WHEN_IDLE


def test_an_engine_with_its_bridge_is_not(events: Events) -> None:
    missing = MissingBridge()
    assert missing.reason() == ""
    missing.engine_answered(WITHOUT_BRIDGE)
    missing.restarting()
    missing.engine_answered(["loading"])
    assert missing.reason() == ""
    assert len(events) == 1


def test_a_dockerd_that_died_in_between_repairs_nothing(events: Events) -> None:
    missing = MissingBridge()
    missing.engine_answered(WITHOUT_BRIDGE)
    missing.engine_answered(["loading"])  # a container runs, and the record has no bridge any more
    assert missing.reason() == f"dockerd runs without its bridge network: {FAILURE}"
    missing.restarting()
    missing.engine_answered(["loading"])
    assert missing.reason() == ""
    assert len(events) == 1


def test_what_does_not_help_three_times_is_given_up(events: Events) -> None:
    missing = MissingBridge()
    for _ in range(3):
        missing.engine_answered(WITHOUT_BRIDGE)
    assert missing.reason() == ""
    nothing = "continuing without it; actions that use it fail"
    assert [event["next"] for event in events] == [WHEN_IDLE, WHEN_IDLE, nothing]
    missing.engine_answered(["loading"])
    missing.engine_answered(WITHOUT_BRIDGE)
    assert missing.reason() != "", "a start without a failure begins anew"
