"""The outer loop of both programs: restart whatever ends, without end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn

from tinkie.errors import PermanentError, as_boot_error, traceback_of
from tinkie.policy import (
    CRASH_LOOP_ENDS,
    HEALTHY_AFTER_SECONDS,
    RETRY_SLOWLY_CEILING_SECONDS,
    RETRY_SLOWLY_FIRST_SECONDS,
    RETRY_SOON_CEILING_SECONDS,
    RETRY_SOON_FIRST_SECONDS,
)
from tinkie.running.backoff import Backoff
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinkie.errors import BootError

log = get_logger()

SOON = Backoff(first=RETRY_SOON_FIRST_SECONDS, ceiling=RETRY_SOON_CEILING_SECONDS)
SLOWLY = Backoff(first=RETRY_SLOWLY_FIRST_SECONDS, ceiling=RETRY_SLOWLY_CEILING_SECONDS)


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

    `run` gets a function to call once it is up. The back-off is `soon`, or `slowly` after a
    PermanentError. It starts anew once `run` has been up for `healthy_after` seconds; the time
    before it was up does not count. Any other exception is a bug, and is treated as a BootError:
    if it ended the program, the program would start again without the back-off.
    """
    failures = 0
    while True:
        up: list[float] = []
        error = _run(partial(run, lambda: up.append(now())))  # noqa: B023 - run ends in this turn
        healthy = bool(up) and now() - up[0] >= healthy_after
        failures = 1 if healthy else failures + 1
        policy = slowly if isinstance(error, PermanentError) else soon
        seconds = policy.delay(failures, error)
        _log_end(error, failures, seconds)
        pause(seconds)


def _run(run: Callable[[], None]) -> BootError | None:
    try:
        run()
    except Exception as error:  # noqa: BLE001 - see supervise
        return as_boot_error(error)
    return None


def _log_end(error: BootError | None, failures: int, seconds: float) -> None:
    next_step = f"trying again in {seconds:.1f} s"
    if error is None and failures >= CRASH_LOOP_ENDS:
        log.error(
            "run.crash_looping",
            phase="crash loop",
            reason=f"{failures} ends in a row without a healthy run",
            hint="see the last lines of what ended, above",
            next=next_step,
        )
        return
    if error is None:
        log.warning("run.ended", next=next_step)
        return
    hint = {"hint": error.hint} if error.hint else {}
    log.error(
        "run.failed",
        error=str(error),
        kind=str(error.kind),
        **hint,
        next=next_step,
        exc_info=traceback_of(error),
    )
