from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tinkie.errors import ShutdownRequested
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ALL)
def test_the_first_signal_interrupts_and_repeats_do_nothing(number: signal.Signals) -> None:
    signals = ShutdownSignals()
    signals.install()
    with pytest.raises(ShutdownRequested, match=number.name):
        os.kill(os.getpid(), number)
    assert signals.requested
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), signal.SIGTERM)


class Finalised:
    """SIGTERM comes while this is finalised, where Python drops what is raised."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_in_a_finaliser_that_fails_as_well_is_not_lost() -> None:
    class Fails:
        def __del__(self) -> None:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                raise OSError("its clean-up")

    signals = ShutdownSignals()
    signals.install()
    Fails()
    with pytest.raises(ShutdownRequested, match="SIGTERM"):
        signals.check()


@pytest.mark.parametrize("again", [ShutdownSignals.check, lambda _: signal.raise_signal(15)])
def test_a_signal_in_a_finaliser_is_not_lost(again: Callable[[ShutdownSignals], None]) -> None:
    signals = ShutdownSignals()
    signals.install()
    signals.check()
    Finalised()
    assert signals.requested
    with pytest.raises(ShutdownRequested, match="SIGTERM"):
        again(signals)
    signals.check()  # the clean-up waits too
    signal.raise_signal(signal.SIGTERM)


def test_another_error_in_a_finaliser_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ZeroDivisionError

    ShutdownSignals().install()
    Broken()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_no_except_clause_of_a_library_catches_it() -> None:
    assert not issubclass(ShutdownRequested, Exception)
