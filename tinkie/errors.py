"""The errors of the programs, divided by one question: is it worth retrying soon?

BootError
  + TransientError      may heal without a person: retried soon
  + PermanentError      a person must change something: reported, and retried slowly
      + BadParameters   invalid kernel parameters, all of them in one message
ShutdownRequested       not an error: a signal to end
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tinkie.cut import cut_text
from tinkie.error_kinds import ErrorKind
from tinkie.hints import Asked, hint_for
from tinkie.policy import ERROR_MESSAGE_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


NONSENSE = (LookupError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError)
"""The exceptions that reading a malformed answer raises."""


class BootError(Exception):
    """A step failed.

    The message is lower case and has no full stop: what was attempted, on what, the cause. It is
    cut after ERROR_MESSAGE_CHARACTERS. `asked` is who was asked, None until it is known.
    `retry_after` is the wait in seconds that the server requests.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = ErrorKind.OTHER,
        hint: str = "",
        asked: Asked | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(bounded(message))
        self.kind = kind
        self.asked = asked
        self.given_by = ""
        self.retry_after = retry_after
        self._hint = hint

    @property
    def hint(self) -> str:
        """Return what a person can do: a hint of the error's own, or that of `tinkie/hints.py`."""
        return self._hint or hint_for(self.kind, self.asked or Asked.SERVER, self.given_by)

    @hint.setter
    def hint(self, hint: str) -> None:
        self._hint = hint

    def changed(
        self, message: str, *, hint: str = "", like: type[BootError] | None = None
    ) -> BootError:
        """Return an error with another message, and with all else that is known about this one.

        hint: instead of this one's. like: an error that is as temporary as this class.
        """
        permanent = issubclass(like or type(self), PermanentError)
        made = (PermanentError if permanent else TransientError)(
            message,
            kind=self.kind,
            hint=hint or self._hint,
            asked=self.asked,
            retry_after=self.retry_after,
        )
        made.given_by = self.given_by
        return made

    @property
    def fields(self) -> dict[str, str]:
        """Return what a log line has of it: `error`, `kind`, and `hint` if there is one."""
        hint = {"hint": self.hint} if self.hint else {}
        return {"error": str(self), "kind": str(self.kind)} | hint


def bounded(message: str) -> str:
    """Return a message cut after ERROR_MESSAGE_CHARACTERS, without what is not UTF-8."""
    return cut_text(message, ERROR_MESSAGE_CHARACTERS).encode(errors="replace").decode()


def listed(parts: Iterable[str], separator: str = "; ") -> str:
    """Join what an event lists, in as many characters as a message may have; count the rest."""
    first, *others = [*parts] or [""]
    text = bounded(first)
    for number, part in enumerate(others):
        if len(text) + len(separator) + len(part) > ERROR_MESSAGE_CHARACTERS:
            return f"{text} and {len(others) - number} more"
        text += separator + part
    return text


class TransientError(BootError):
    """The same call may succeed in a moment."""


class PermanentError(BootError):
    """The same call fails until a person changes something."""


class BadParameters(PermanentError):
    """Invalid kernel parameters; `problems` maps each name to the reason."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self.problems.items())
        super().__init__(f"bad kernel parameters: {reasons}", kind=ErrorKind.BAD_PARAMETER)


class ShutdownRequested(BaseException):
    """SIGTERM, SIGINT or SIGHUP arrived.

    It is not an Exception, so that no library's `except Exception` catches it.
    """


@contextmanager
def asking(asked: Asked, given_by: str = "") -> Iterator[None]:
    """Note in a BootError who was asked, unless that is known better below.

    given_by: the parameter with the address.
    """
    try:
        yield
    except BootError as error:
        if error.asked is None:
            error.asked, error.given_by = asked, given_by
        raise


def as_boot_error(error: Exception) -> BootError:
    """Return an error of ours as it is, any other as a bug that it caused."""
    if isinstance(error, BootError):
        return error
    bug = TransientError(f"{type(error).__name__}: {error}", kind=ErrorKind.BUG)
    bug.__cause__ = error
    return bug


def traceback_of(error: BootError) -> BaseException | None:
    """Return what a log shows the traceback of: the cause of a bug, nothing for other errors."""
    return error.__cause__ if error.kind is ErrorKind.BUG else None


def request_behind(error: BaseException | None) -> ShutdownRequested | None:
    """Return the request to stop whose clean-up an error ended, None if there is none."""
    while error is not None and not isinstance(error, ShutdownRequested):
        error = error.__cause__ or error.__context__
    return error


def error_for(kind: ErrorKind) -> type[TransientError | PermanentError]:
    """Return the class to raise an error of this kind as."""
    return PermanentError if kind.permanent else TransientError


def deepest_cause(error: BaseException) -> BaseException:
    """Return the innermost error: libraries wrap `Connection refused` several times."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
