"""The outer loop of both programs: whatever ends is started again, for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import structlog

from bootkit.shared.errors import BootError, PermanentError
from bootkit.shared.retry import Backoff, wait_after

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

SOON = Backoff(first=1.0, ceiling=60.0)
SLOWLY = Backoff(first=15.0, ceiling=60.0)
HEALTHY_AFTER_SECONDS = 60.0


def supervise(
    run: Callable[[], None],
    *,
    pause: Callable[[float], None],
    now: Callable[[], float],
    soon: Backoff = SOON,
    slowly: Backoff = SLOWLY,
    healthy_after: float = HEALTHY_AFTER_SECONDS,
) -> NoReturn:
    """Call `run` again whenever it returns or raises a BootError; never returns.

    The waits grow as `soon` says, or `slowly` after a PermanentError, and start from the beginning
    once a run has lasted `healthy_after` seconds. Any other exception is a bug and leaves this
    function.
    """
    failures = 0
    while True:
        started = now()
        error = _run(run)
        failures = 1 if now() - started >= healthy_after else failures + 1
        policy = slowly if isinstance(error, PermanentError) else soon
        seconds = wait_after(error, policy.delay(failures))
        _tell(error, seconds)
        pause(seconds)


def _run(run: Callable[[], None]) -> BootError | None:
    try:
        run()
    except BootError as error:
        return error
    return None


def _tell(error: BootError | None, seconds: float) -> None:
    what_next = f"trying again in {seconds:.1f} s"
    if error is None:
        log.warning("run.ended", next=what_next)
        return
    hint = {"hint": error.hint} if error.hint else {}
    log.error("run.failed", error=str(error), fault=str(error.fault), **hint, next=what_next)
