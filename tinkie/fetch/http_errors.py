"""Failures over HTTP as our errors: their kind and their message."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from tinkie.error_kinds import ErrorKind, error_kind_in, error_kind_of_status
from tinkie.errors import deepest_cause, error_for
from tinkie.fetch.deadline import TooSlow
from tinkie.parameters.types import shown

if TYPE_CHECKING:
    from tinkie.errors import BootError


def http_error(url: str, error: Exception) -> BootError:
    """Return our error for an exception of httpx, or of the system below it."""
    kind, reason = _kind_of(error)
    return error_for(kind)(f"GET {shown(url)}: {reason}", kind=kind)


def status_error(url: str, status: int, retry_after: str | None) -> BootError:
    """Return our error for an HTTP status that is not a success."""
    kind = error_kind_of_status(status)
    message = f"GET {shown(url)}: {status} {_phrase(status)}".strip()
    return error_for(kind)(message, kind=kind, retry_after=retry_after_seconds(retry_after))


def _kind_of(error: Exception) -> tuple[ErrorKind, str]:
    import httpx  # noqa: PLC0415 - as in fetcher.py

    cause = deepest_cause(error)
    reason = str(cause) or str(error) or type(error).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _kind_of_certificate(cause), cause.verify_message
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)):
        return ErrorKind.BAD_REQUEST, reason
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, TooSlow):
        return ErrorKind.TIMEOUT, "no answer in time"
    return _kind_of_text(reason), reason


def _kind_of_text(text: str) -> ErrorKind:
    if "name or service not known" in text.lower() or "name resolution" in text.lower():
        return ErrorKind.NAME_RESOLUTION
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return ErrorKind.PLAIN_HTTP
    kind = error_kind_in(text)
    return ErrorKind.CUT_OFF if kind is ErrorKind.OTHER else kind


def _kind_of_certificate(error: ssl.SSLCertVerificationError) -> ErrorKind:
    """Map OpenSSL's verify codes: 9 and 10 are about time, 62 to 64 about names."""
    by_code = {9: ErrorKind.CERTIFICATE_TIME, 10: ErrorKind.CERTIFICATE_TIME}
    names = dict.fromkeys((62, 63, 64), ErrorKind.CERTIFICATE_NAME)
    return (by_code | names).get(error.verify_code, ErrorKind.CERTIFICATE_UNTRUSTED)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after_seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After in seconds; the form with a date would need a correct clock."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
