"""What went wrong over HTTP: which fault it is, and what there is to say of it."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from tinkie.error_kinds import Fault, fault_in, fault_of_status
from tinkie.errors import deepest_cause, error_for
from tinkie.fetch.deadline import TooSlow
from tinkie.parameters.types import shown

if TYPE_CHECKING:
    from tinkie.errors import BootError


def http_error(url: str, error: Exception) -> BootError:
    """Return our error for what httpx, or the system below it, raised on the way to `url`."""
    fault, said = _fault_of(error)
    return error_for(fault)(f"GET {shown(url)}: {said}", fault=fault)


def status_error(url: str, status: int, retry_after: str | None) -> BootError:
    """Return our error for an answer that is no success."""
    fault = fault_of_status(status)
    said = f"{status} {_reason(status)}".strip()
    message = f"GET {shown(url)}: {said}"
    return error_for(fault)(message, fault=fault, retry_after=seconds_asked(retry_after))


def _fault_of(error: Exception) -> tuple[Fault, str]:
    import httpx  # noqa: PLC0415 - as in fetch.py

    cause = deepest_cause(error)
    said = str(cause) or str(error) or type(error).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _fault_of_certificate(cause), cause.verify_message
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)):
        return Fault.BAD_REQUEST, said
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, TooSlow):
        return Fault.TIMEOUT, "no answer in time"
    return _fault_of_text(said), said


def _fault_of_text(said: str) -> Fault:
    if "name or service not known" in said.lower() or "name resolution" in said.lower():
        return Fault.NAME_RESOLUTION
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said:
        return Fault.PLAIN_HTTP
    fault = fault_in(said)
    return Fault.CUT_OFF if fault is Fault.OTHER else fault


def _fault_of_certificate(error: ssl.SSLCertVerificationError) -> Fault:
    """Tell OpenSSL's verify codes apart: 9 and 10 are about time, 62 to 64 about names."""
    by_code = {9: Fault.CERTIFICATE_TIME, 10: Fault.CERTIFICATE_TIME}
    names = dict.fromkeys((62, 63, 64), Fault.CERTIFICATE_NAME)
    return (by_code | names).get(error.verify_code, Fault.CERTIFICATE_UNTRUSTED)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def seconds_asked(retry_after: str | None) -> float | None:
    """Read a Retry-After in seconds; the form with a date needs a clock that is right."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
