from __future__ import annotations

import json
from pathlib import Path
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
from tinkie.running.run_record import RunRecord
from tinkie.running.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping


def at_the_bound() -> float:
    return 1.0


SOON = Backoff(first=1.0, ceiling=60.0, chance=at_the_bound)
SLOWLY = Backoff(first=15.0, ceiling=60.0, chance=at_the_bound)


def unwritable() -> RunRecord:
    """The record of a program that cannot keep one, and has reported that."""
    return RunRecord(Path("/dev/null/runs.json"), lambda: 0.0, _is_reported=True)


class World:
    """Runs with a given duration and end, on a clock of their own; the last one ends the test."""

    def __init__(self, *runs: tuple[float, BaseException | None]) -> None:
        self.clock = 0.0
        self.runs = list(runs)
        self.pauses: list[float] = []
        self.before_up = 0.0
        self.comes_up = True
        self.record = unwritable()

    def run(self, is_up: Callable[[], None]) -> None:
        if not self.runs:
            raise ShutdownRequested("SIGTERM")
        seconds, error = self.runs.pop(0)
        self.clock += self.before_up
        if self.comes_up:
            is_up()
        self.clock += seconds
        if error is not None:
            raise error

    def pause(self, seconds: float) -> None:
        self.clock += seconds
        self.pauses.append(seconds)

    def supervise(self) -> list[float]:
        with pytest.raises(ShutdownRequested):
            self.supervise_until_the_end()
        return self.pauses

    def supervise_until_the_end(self) -> None:
        supervise(
            self.run,
            pause=self.pause,
            now=lambda: self.clock,
            record=self.record,
            soon=SOON,
            slowly=SLOWLY,
        )


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
    """Without a record it would start again without any wait, if it ended the program."""
    world = World(*[(0.0, bug("tb..example.com")) for bug in bugs])
    assert world.supervise() == [min(2.0**n, 60.0) for n in range(len(bugs))]


def test_a_bug_is_logged_as_one(events: list[MutableMapping[str, Any]]) -> None:
    bug = UnicodeError("label empty: tb..example.com")
    World((0.0, bug)).supervise()
    (event,) = events
    assert (event["event"], event["kind"]) == ("run.failed", "bug")
    assert event["error"] == "UnicodeError: label empty: tb..example.com"
    assert event["exc_info"] is bug


class Killed(BaseException):
    """The process ends at once: no handler of the program sees it."""


