"""How long to wait before the next try; who waits, and on what, is the caller's."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from tinkie.errors import BootError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

log = structlog.get_logger()

FLOOR = 0.25  # of `first`: chance alone would let two tries, and two lines, follow at once
MOST_ASKED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits anywhere below a bound that doubles from `first` to `ceiling` seconds (full jitter).

    So machines that failed in the same second do not come back in the same second. Their
    `chance`, a number from 0 to 1, differs since Python seeds it from the kernel's entropy; a test
    gives one of its own. `attempts` bounds how often `retrying` tries; None is without end.
    """

    first: float
    ceiling: float
    attempts: int | None = None
    chance: Callable[[], float] = random.random

    def delay(self, failures: int, error: Exception | None = None) -> float:
        """Return the seconds to wait after 1, 2, ... failures in a row; 0 after none.

        What the other side asked for in `error` (at most an hour) is waited for in full. It asked
        every machine for the same, so they come back over as much time again, `ceiling` at most.
        """
        if failures < 1:
            return 0.0
        bound = min(self.first * 2 ** min(failures - 1, 62), self.ceiling)
        ours = self._between(min(FLOOR * self.first, bound), bound)
        asked = _asked(error)
        return max(ours, self._between(asked, asked + min(asked, self.ceiling)))

    def _between(self, low: float, high: float) -> float:
        return low + self.chance() * (high - low)

    def retrying(
        self,
        pause: Callable[[float], None],
        *,
        on: type[Exception] = TransientError,
        tell: Callable[[Exception, float], None] | None = None,
    ) -> tenacity.Retrying:
        """Return what calls a function until it raises no `on`: `retrying(pause)(function, ...)`.

        Before each wait `tell` is called with the error and the seconds; without it each wait is
        logged. The last error is raised as it is when the attempts are used up.
        """
        import tenacity  # noqa: PLC0415 - 20 ms that a program does without until it has to wait

        forever = tenacity.stop_never
        return tenacity.Retrying(
            sleep=pause,
            retry=tenacity.retry_if_exception_type(on),
            wait=lambda state: self.delay(state.attempt_number, _error(state)),
            stop=forever if self.attempts is None else tenacity.stop_after_attempt(self.attempts),
            before_sleep=lambda state: (tell or tell_wait)(_error(state), state.upcoming_sleep),
            reraise=True,
        )


@dataclass(slots=True)
class Schedule:
    """Say when to try something again that is tried beside other work.

    The first try is due at once, the next one after each failure when `backoff` says so. `now`
    returns seconds of a clock that nobody sets.
    """

    backoff: Backoff
    now: Callable[[], float]
    failures: int = field(default=0, init=False)  # in a row
    due_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.due_at = self.now()

    def is_due(self) -> bool:
        """Return whether it is time to try."""
        return self.now() >= self.due_at

    def seconds_left(self) -> float:
        """Return the seconds until the next try, 0 if it is due."""
        return max(self.due_at - self.now(), 0.0)

    def failed(self, error: Exception | None = None) -> float:
        """Put the next try off, as long as `error` asks for if that is longer; return the wait."""
        self.failures += 1
        wait = self.backoff.delay(self.failures, error)
        self.due_at = self.now() + wait
        return wait

    def reset(self) -> None:
        """Forget the failures; the next try is due at once."""
        self.failures, self.due_at = 0, self.now()


def _asked(error: Exception | None) -> float:
    asked = error.retry_after if isinstance(error, BootError) else None
    return min(asked or 0.0, MOST_ASKED_SECONDS)


def tell_wait(error: Exception, seconds: float) -> None:
    """Log one wait."""
    kind = error.kind if isinstance(error, BootError) else type(error).__name__
    next_step = f"trying again in {seconds:.1f} s"
    log.warning("retry.scheduled", error=str(error), kind=str(kind), next=next_step)


def _error(state: tenacity.RetryCallState) -> Exception:
    """Return what the last try raised; tenacity waits only after a failure."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Exception):
        raise TypeError(f"waiting after {error!r}")
    return error
