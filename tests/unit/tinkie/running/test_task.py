"""A task never ends the main one, whatever it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError, ShutdownRequested, TransientError
from tinkie.running.backoff import Backoff, Schedule
from tinkie.running.task import Task

if TYPE_CHECKING:
    from collections.abc import MutableMapping

BACKOFF = Backoff(first=4.0, ceiling=16.0, chance=lambda: 1.0)
ERRORS = st.sampled_from(
    [UnicodeError("x"), OverflowError("x"), RecursionError(), TransientError("x"), OSError(5, "x")]
)


class Work:
    """Raises each of these errors (None: succeeds), then succeeds for ever."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.errors = list(errors)
        self.done_at: list[float] = []
        self.clock = 0.0

    def __call__(self) -> None:
        self.done_at.append(self.clock)
        if self.errors and (error := self.errors.pop(0)):
            raise error

    def turns(self, seconds: int) -> list[float]:
        task = Task("count", self, Schedule(BACKOFF, lambda: self.clock))
        for _ in range(seconds):
            task()
            self.clock += 1
        return self.done_at


def test_it_works_each_turn() -> None:
    assert Work().turns(4) == [0, 1, 2, 3]


def test_it_returns_what_the_work_returns_and_nothing_while_it_waits() -> None:
    results: list[str | Exception] = ["one", TransientError("x"), "two"]
    clock = [0.0]

    def work() -> str:
        if isinstance(result := results.pop(0), Exception):
            raise result
        return result

    task = Task("count", work, Schedule(BACKOFF, lambda: clock[0]))
    assert [task(), task(), task()] == ["one", None, None]
    clock[0] += 4
    assert task() == "two"


@given(st.lists(ERRORS, max_size=4))
def test_after_a_failure_it_waits_and_after_a_success_no_more(errors: list[Exception]) -> None:
    waits = [4, 8, 16, 16][: len(errors)]
    times = [sum(waits[:count]) for count in range(len(waits) + 1)]
    assert Work(*errors).turns(60)[: len(times) + 2] == [*times, times[-1] + 1, times[-1] + 2]


def test_a_success_starts_the_back_off_anew() -> None:
    error = TransientError("x")
    assert Work(error, error, None, error).turns(20)[:6] == [0, 4, 12, 13, 17, 18]


def test_a_failure_is_logged(events: list[MutableMapping[str, Any]]) -> None:
    bug = ValueError("bad size")
    Work(PermanentError("refused", kind=ErrorKind.DENIED), bug).turns(9)
    named = [(event["task"], event["error"], event["kind"], event["next"]) for event in events]
    assert named == [
        ("count", "refused", "denied", "all else goes on; trying again in 4.0 s"),
        ("count", "ValueError: bad size", "bug", "all else goes on; trying again in 8.0 s"),
    ]
    assert [event["exc_info"] for event in events] == [None, bug]
    assert all(event["hint"] for event in events)


def test_a_signal_is_no_failure() -> None:
    with pytest.raises(ShutdownRequested):
        Work(ShutdownRequested("SIGTERM")).turns(1)


def test_a_signal_counts_though_its_clean_up_fails(events: list[MutableMapping[str, Any]]) -> None:
    def work() -> None:
        try:
            raise ShutdownRequested("SIGTERM")
        finally:
            raise OSError(5, "clean-up")

    with pytest.raises(ShutdownRequested, match="SIGTERM"):
        Task("count", work, Schedule(BACKOFF, lambda: 0.0))()
    assert "clean-up" in events[0]["error"]
