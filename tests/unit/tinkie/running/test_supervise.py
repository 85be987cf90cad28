from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.errors import (
    BootError,
    PermanentError,
    ShutdownRequested,
    TransientError,
)
from tinkie.running.backoff import Backoff
from tinkie.running.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping


def at_the_bound() -> float:
    return 1.0


SOON = Backoff(first=1.0, ceiling=60.0, chance=at_the_bound)
SLOWLY = Backoff(first=15.0, ceiling=60.0, chance=at_the_bound)


class World:
    """Runs with a given duration and end, on a clock of their own; the last one ends the test."""

    def __init__(self, *runs: tuple[float, BaseException | None]) -> None:
        self.clock = 0.0
        self.runs = list(runs)
        self.pauses: list[float] = []
        self.before_up = 0.0

    def run(self, is_up: Callable[[], None]) -> None:
        if not self.runs:
            raise ShutdownRequested("SIGTERM")
        seconds, error = self.runs.pop(0)
        self.clock += self.before_up
        is_up()
        self.clock += seconds
        if error is not None:
            raise error

    def pause(self, seconds: float) -> None:
        self.clock += seconds
        self.pauses.append(seconds)

    def supervise(self) -> list[float]:
        with pytest.raises(ShutdownRequested):
            supervise(self.run, pause=self.pause, now=lambda: self.clock, soon=SOON, slowly=SLOWLY)
        return self.pauses


def test_waits_grow_until_a_run_lasts() -> None:
    short, long = (1.0, None), (60.0, None)
    assert World(short, short, short, long, short).supervise() == [1.0, 2.0, 4.0, 1.0, 2.0]


def test_the_time_before_it_is_up_does_not_count_as_healthy() -> None:
    slow = World((0.0, TransientError("full")), (0.0, TransientError("full")))
    slow.before_up = 90.0
    assert slow.supervise() == [1.0, 2.0]


def test_waits_are_never_longer_than_a_minute() -> None:
    assert max(World(*[(0.0, TransientError("x"))] * 20).supervise()) == 60.0


def test_what_a_person_must_repair_is_tried_again_slowly() -> None:
    error: BootError = PermanentError("no such image")
    assert World((0.0, error), (0.0, error)).supervise() == [15.0, 30.0]


def test_retry_after_is_honoured() -> None:
    error = TransientError("busy", retry_after=42.0)
    assert World((0.0, error)).supervise() == [84.0]


def test_an_error_is_logged_with_the_next_step(events: list[MutableMapping[str, Any]]) -> None:
    World((0.0, PermanentError("no such image", hint="push it"))).supervise()
    assert events == [
        {
            "event": "run.failed",
            "log_level": "error",
            "error": "no such image",
            "kind": "other",
            "hint": "push it",
            "next": "trying again in 15.0 s",
            "exc_info": None,
        }
    ]


def test_an_end_without_error_is_logged(events: list[MutableMapping[str, Any]]) -> None:
    World((0.0, None)).supervise()
    assert events[0]["event"] == "run.ended"


def test_ends_in_a_row_have_a_name_until_one_runs_for_long(
    events: list[MutableMapping[str, Any]],
) -> None:
    short, long = (1.0, None), (60.0, None)
    World(short, short, short, short, long, short).supervise()
    names = [event["event"] for event in events if event["event"].startswith("run.")]
    assert names == ["run.ended"] * 2 + ["run.crash_looping"] * 2 + ["run.ended"] * 2
    logged = next(event for event in events if event["event"] == "run.crash_looping")
    assert logged["reason"] == "3 ends in a row without a healthy run"
    assert logged["next"] == "trying again in 4.0 s"


@given(st.lists(st.sampled_from([ValueError, UnicodeError, KeyError, RuntimeError, OSError])))
def test_a_bug_is_retried_by_the_same_law(bugs: list[type[Exception]]) -> None:
    """It would end the program otherwise, which starts again without any wait."""
    world = World(*[(0.0, bug("tb..example.com")) for bug in bugs])
    assert world.supervise() == [min(2.0**n, 60.0) for n in range(len(bugs))]


def test_a_bug_is_logged_as_one(events: list[MutableMapping[str, Any]]) -> None:
    bug = UnicodeError("label empty: tb..example.com")
    World((0.0, bug)).supervise()
    (event,) = events
    assert (event["event"], event["kind"]) == ("run.failed", "bug")
    assert event["error"] == "UnicodeError: label empty: tb..example.com"
    assert event["exc_info"] is bug


class TestTheProgramsOwnWaits:
    """The back-offs of tinkie/policy.py, which `supervise` uses by default."""

    def waits(self, error: BaseException | None) -> list[float]:
        world = World(*[(0.0, error)] * 8)
        with pytest.raises(ShutdownRequested):
            supervise(world.run, pause=world.pause, now=lambda: world.clock)
        return world.pauses

    @pytest.mark.parametrize("error", [None, TransientError("x")])
    def test_what_may_heal_is_tried_again_within_seconds(self, error: BaseException | None) -> None:
        waits = self.waits(error)
        assert 0.1 < waits[0] < 2.0
        assert max(waits) <= 75.0

    def test_what_a_person_must_repair_is_not_tried_in_a_hurry(self) -> None:
        waits = self.waits(PermanentError("x"))
        assert min(waits) > 3.0
        assert max(waits) <= 75.0

    @pytest.mark.parametrize("error", [TransientError("x"), PermanentError("x")])
    def test_machines_that_fail_together_do_not_come_back_together(self, error: BootError) -> None:
        assert len({self.waits(error)[-1] for _ in range(5)}) == 5
