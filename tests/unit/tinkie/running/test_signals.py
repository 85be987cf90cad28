from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

import pytest

from tests.fakes.dropped_signal import Finalised, drop_a_signal, sigterm
from tinkie.errors import ShutdownRequested
from tinkie.fetch.deadline import TooSlow, at_most
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
BOUND_SECONDS = 10.0  # of a wait that a signal has to end


def library_waits() -> None:
    """Wait as a library does, without a look at the signals."""
    select.select([], [], [], BOUND_SECONDS)
    raise AssertionError("it waited to the end")


@pytest.mark.parametrize("number", ALL)
def test_the_first_signal_interrupts_and_repeats_do_nothing(
    signals: ShutdownSignals, number: signal.Signals
) -> None:
    with pytest.raises(ShutdownRequested, match=number.name):
        os.kill(os.getpid(), number)
    assert signals.requested
    os.kill(os.getpid(), number)
    sigterm()


def test_a_signal_in_a_finaliser_that_fails_as_well_is_not_lost(signals: ShutdownSignals) -> None:
    def fail() -> None:
        try:
            sigterm()
        finally:
            raise OSError("its clean-up")

    Finalised(fail)
    with pytest.raises(ShutdownRequested, match="SIGTERM"):
        signals.check()


@pytest.mark.parametrize("again", [ShutdownSignals.check, lambda _: signal.raise_signal(15)])
def test_a_signal_in_a_finaliser_is_not_lost(
    signals: ShutdownSignals, again: Callable[[ShutdownSignals], None]
) -> None:
    signals.check()
    drop_a_signal()
    assert signals.requested
    with pytest.raises(ShutdownRequested, match="SIGTERM"):
        again(signals)
    signals.check()  # the clean-up waits too
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("signals")
class TestADroppedSignal:
    """It ends the waits of libraries, too, which make no check."""

    def test_it_ends_a_wait(self) -> None:
        drop_a_signal()
        with pytest.raises(ShutdownRequested, match="SIGTERM"):
            library_waits()

    def test_it_is_dropped_again_and_ends_the_next_wait(self) -> None:
        drop_a_signal()
        Finalised(library_waits)
        with pytest.raises(ShutdownRequested, match="SIGTERM"):
            library_waits()

    def test_once_raised_it_interrupts_no_clean_up(self, signals: ShutdownSignals) -> None:
        drop_a_signal()
        with pytest.raises(ShutdownRequested):
            signals.check()
        assert select.select([], [], [], 0.2) == ([], [], [])

    def test_it_ends_a_call_with_a_deadline(self) -> None:
        def call() -> None:
            drop_a_signal()
            library_waits()

        with pytest.raises(ShutdownRequested):
            at_most(BOUND_SECONDS, call)

    def test_it_ends_the_wait_behind_a_call_with_a_deadline(self) -> None:
        at_most(BOUND_SECONDS, drop_a_signal)
        with pytest.raises(ShutdownRequested):
            library_waits()

    def test_a_call_with_a_deadline_only_delays_it(self) -> None:
        drop_a_signal()
        with pytest.raises(TooSlow):
            at_most(0.01, library_waits)
        with pytest.raises(ShutdownRequested):
            library_waits()


@pytest.mark.usefixtures("signals")
def test_another_error_in_a_finaliser_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ZeroDivisionError

    Broken()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_no_except_clause_of_a_library_catches_it() -> None:
    assert not issubclass(ShutdownRequested, Exception)
