"""What went wrong over HTTP: which kind it is, and what there is to say of it."""

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
    """Return our error for what httpx, or the system below it, raised on the way to `url`."""
    kind, said = _kind_of(error)
    return error_for(kind)(f"GET {shown(url)}: {said}", kind=kind)


def status_error(url: str, status: int, retry_after: str | None) -> BootError:
    """Return our error for an answer that is no success."""
    kind = error_kind_of_status(status)
    said = f"{status} {_reason(status)}".strip()
    message = f"GET {shown(url)}: {said}"
    return error_for(kind)(message, kind=kind, retry_after=seconds_asked(retry_after))


def _kind_of(error: Exception) -> tuple[ErrorKind, str]:
    import httpx  # noqa: PLC0415 - as in fetch.py

    cause = deepest_cause(error)
    said = str(cause) or str(error) or type(error).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _kind_of_certificate(cause), cause.verify_message
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)):
        return ErrorKind.BAD_REQUEST, said
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, TooSlow):
        return ErrorKind.TIMEOUT, "no answer in time"
    return _kind_of_text(said), said


def _kind_of_text(said: str) -> ErrorKind:
    if "name or service not known" in said.lower() or "name resolution" in said.lower():
        return ErrorKind.NAME_RESOLUTION
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said:
        return ErrorKind.PLAIN_HTTP
    kind = error_kind_in(said)
    return ErrorKind.CUT_OFF if kind is ErrorKind.OTHER else kind


def _kind_of_certificate(error: ssl.SSLCertVerificationError) -> ErrorKind:
    """Tell OpenSSL's verify codes apart: 9 and 10 are about time, 62 to 64 about names."""
    by_code = {9: ErrorKind.CERTIFICATE_TIME, 10: ErrorKind.CERTIFICATE_TIME}
    names = dict.fromkeys((62, 63, 64), ErrorKind.CERTIFICATE_NAME)
    return (by_code | names).get(error.verify_code, ErrorKind.CERTIFICATE_UNTRUSTED)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def seconds_asked(retry_after: str | None) -> float | None:
    """Read a Retry-After in seconds; the form with a date needs a clock that is right."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
