from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tinkie.errors import ShutdownRequested
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
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


def test_no_except_clause_of_a_library_catches_it() -> None:
    assert not issubclass(ShutdownRequested, Exception)
