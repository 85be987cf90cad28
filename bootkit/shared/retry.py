"""How long to wait before the next try; who waits, and on what, is the caller's."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bootkit.shared.errors import BootError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from `first` to `ceiling` seconds, each up to `jitter` (a share) off.

    `attempts` bounds how often `retrying` tries; None is without end.
    """

    first: float
    ceiling: float
    jitter: float = 0.25
    attempts: int | None = None

    def delay(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait after 1, 2, ... failures in a row; 0 after none."""
        if failures < 1:
            return 0.0
        doubled = self.first * 2 ** min(failures - 1, 62)
        return float(min(doubled, self.ceiling)) * (1 + self.jitter * (2 * chance() - 1))

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
            wait=lambda state: wait_after(_error(state), self.delay(state.attempt_number)),
            stop=forever if self.attempts is None else tenacity.stop_after_attempt(self.attempts),
            before_sleep=lambda state: (tell or tell_wait)(_error(state), state.upcoming_sleep),
            reraise=True,
        )


def wait_after(error: Exception | None, delay: float) -> float:
    """Return the longer of `delay` and what the other side asked for (at most an hour), seconds."""
    asked = error.retry_after if isinstance(error, BootError) else None
    return delay if asked is None else max(delay, min(asked, 3600.0))


def tell_wait(error: Exception, seconds: float) -> None:
    """Log one wait."""
    fault = error.fault if isinstance(error, BootError) else type(error).__name__
    next_step = f"trying again in {seconds:.1f} s"
    log.warning("retry.scheduled", error=str(error), fault=str(fault), next=next_step)


def _error(state: tenacity.RetryCallState) -> Exception:
    """Return what the last try raised; tenacity waits only after a failure."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Exception):
        raise TypeError(f"waiting after {error!r}")
    return error
