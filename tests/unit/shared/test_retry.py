from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootkit.shared.errors import PermanentError, ShutdownRequested, TransientError
from bootkit.shared.retry import Backoff, wait_after

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

STEADY = Backoff(first=1.0, ceiling=5.0, jitter=0.0)


def failing(*errors: BaseException | None) -> Callable[[], str]:
    left = list(errors)

    def run() -> str:
        error = left.pop(0)
        if error is not None:
            raise error
        return "done"

    return run


def test_waits_double_up_to_the_ceiling() -> None:
    assert [STEADY.delay(failures) for failures in range(6)] == [0.0, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_stay_within_their_bounds(failures: int, chance: float) -> None:
    backoff = Backoff(first=1.0, ceiling=60.0, jitter=0.25)
    assert 0.75 <= backoff.delay(failures, chance=lambda: chance) <= 75.0


def test_tries_until_it_works(pauses: list[float]) -> None:
    retrying = STEADY.retrying(pauses.append)
    assert retrying(failing(TransientError("a"), TransientError("b"), None)) == "done"
    assert pauses == [1.0, 2.0]


def test_raises_the_last_error_when_the_attempts_are_used_up(pauses: list[float]) -> None:
    retrying = Backoff(first=1.0, ceiling=1.0, jitter=0.0, attempts=2).retrying(pauses.append)
    with pytest.raises(TransientError, match="second"):
        retrying(failing(TransientError("first"), TransientError("second")))
    assert pauses == [1.0]


def test_a_permanent_error_is_not_tried_again(pauses: list[float]) -> None:
    with pytest.raises(PermanentError):
        STEADY.retrying(pauses.append)(failing(PermanentError("no")))
    assert pauses == []


def test_waits_as_long_as_the_other_side_asks(pauses: list[float]) -> None:
    error = TransientError("busy", retry_after=30.0)
    STEADY.retrying(pauses.append)(failing(error, None))
    assert pauses == [30.0]


def test_nobody_can_ask_for_more_than_an_hour() -> None:
    assert wait_after(TransientError("busy", retry_after=1e9), 1.0) == 3600.0


def test_each_wait_is_told(events: list[MutableMapping[str, Any]]) -> None:
    STEADY.retrying(lambda _: None)(failing(TransientError("not yet"), None))
    assert [(e["event"], e["error"], e["next"]) for e in events] == [
        ("retry.scheduled", "not yet", "trying again in 1.0 s")
    ]


def test_the_caller_may_tell_the_waits_in_its_own_way() -> None:
    told: list[tuple[str, float]] = []
    retrying = STEADY.retrying(lambda _: None, tell=lambda error, s: told.append((str(error), s)))
    retrying(failing(TransientError("a"), TransientError("b"), None))
    assert told == [("a", 1.0), ("b", 2.0)]


def test_a_signal_ends_the_waiting() -> None:
    def pause(_seconds: float) -> None:
        raise ShutdownRequested("SIGTERM")

    with pytest.raises(ShutdownRequested):
        STEADY.retrying(pause)(failing(TransientError("x"), None))
