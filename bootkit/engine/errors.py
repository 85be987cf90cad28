"""The exceptions of the Docker library as our errors: the attempt, and the cause."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bootkit.engine.interface import EngineNotReady
from tinkie.error_kinds import ErrorKind
from tinkie.error_sentences import read
from tinkie.errors import (
    NONSENSE,
    PermanentError,
    TransientError,
    deepest_cause,
    error_for,
)
from tinkie.hints import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated(attempt: str, asked: Asked = Asked.ENGINE) -> Iterator[None]:
    """Turn exceptions of the Docker library and those below it into our errors.

    asked: whom the engine's own words are about; without an answer it is always the engine.
    """
    import docker  # noqa: PLC0415 - costs 120 ms; see DockerEngine.connect

    try:
        yield
    except docker.errors.APIError as error:
        text = str(error.explanation or error)
        raise error_from(attempt, text, error.response, asked) from error
    except _other_exceptions() as error:
        if _is_timeout(error):
            message = f"{attempt}: no answer in time"
            raise TransientError(message, kind=ErrorKind.TIMEOUT, asked=Asked.ENGINE) from error
        raise EngineNotReady(f"{attempt}: {plain_reason(error)}") from error


def _other_exceptions() -> tuple[type[Exception], ...]:
    import docker  # noqa: PLC0415 - as above
    import requests  # noqa: PLC0415 - below docker, which passes its errors on
    import urllib3  # noqa: PLC0415 - below requests

    return (
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        *NONSENSE,  # an answer that is cut off, or malformed
    )


def error_from(
    attempt: str, text: str, response: Any, asked: Asked = Asked.ENGINE
) -> TransientError | PermanentError:
    """Return our error for the engine's text; the status of `response` decides if it is vague."""
    kind, asked = read(text, asked)
    status = getattr(response, "status_code", None)
    if kind is ErrorKind.OTHER and status == 404:  # noqa: PLR2004 - HTTP: no such container
        kind = ErrorKind.NOT_FOUND
    elif kind is ErrorKind.OTHER and asked is Asked.ENGINE:
        kind = ErrorKind.ENGINE_FAILED
    return error_for(kind)(f"{attempt}: {text.strip()}", kind=kind, asked=asked)


def _is_timeout(error: BaseException) -> bool:
    """Look inside, too: requests raises another error if the answer had begun."""
    import requests  # noqa: PLC0415 - as above
    import urllib3  # noqa: PLC0415 - as above

    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    inside = (error, error.__context__, *error.args)
    return any(isinstance(one, timeouts) for one in inside)


def plain_reason(error: BaseException) -> str:
    """Return the text of the innermost error."""
    error = deepest_cause(error)
    text = repr(error) if isinstance(error, KeyError) else str(error)
    return getattr(error, "strerror", None) or text or type(error).__name__
