"""The outer loop of both programs: restart whatever ends, without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from tinkie.error_kinds import ErrorKind
from tinkie.errors import (
    PermanentError,
    ShutdownRequested,
    as_boot_error,
    request_behind,
    traceback_of,
)
from tinkie.policy import (
    BUGS_UNTIL_RESTART_TIMES,
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
    from tinkie.running.run_record import RunRecord

log = get_logger()

SOON = Backoff(first=RETRY_SOON_FIRST_SECONDS, ceiling=RETRY_SOON_CEILING_SECONDS)
SLOWLY = Backoff(first=RETRY_SLOWLY_FIRST_SECONDS, ceiling=RETRY_SLOWLY_CEILING_SECONDS)


def supervise(
    run: Callable[[Callable[[], None]], None],
    *,
    pause: Callable[[float], None],
    now: Callable[[], float],
    record: RunRecord,
    soon: Backoff = SOON,
    slowly: Backoff = SLOWLY,
) -> NoReturn:
    """Call `run` again whenever it returns or raises a BootError; never returns.

    `run` gets a function to call once it is up, and again beside its work: a note that it is up may
    not have been possible, since /run was full. The back-off is `soon`, or `slowly` after a
    PermanentError. It starts anew once `run` has been up for HEALTHY_AFTER_SECONDS; the time
    before it was up does not count. Any other exception is a bug, and is treated as a BootError.

    `record` continues the back-off of an earlier process that did not end by a signal. Only the
    first restart in a row is immediate. A signal ends the row.

    Raises:
        Exception: BUGS_UNTIL_RESTART_TIMES bugs in a row. What a process holds may be their cause
        (a module of a library, a leak), and a new one has none of it. A tink-docker that ends takes
        the worker with it (ADR 7); but with each of these bugs dockerd has ended, and the worker
        has lost the action that ran. Without a record the new process would not wait; then this
        goes on instead.
    """
    failures, bugs = record.read(), 0
    try:
        _wait_after_crashes(failures, soon, pause)
        while True:
            error, healthy = _run(run, now, record, failures + 1)
            failures = 1 if healthy else failures + 1
            bugs = bugs + 1 if error and error.kind is ErrorKind.BUG else 0
            is_recorded = record.write(failures)
            if error and bugs >= BUGS_UNTIL_RESTART_TIMES and is_recorded:
                raise traceback_of(error) or error
            policy = slowly if isinstance(error, PermanentError) else soon
            seconds = policy.delay(failures, error)
            _log_end(error, failures, seconds)
            pause(seconds)
    except ShutdownRequested:
        record.forget()
        raise


def _wait_after_crashes(failures: int, backoff: Backoff, pause: Callable[[float], None]) -> None:
    """Wait if the earlier process was not asked to stop, and not for the first time in a row.

    It may have ended in a run, or have been killed in the pause after one.
    """
    seconds = backoff.delay(failures - 1)
    if seconds:
        log.warning(
            "run.delayed",
            error=f"{failures} runs in a row failed, and the program ended, or was killed",
            next=f"starting in {seconds:.1f} s",
        )
        pause(seconds)


def _run(
    run: Callable[[Callable[[], None]], None],
    now: Callable[[], float],
    record: RunRecord,
    failures: int,
) -> tuple[BootError | None, bool]:
    """Return how a run ended, and whether it was healthy; `failures` if it was not."""
    up: list[float] = []
    is_noted = False

    def is_up() -> None:
        nonlocal is_noted
        if not up:
            up.append(now())
        is_noted = is_noted or record.write(failures, is_up=True)

    record.write(failures)
    error: BootError | None = None
    try:
        run(is_up)
    except Exception as problem:  # of any kind: it is logged, and another run follows
        error = as_boot_error(problem)
        if request := request_behind(problem):
            _log_failure(error, "stopping, as requested")
            raise ShutdownRequested(*request.args) from problem
    return error, bool(up) and now() - up[0] >= HEALTHY_AFTER_SECONDS


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
    _log_failure(error, next_step)


def _log_failure(error: BootError, next_step: str) -> None:
    log.error("run.failed", **error.fields, next=next_step, exc_info=traceback_of(error))
