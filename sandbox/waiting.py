"""The one place where the sandbox lets time pass."""

import time
from collections.abc import Callable
from typing import TypeVar

from release.errors import ReportedError

Found = TypeVar("Found")

POLL_SECONDS = 0.1
# On few cores a costly look slows down what is waited for, so it is done less often.
PAUSE_PER_LOOK = 4
MAX_POLL_SECONDS = 1.0


def wait_for(
    what: str,
    look: Callable[[], Found | None],
    *,
    seconds: float,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Found:
    """Call look until it returns something other than None or False, and return that.

    What it looked for may have come up to MAX_POLL_SECONDS earlier, if a look takes long.
    what: the thing waited for, as it stands in the error ("the registry's answer").
    Raises ReportedError after the given seconds. An error that look raises ends the wait at once.
    """
    deadline = now() + seconds
    while True:
        began = now()
        found = look()
        if found is not None and found is not False:
            return found
        if now() >= deadline:
            raise ReportedError(f"waited {seconds:.0f} s for {what}; it did not come")
        in_proportion = PAUSE_PER_LOOK * (now() - began)
        pause(max(POLL_SECONDS, min(in_proportion, MAX_POLL_SECONDS)))
