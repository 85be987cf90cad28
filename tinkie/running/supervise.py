"""The outer loop of both programs: whatever ends is started again, for ever."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn

import structlog

from tinkie.errors import BootError, PermanentError
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

SOON = Backoff(first=1.0, ceiling=60.0)
SLOWLY = Backoff(first=15.0, ceiling=60.0)
HEALTHY_AFTER_SECONDS = 60.0
CRASH_LOOP = 3  # ends in a row, none of them after health


def supervise(
    run: Callable[[Callable[[], None]], None],
    *,
    pause: Callable[[float], None],
    now: Callable[[], float],
    soon: Backoff = SOON,
    slowly: Backoff = SLOWLY,
    healthy_after: float = HEALTHY_AFTER_SECONDS,
) -> NoReturn:
    """Call `run` again whenever it returns or raises a BootError; never returns.

    `run` gets a function to call once its thing is up. The waits' bounds grow as `soon` says, or
    `slowly` after a PermanentError, and start from the beginning once it has been up for
    `healthy_after` seconds: minutes on the way to a failure are no health. Any other exception is
    a bug and leaves this function.
    """
    failures = 0
    while True:
        up: list[float] = []
        error = _run(partial(run, lambda: up.append(now())))  # noqa: B023 - run ends in this turn
        healthy = bool(up) and now() - up[0] >= healthy_after
        failures = 1 if healthy else failures + 1
        policy = slowly if isinstance(error, PermanentError) else soon
        seconds = policy.delay(failures, error)
        _tell(error, failures, seconds)
        pause(seconds)


def _run(run: Callable[[], None]) -> BootError | None:
    try:
        run()
    except BootError as error:
        return error
    return None


def _tell(error: BootError | None, failures: int, seconds: float) -> None:
    what_next = f"trying again in {seconds:.1f} s"
    if error is None and failures >= CRASH_LOOP:
        log.error(
            "run.crash_looping",
            phase="crash loop",
            reason=f"it ended {failures} times, and never ran for long",
            hint="what it said last is above",
            next=what_next,
        )
        return
    if error is None:
        log.warning("run.ended", next=what_next)
        return
    hint = {"hint": error.hint} if error.hint else {}
    log.error("run.failed", error=str(error), kind=str(error.kind), **hint, next=what_next)
