"""What the Docker library raises, as errors that say what was attempted and what came back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bootkit.engine.interface import EngineNotReady
from tinkie.error_kinds import ErrorKind, error_kind_in
from tinkie.errors import (
    NONSENSE,
    PermanentError,
    TransientError,
    deepest_cause,
    error_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated(attempt: str) -> Iterator[None]:
    """Turn what the Docker library and the HTTP library below it raise into our errors."""
    import docker  # noqa: PLC0415 - costs 120 ms; see DockerEngine.connect

    try:
        yield
    except docker.errors.APIError as error:
        said = str(error.explanation or error)
        raise error_from(attempt, said, error.response) from error
    except _whatever_else() as error:
        if _is_timeout(error):
            message = f"{attempt}: no answer in time"
            raise TransientError(message, kind=ErrorKind.TIMEOUT) from error
        raise EngineNotReady(f"{attempt}: {plainly(error)}") from error


def _whatever_else() -> tuple[type[Exception], ...]:
    import docker  # noqa: PLC0415 - as above
    import requests  # noqa: PLC0415 - the library below docker's, whose errors it lets through
    import urllib3  # noqa: PLC0415 - and the one below that

    return (
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        *NONSENSE,  # half a message is no JSON; and a whole one may be anything
    )


def error_from(attempt: str, said: str, response: Any) -> TransientError | PermanentError:
    """Return the error for what the engine said; `response` may have a status that tells more."""
    kind = error_kind_in(said)
    status = getattr(response, "status_code", None)
    if kind is ErrorKind.OTHER and status == 404:  # noqa: PLR2004 - HTTP: no such container
        kind = ErrorKind.NOT_FOUND
    return error_for(kind)(f"{attempt}: {said.strip()}", kind=kind)


def _is_timeout(error: BaseException) -> bool:
    """Look inside, too: requests calls it no timeout if the answer had begun."""
    import requests  # noqa: PLC0415 - as above
    import urllib3  # noqa: PLC0415 - as above

    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    inside = (error, error.__context__, *error.args)
    return any(isinstance(one, timeouts) for one in inside)


def plainly(error: BaseException) -> str:
    """Return the innermost reason, in words."""
    error = deepest_cause(error)
    said = repr(error) if isinstance(error, KeyError) else str(error)
    return getattr(error, "strerror", None) or said or type(error).__name__
