"""How long to wait before the next try: exponential back-off with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tinkie.errors import BootError, TransientError
from tinkie.policy import BACKOFF_FLOOR_SHARE, RETRY_AFTER_LIMIT_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Backoff:
    """Wait a random time below a bound that doubles from `first` to `ceiling` seconds.

    The jitter spreads machines that failed in the same second. `chance` returns a number from 0 to
    1; Python seeds it from the kernel's entropy, so it differs between machines, and a test passes
    its own. `attempts` bounds how often `retrying` tries; None means without end.
    """

    first: float
    ceiling: float
    attempts: int | None = None
    chance: Callable[[], float] = random.random

    def delay(self, failures: int, error: Exception | None = None) -> float:
        """Return the seconds to wait after 1, 2, ... failures in a row; 0 after none.

        A Retry-After in `error` (an hour at most) is honoured in full. Every machine gets the
        same one, so jitter is added to it: up to as much again, `ceiling` at most.
        """
        if failures < 1:
            return 0.0
        bound = min(self.first * 2 ** min(failures - 1, 62), self.ceiling)
        ours = self._between(min(BACKOFF_FLOOR_SHARE * self.first, bound), bound)
        requested = _requested(error)
        return max(ours, self._between(requested, requested + min(requested, self.ceiling)))

    def _between(self, low: float, high: float) -> float:
        return low + self.chance() * (high - low)

    def retrying(
        self,
        pause: Callable[[float], None],
        *,
        on: type[Exception] = TransientError,
        on_wait: Callable[[Exception, float], None] | None = None,
    ) -> tenacity.Retrying:
        """Return an object that calls a function until it does not raise `on`.

        Use it as `retrying(pause)(function, ...)`. It calls `on_wait` with the error and the
        seconds before each wait; the default logs them. It raises the last error unchanged when the
        attempts are used up.
        """
        import tenacity  # noqa: PLC0415 - costs 20 ms, which a program pays only if it has to wait

        forever = tenacity.stop_never
        return tenacity.Retrying(
            sleep=pause,
            retry=tenacity.retry_if_exception_type(on),
            wait=lambda state: self.delay(state.attempt_number, _error(state)),
            stop=forever if self.attempts is None else tenacity.stop_after_attempt(self.attempts),
            before_sleep=lambda state: (on_wait or log_wait)(_error(state), state.upcoming_sleep),
            reraise=True,
        )


@dataclass(slots=True, eq=False, repr=False)
class Schedule:
    """Decide when to retry something beside other work.

    The first try is due at once, the next one a `backoff` after each failure. `now` returns
    monotonic seconds.
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
        """Delay the next try by the back-off, or by the Retry-After in `error`; return the wait."""
        self.failures += 1
        wait = self.backoff.delay(self.failures, error)
        self.due_at = self.now() + wait
        return wait

    def reset(self) -> None:
        """Forget the failures; the next try is due at once."""
        self.failures, self.due_at = 0, self.now()


def _requested(error: Exception | None) -> float:
    requested = error.retry_after if isinstance(error, BootError) else None
    return min(requested or 0.0, RETRY_AFTER_LIMIT_SECONDS)


def log_wait(error: Exception, seconds: float) -> None:
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
