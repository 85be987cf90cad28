"""Failures over HTTP as our errors: their kind and their message.

The type of an exception decides, or the code that the system or OpenSSL gives it. Only what is the
same type for httpx (a server that closes, and one that sends no HTTP) is recognised by its wording.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from http import HTTPStatus

from tinkie.error_kinds import ErrorKind, error_kind_of_status
from tinkie.error_sentences import first_in
from tinkie.errors import BootError, deepest_cause, error_for
from tinkie.fetch.deadline import TooSlow
from tinkie.hints import Asked
from tinkie.parameters.types import shown

_BY_ERRNO = {
    errno.ECONNREFUSED: ErrorKind.REFUSED,
    errno.ETIMEDOUT: ErrorKind.TIMEOUT,
    **dict.fromkeys(
        (
            *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN),
            *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES),
        ),
        ErrorKind.UNREACHABLE,
    ),
    **dict.fromkeys(
        (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENETRESET, errno.ENOTCONN),
        ErrorKind.CUT_OFF,
    ),
}

# X509_V_ERR_… of OpenSSL's x509_vfy.h; every other code is about the certificate itself.
_BY_VERIFY_CODE = {
    **dict.fromkeys((2, 18, 19, 20, 21, 27, 28), ErrorKind.CERTIFICATE_UNTRUSTED),
    **dict.fromkeys((9, 10), ErrorKind.CERTIFICATE_TIME),
    **dict.fromkeys((62, 63, 64), ErrorKind.CERTIFICATE_NAME),
}

# SSL_R_… of OpenSSL's sslerr.h, without the prefix; what else there is, is about versions, ciphers
# and extensions.
_BY_TLS_REASON: tuple[tuple[str, ErrorKind], ...] = (
    (
        r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE|PACKET_LENGTH_TOO_LONG",
        ErrorKind.PLAIN_HTTP,
    ),
    (
        r"ALERT_(\w+_)?CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED|TLSV1_(BAD_)?CERTIFICATE_",
        ErrorKind.CLIENT_CERTIFICATE,
    ),
    (r"UNRECOGNIZED_NAME", ErrorKind.CERTIFICATE_NAME),
    (r"ALERT_INTERNAL_ERROR", ErrorKind.SERVER_ERROR),
    (r"EOF|CLOSE_NOTIFY|USER_CANCELLED", ErrorKind.CUT_OFF),
    (r"BAD_RECORD_MAC|ALERT_DECRYPT", ErrorKind.DAMAGED),
)

# h11's words for a connection that ended.
_ENDED = r"(?i)disconnected|closed connection"


def http_error(url: str, error: Exception, *, proxied: bool = False) -> BootError:
    """Return our error for an exception of httpx, or of the system below it.

    proxied: the request went to a proxy.
    """
    ours = deepest_cause(error)
    if isinstance(ours, BootError):  # the deadline came while it was raised
        return ours
    kind, reason = _kind_of(error)
    asked = Asked.PROXY if proxied and _is_about_the_proxy(error) else None
    return error_for(kind)(f"GET {shown(url)}: {reason}", kind=kind, asked=asked)


def status_error(url: str, status: int, retry_after: str | None) -> BootError:
    """Return our error for an HTTP status that is not a success."""
    kind = error_kind_of_status(status)
    message = f"GET {shown(url)}: {status} {_phrase(status)}".strip()
    return error_for(kind)(message, kind=kind, retry_after=retry_after_seconds(retry_after))


def _kind_of(error: Exception) -> tuple[ErrorKind, str]:
    import httpx  # noqa: PLC0415 - as in fetcher.py

    cause = deepest_cause(error)
    reason = str(cause) or str(error) or type(error).__name__
    if isinstance(cause, ssl.SSLError):
        return _kind_of_tls(cause), getattr(cause, "verify_message", reason)
    if isinstance(error, httpx.ProxyError):
        return _kind_of_proxy(str(error)), f"the proxy answers {error}"
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, TooSlow):
        return ErrorKind.TIMEOUT, "no answer in time"
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)):
        return ErrorKind.BAD_REQUEST, reason
    if isinstance(error, httpx.RemoteProtocolError) and not re.search(_ENDED, reason):
        return ErrorKind.BAD_ANSWER, reason
    return _kind_of_system(cause), reason


def _kind_of_system(error: BaseException) -> ErrorKind:
    """Return the kind of an error of the system; any other ended the connection."""
    if isinstance(error, socket.gaierror):
        return ErrorKind.NAME_RESOLUTION
    fallback = ErrorKind.OTHER if isinstance(error, OSError) else ErrorKind.CUT_OFF
    return _BY_ERRNO.get(getattr(error, "errno", None) or 0, fallback)


def _kind_of_tls(error: ssl.SSLError) -> ErrorKind:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, ErrorKind.CERTIFICATE_INVALID)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return ErrorKind.CUT_OFF
    return first_in(_BY_TLS_REASON, error.reason or "") or ErrorKind.TLS_MISMATCH


def _kind_of_proxy(status: str) -> ErrorKind:
    """Return the kind of a proxy's answer to CONNECT, such as `407 Authentication Required`."""
    number = status.partition(" ")[0]
    kind = error_kind_of_status(int(number) if number.isdecimal() else HTTPStatus.BAD_GATEWAY)
    return ErrorKind.PROXY_REFUSED if kind is ErrorKind.DENIED else kind


def _is_about_the_proxy(error: Exception) -> bool:
    """Return whether the proxy failed, not the server behind it: TLS is the server's."""
    import httpx  # noqa: PLC0415 - as in fetcher.py

    if isinstance(deepest_cause(error), ssl.SSLError):
        return False
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after_seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After in seconds; the form with a date would need a correct clock."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
