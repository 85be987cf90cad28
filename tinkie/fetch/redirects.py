"""Where a server may redirect a request to, and whether that is another origin.

`FETCH_REDIRECTS_LIMIT` in `tinkie/policy.py` bounds how many are followed.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.types import shown


def redirected(url: str, location: str) -> str:
    """Return the URL to request next; never go from HTTPS to HTTP, which is easy to forge."""
    try:
        new = urljoin(url, location)
    except ValueError as error:
        message = f"GET {shown(url)}: redirected to an invalid URL"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER) from error
    if urlsplit(url).scheme == "https" != urlsplit(new).scheme:
        message = f"GET {shown(url)}: redirected from HTTPS to {shown(new)}"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
    return new


def origin(url: str) -> tuple[str, str] | None:
    """Return scheme and host:port of a URL, or None if it is invalid."""
    try:
        return urlsplit(url)[:2]
    except ValueError:
        return None