class TestARestartOfTheProcess:
    """The waits, of all processes, of a program that containerd starts again at once."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        world = World()
        world.record = RunRecord(tmp_path / "runs.json", lambda: world.clock)
        return world

    def process(self, world: World, *runs: tuple[float, BaseException | None]) -> list[float]:
        """Return the waits of one process, whose last run kills it."""
        world.runs, world.pauses = list(runs), []
        with pytest.raises((Killed, ShutdownRequested)):
            world.supervise_until_the_end()
        return world.pauses

    def test_the_first_is_immediate_and_the_next_ones_wait_by_the_law(self, world: World) -> None:
        killed = (1.0, Killed())
        waits = [self.process(world, killed) for _ in range(10)]
        assert waits[:2] == [[], []]
        assert waits[2:] == [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [60.0], [60.0]]

    def test_a_run_that_is_not_up_counts(self, world: World) -> None:
        world.comes_up = False
        killed = (99.0, Killed())
        assert [self.process(world, killed) for _ in range(3)] == [[], [], [1.0]]

    def test_a_full_run_folder_is_written_to_when_it_is_not_any_more(self, world: World) -> None:
        def run(is_up: Callable[[], None]) -> None:
            path, world.record.path = world.record.path, Path("/dev/null/runs.json")
            is_up()
            is_up()
            world.record.path = path
            for _ in range(3):
                world.clock += 1
                is_up()
            assert json.loads(path.read_text())["at"] == world.clock - 2, "it is written once"
            world.clock += 60
            raise Killed

        world.run = run  # type: ignore[method-assign]
        world.record.write(5)
        with pytest.raises(Killed):
            world.supervise_until_the_end()
        assert world.record.read() == 0

    def test_the_back_off_goes_on_where_it_was(self, world: World) -> None:
        failed = (1.0, TransientError("busy"))
        assert self.process(world, failed, failed, (1.0, Killed())) == [1.0, 2.0]
        assert self.process(world, failed, (1.0, Killed())) == [2.0, 8.0]

    @pytest.mark.parametrize(
        ("end", "waits"),
        [
            ((59.0, Killed()), [1.0]),
            ((60.0, Killed()), []),
            ((1.0, ShutdownRequested("SIGTERM")), []),
        ],
    )
    def test_a_healthy_run_or_a_signal_ends_the_row(
        self, world: World, end: tuple[float, BaseException], waits: list[float]
    ) -> None:
        self.process(world, (1.0, Killed()))
        self.process(world, end)
        assert self.process(world, (1.0, Killed())) == waits

    @pytest.mark.parametrize("cause", [None, ValueError("x")])
    def test_a_signal_whose_clean_up_fails_ends_the_row_and_all(
        self, world: World, events: list[MutableMapping[str, Any]], cause: Exception | None
    ) -> None:
        def run(_is_up: Callable[[], None]) -> None:
            try:
                raise ShutdownRequested("SIGTERM")
            finally:
                if cause is None:
                    raise OSError(5, "clean-up")
                try:
                    raise cause
                except ValueError as error:
                    raise OSError(5, "clean-up") from error

        with pytest.raises(ShutdownRequested, match="SIGTERM"):
            supervise(run, pause=world.pause, now=lambda: 0.0, record=world.record)
        assert world.record.read() == 0
        assert [event["next"] for event in events] == ["stopping, as requested"]
        assert "clean-up" in events[0]["error"]

    def test_a_signal_in_the_wait_ends_the_row_too(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def signal(_seconds: float) -> None:
            raise ShutdownRequested("SIGTERM")

        world.record.write(4)
        monkeypatch.setattr(world, "pause", signal)
        with pytest.raises(ShutdownRequested):
            world.supervise_until_the_end()
        monkeypatch.undo()
        assert self.process(world, (1.0, Killed())) == []

    def test_after_a_healthy_run_that_failed_the_next_one_starts_the_row(
        self, world: World
    ) -> None:
        self.process(world, (60.0, None), (1.0, Killed()))
        assert self.process(world, (1.0, Killed())) == [1.0]

    def test_the_wait_after_a_run_does_not_make_that_run_healthy(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was up a minute ago, but it has failed since."""

        def killed(seconds: float) -> None:
            world.clock += seconds + 60
            raise Killed

        world.runs = [(1.0, TransientError("x"))]
        monkeypatch.setattr(world, "pause", killed)
        with pytest.raises(Killed):
            world.supervise_until_the_end()
        assert world.record.read() == 1

    def test_the_wait_is_logged(self, world: World, events: list[MutableMapping[str, Any]]) -> None:
        for _ in range(3):
            self.process(world, (1.0, Killed()))
        (event,) = events
        assert event["event"] == "run.delayed"
        assert event["error"] == "2 runs in a row failed, and the program ended, or was killed"
        assert event["next"] == "starting in 1.0 s"

    def test_a_program_that_is_killed_in_a_pause_does_not_blame_its_last_run(
        self,
        world: World,
        events: list[MutableMapping[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def killed(_seconds: float) -> None:
            raise Killed

        self.process(world, (1.0, Killed()))
        world.runs = [(1.0, TransientError("x"))]
        with monkeypatch.context() as patch:
            patch.setattr(world, "pause", killed)
            with pytest.raises(Killed):
                world.supervise_until_the_end()
        self.process(world, (1.0, Killed()))
        (event,) = [one for one in events if one["event"] == "run.delayed"]
        assert "last" not in event["error"]

    def test_bugs_in_a_row_get_a_new_process_which_goes_on_with_the_law(self, world: World) -> None:
        world.runs = [(1.0, KeyError("x"))] * 99
        for waits in ([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0], [60.0] * 8):
            world.pauses = []
            with pytest.raises(KeyError):
                world.supervise_until_the_end()
            assert world.pauses == waits

    def test_bugs_without_a_record_get_none(self) -> None:
        """It would start without the back-off."""
        bugs = [(0.0, KeyError("x"))] * 20
        assert len(World(*bugs).supervise()) == 20

    def test_other_errors_in_a_row_do_not(self, world: World) -> None:
        bugs = [(1.0, KeyError("x"))] * 7
        assert len(self.process(world, *bugs, (1.0, TransientError("x")), *bugs)) == 15
        assert len(self.process(world, *[(1.0, TransientError("x"))] * 20)) == 20


class TestTheProgramsOwnWaits:
    """The back-offs of tinkie/policy.py, which `supervise` uses by default."""

    def waits(self, error: BaseException | None) -> list[float]:
        world = World(*[(0.0, error)] * 8)
        with pytest.raises(ShutdownRequested):
            supervise(world.run, pause=world.pause, now=lambda: world.clock, record=world.record)
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
