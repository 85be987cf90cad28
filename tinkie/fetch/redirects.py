"""Where a server may lead us, and whether it is another place."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.types import shown


def redirected(url: str, location: str) -> str:
    """Return where to go next: never from HTTPS to a place that anybody could answer for."""
    try:
        new = urljoin(url, location)
    except ValueError as error:
        message = f"GET {shown(url)}: redirected to an address that makes no sense"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER) from error
    if urlsplit(url).scheme == "https" != urlsplit(new).scheme:
        message = f"GET {shown(url)}: redirected from HTTPS to {shown(new)}"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
    return new


def place(url: str) -> tuple[str, str] | None:
    """Return scheme, host and port, or None if that makes no sense."""
    try:
        return urlsplit(url)[:2]
    except ValueError:
        return None
