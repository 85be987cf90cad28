"""A person sees which step of how many runs, and for how long."""

from __future__ import annotations

import io
from threading import Event

import pytest

from release.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


class Screen(io.StringIO):
    """Sets an event once a text has been written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.written = text, Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if self.text in self.getvalue():
            self.written.set()
        return count


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_step_has_its_number_its_title_and_its_time(clock: Clock) -> None:
    screen = io.StringIO()
    progress = Progress(7, stream=screen, now=clock.now)
    progress.skip()
    with progress.step("build tinkerbell (Go)"):
        clock.seconds += 15
        progress.beat()
        clock.seconds += 15
        progress.beat()
        clock.seconds += 5
    assert screen.getvalue().splitlines() == [
        "    0.0 s  [2/7] build tinkerbell (Go)",
        "   15.0 s  [2/7] build tinkerbell (Go) ... 15 s",
        "   30.0 s  [2/7] build tinkerbell (Go) ... 30 s",
        "   35.0 s  [2/7] build tinkerbell (Go): done in 35 s",
    ]


def test_each_step_has_its_own_time_and_notes_that_of_the_command(clock: Clock) -> None:
    screen = io.StringIO()
    progress = Progress(2, stream=screen, now=clock.now)
    for title in ("one", "two"):
        with progress.step(title):
            clock.seconds += 2
    progress.note("ready")
    assert screen.getvalue().splitlines() == [
        "    0.0 s  [1/2] one",
        "    2.0 s  [1/2] one: done in 2 s",
        "    2.0 s  [2/2] two",
        "    4.0 s  [2/2] two: done in 2 s",
        "    4.0 s  ready",
    ]


def test_a_short_step_is_one_line(clock: Clock) -> None:
    screen = io.StringIO()
    with Progress(1, stream=screen, now=clock.now).step("link"):
        clock.seconds += 0.9
    assert screen.getvalue() == "    0.0 s  [1/1] link\n"


def test_a_step_of_no_plan_has_no_number(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(now=clock.now).step("build hegel (Go)"):
        pass
    assert capsys.readouterr().out == "    0.0 s  build hegel (Go)\n"


def test_a_step_that_fails_is_not_called_done(clock: Clock) -> None:
    screen = io.StringIO()
    progress = Progress(1, stream=screen, now=clock.now)

    def fail() -> None:
        with progress.step("link"):
            clock.seconds += 9
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert screen.getvalue() == "    0.0 s  [1/1] link\n"


def test_the_heart_beats_by_itself_while_a_step_runs_and_no_longer() -> None:
    screen = Screen("compile ... ")
    progress = Progress(stream=screen, heartbeat_seconds=0.001)
    with progress.step("compile"):
        assert screen.written.wait(10)
    length = len(screen.getvalue())
    assert not Event().wait(0.02)
    assert len(screen.getvalue()) == length
