from __future__ import annotations

import pytest

from release.errors import ReportedError
from sandbox.waiting import wait_for


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def pause(self, seconds: float) -> None:
        self.time += seconds

    def now(self) -> float:
        return self.time


def test_the_first_thing_found_ends_the_wait() -> None:
    clock = Clock()
    outcomes = iter([None, False, "here", "later"])
    assert wait_for("it", lambda: next(outcomes), seconds=9, pause=clock.pause, now=clock.now)
    assert clock.time == pytest.approx(0.2)
    assert next(outcomes) == "later"


def test_a_wait_ends_with_an_error_that_names_the_thing() -> None:
    clock = Clock()
    with pytest.raises(ReportedError, match="waited 5 s for the registry's answer"):
        wait_for("the registry's answer", lambda: None, seconds=5, pause=clock.pause, now=clock.now)
    assert clock.time == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize(("cost", "pause"), [(0.01, 0.1), (0.2, 0.8), (9.0, 1.0)])
def test_a_slow_probe_runs_less_often(cost: float, pause: float) -> None:
    clock = Clock()
    pauses: list[float] = []
    outcomes = iter([None, None, "here"])

    def look() -> str | None:
        clock.time += cost
        return next(outcomes)

    wait_for("it", look, seconds=99, pause=pauses.append, now=clock.now)
    assert pauses == [pytest.approx(pause)] * 2


def test_an_error_ends_it_at_once() -> None:
    def broken() -> None:
        raise ReportedError("the registry ended by itself")

    with pytest.raises(ReportedError, match="ended by itself"):
        wait_for("it", broken, seconds=5, pause=lambda _seconds: pytest.fail("paused"))
