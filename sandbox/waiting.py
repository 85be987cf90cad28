"""The only module of the sandbox that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

from release.errors import ReportedError

Found = TypeVar("Found")

POLL_SECONDS = 0.1
# On few cores a slow probe delays what it waits for, so it runs less often.
PAUSE_PER_PROBE = 4
MAX_POLL_SECONDS = 1.0


def wait_for(
    what: str,
    probe: Callable[[], Found | None],
    *,
    seconds: float,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Found:
    """Call probe until it returns something other than None or False, and return that.

    If a probe takes long, its result may be up to MAX_POLL_SECONDS late.
    what: the thing waited for, as the error names it ("the registry's answer").
    Raises ReportedError after the given seconds. An error of probe ends the wait at once.
    """
    deadline = now() + seconds
    while True:
        began = now()
        found = probe()
        if found is not None and found is not False:
            return found
        if now() >= deadline:
            raise ReportedError(f"waited {seconds:.0f} s for {what} in vain")
        in_proportion = PAUSE_PER_PROBE * (now() - began)
        pause(max(POLL_SECONDS, min(in_proportion, MAX_POLL_SECONDS)))
