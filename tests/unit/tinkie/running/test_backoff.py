from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.errors import PermanentError, ShutdownRequested, TransientError
from tinkie.running.backoff import Backoff, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping


def at_the_bound() -> float:
    return 1.0


def seeded(seed: int) -> Backoff:
    chance = random.Random(seed).random  # noqa: S311 - not for secrets
    return Backoff(first=1.0, ceiling=60.0, chance=chance)


STEADY = Backoff(first=1.0, ceiling=5.0, chance=at_the_bound)


def failing(*errors: BaseException | None) -> Callable[[], str]:
    left = list(errors)

    def run() -> str:
        error = left.pop(0)
        if error is not None:
            raise error
        return "done"

    return run


def test_the_bound_doubles_up_to_the_ceiling() -> None:
    assert [STEADY.delay(failures) for failures in range(6)] == [0.0, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_stay_within_their_bounds(failures: int, chance: float) -> None:
    backoff = Backoff(first=1.0, ceiling=60.0, chance=lambda: chance)
    assert 0.25 <= backoff.delay(failures) <= min(2.0 ** min(failures - 1, 6), 60.0)


def test_the_waits_are_spread_evenly_below_the_bound() -> None:
    backoff = seeded(7)
    tenths = Counter(int(backoff.delay(10) // 6) for _ in range(10_000))
    assert sorted(tenths) == list(range(10))
    assert all(900 < count < 1100 for count in tenths.values())


def test_the_same_seed_gives_the_same_waits_and_another_one_others() -> None:
    def waits(backoff: Backoff) -> list[float]:
        return [backoff.delay(failures) for failures in range(1, 9)]

    assert waits(seeded(1)) == waits(seeded(1))
    assert waits(seeded(1)) != waits(seeded(2))


def test_machines_that_fail_together_do_not_come_back_together() -> None:
    """A thousand, each with its own jitter; the server comes up after two minutes."""
    up = 120.0
    came = Counter(int(_comes_back(seeded(seed), up) - up) for seed in range(1000))
    assert max(came) < 60
    assert max(came.values()) < 70, "a thousand in 20 seconds would be 50 in each"


def _comes_back(backoff: Backoff, up: float) -> float:
    now = 0.0
    for failures in range(1, 1000):
        now += backoff.delay(failures)
        if now >= up:
            break
    return now


def test_tries_until_it_works(pauses: list[float]) -> None:
    retrying = STEADY.retrying(pauses.append)
    assert retrying(failing(TransientError("a"), TransientError("b"), None)) == "done"
    assert pauses == [1.0, 2.0]


def test_raises_the_last_error_when_the_attempts_are_used_up(pauses: list[float]) -> None:
    retrying = Backoff(first=1.0, ceiling=1.0, chance=at_the_bound, attempts=2).retrying(
        pauses.append
    )
    with pytest.raises(TransientError, match="second"):
        retrying(failing(TransientError("first"), TransientError("second")))
    assert pauses == [1.0]


def test_a_permanent_error_is_not_tried_again(pauses: list[float]) -> None:
    with pytest.raises(PermanentError):
        STEADY.retrying(pauses.append)(failing(PermanentError("no")))
    assert pauses == []


def test_retry_after_is_honoured(pauses: list[float]) -> None:
    error = TransientError("busy", retry_after=30.0)
    Backoff(first=1.0, ceiling=5.0, chance=lambda: 0.0).retrying(pauses.append)(
        failing(error, None)
    )
    assert pauses == [30.0]


@given(st.integers(1, 100), st.floats(0.0, 3600.0))
def test_no_machine_returns_before_retry_after(seed: int, requested: float) -> None:
    error = TransientError("busy", retry_after=requested)
    assert requested <= seeded(seed).delay(1, error) <= max(1.0, requested + min(requested, 60.0))


def test_machines_with_the_same_retry_after_do_not_come_back_together() -> None:
    error = TransientError("busy", retry_after=30.0)
    came = Counter(int(seeded(seed).delay(1, error)) for seed in range(1000))
    assert sorted(came) == list(range(30, 60))
    assert max(came.values()) < 60


def test_a_short_retry_after_does_not_shorten_the_waits() -> None:
    assert STEADY.delay(4, TransientError("busy", retry_after=1.0)) == 5.0


def test_retry_after_is_limited_to_an_hour() -> None:
    backoff = Backoff(first=1.0, ceiling=60.0, chance=lambda: 0.0)
    assert backoff.delay(1, TransientError("busy", retry_after=1e9)) == 3600.0


def test_each_wait_is_logged(events: list[MutableMapping[str, Any]]) -> None:
    STEADY.retrying(lambda _: None)(failing(TransientError("not yet"), None))
    assert [(e["event"], e["error"], e["next"]) for e in events] == [
        ("retry.scheduled", "not yet", "trying again in 1.0 s")
    ]


def test_the_caller_may_log_the_waits_itself() -> None:
    waits: list[tuple[str, float]] = []
    retrying = STEADY.retrying(
        lambda _: None, on_wait=lambda error, s: waits.append((str(error), s))
    )
    retrying(failing(TransientError("a"), TransientError("b"), None))
    assert waits == [("a", 1.0), ("b", 2.0)]


def test_a_signal_ends_the_waiting() -> None:
    def pause(_seconds: float) -> None:
        raise ShutdownRequested("SIGTERM")

    with pytest.raises(ShutdownRequested):
        STEADY.retrying(pause)(failing(TransientError("x"), None))


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_the_first_try_is_due_at_once() -> None:
    schedule = Schedule(STEADY, Clock())
    assert schedule.is_due()
    assert schedule.seconds_left() == 0.0


def test_a_failure_puts_the_next_try_off_by_the_backoff() -> None:
    clock = Clock()
    schedule = Schedule(STEADY, clock)
    for wait in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert schedule.failed() == wait
        assert schedule.seconds_left() == wait
        clock.time += wait - 0.01
        assert not schedule.is_due()
        clock.time += 0.02
        assert schedule.is_due()
        assert schedule.seconds_left() == 0.0


def test_a_schedule_honours_retry_after() -> None:
    schedule = Schedule(STEADY, Clock())
    assert schedule.failed(TransientError("later", retry_after=30.0)) == 35.0


def test_a_reset_begins_anew() -> None:
    clock = Clock()
    schedule = Schedule(STEADY, clock)
    schedule.failed()
    schedule.failed()
    schedule.reset()
    assert schedule.is_due()
    assert schedule.failures == 0
    assert schedule.failed() == 1.0
