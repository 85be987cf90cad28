"""What can go wrong, by the one question that the programs ask: is it worth trying again soon?

BootError
  + TransientError      the world is not ready: tried again soon
  + PermanentError      somebody must change something: told, and tried again slowly
      + BadParameters   kernel parameters that make no sense, all of them in one message
ShutdownRequested       not an error: a signal asked us to end
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinkie.error_kinds import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping


_LONGEST_MESSAGE = 2000

NONSENSE = (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError)
"""What comes of reading an answer that has another shape than it should."""


class BootError(Exception):
    """A step failed.

    The message is lower case and has no full stop: what was attempted, on what, what came back. It
    is cut after 2,000 characters: what came back may be a whole page of HTML.
    `hint` says what a person can do about it. `retry_after` is the number of seconds that the
    other side asked us to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = ErrorKind.OTHER,
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(_bounded(message))
        self.kind = kind
        self.hint = hint or kind.hint
        self.retry_after = retry_after


def _bounded(message: str) -> str:
    cut = message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
    return cut.encode(errors="replace").decode()


class TransientError(BootError):
    """The world is not ready yet; the same call may succeed in a moment."""


class PermanentError(BootError):
    """The same call fails until somebody changes something."""


class BadParameters(PermanentError):
    """Kernel parameters that make no sense: `problems` has the reason by the parameter's name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        told = "; ".join(f"{name}: {reason}" for name, reason in self.problems.items())
        super().__init__(f"bad kernel parameters: {told}", kind=ErrorKind.BAD_PARAMETER)


class ShutdownRequested(BaseException):
    """SIGTERM, SIGINT or SIGHUP came.

    It is no Exception, so that no library's `except Exception` takes it for a failure of its own.
    """


def error_for(kind: ErrorKind) -> type[TransientError | PermanentError]:
    """Return the class of error that a kind is raised as."""
    return PermanentError if kind.permanent else TransientError


def deepest_cause(error: BaseException) -> BaseException:
    """Return the innermost error: libraries wrap `Connection refused` three times."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
