"""The kinds of error: what went wrong, and whether only a person can repair it.

`tinkie/hints.py` has what a person can do about each, `tinkie/error_sentences.py` how to recognise
them in a message of dockerd.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ErrorKind(StrEnum):
    """One kind of error. `permanent`: it stays until a person changes something."""

    permanent: bool

    def __new__(cls, value: str, permanent: bool = False) -> Self:  # noqa: FBT001,FBT002 - the enum's table
        """Create a member from its name and whether it is permanent."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.permanent = permanent
        return member

    # On the way to the server
    NAME_RESOLUTION = "name-resolution"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CUT_OFF = "cut-off"
    DAMAGED = "damaged"
    PROXY_REFUSED = "proxy-refused", True

    # TLS
    CERTIFICATE_UNTRUSTED = "certificate-untrusted", True
    CERTIFICATE_NAME = "certificate-name", True
    CERTIFICATE_TIME = "certificate-time"  # it heals when the clock is set
    CERTIFICATE_INVALID = "certificate-invalid", True
    CLIENT_CERTIFICATE = "client-certificate", True
    TLS_MISMATCH = "tls-mismatch", True
    PLAIN_HTTP = "plain-http", True

    # The server's answer
    DENIED = "denied", True
    POLICY = "policy", True
    NOT_FOUND = "not-found", True
    TOO_MANY_REQUESTS = "too-many-requests"
    SERVER_ERROR = "server-error"
    BAD_REQUEST = "bad-request", True
    BAD_ANSWER = "bad-answer", True

    # The image
    WRONG_PLATFORM = "wrong-platform", True
    BAD_IMAGE = "bad-image", True
    BAD_ENTRYPOINT = "bad-entrypoint", True
    OUT_OF_SPACE = "out-of-space", True

    # This machine
    ENGINE_NOT_READY = "engine-not-ready"
    ENGINE_FAILED = "engine-failed"
    BAD_PARAMETER = "bad-parameter", True
    BUG = "bug"
    OTHER = "other"


_BY_STATUS = {
    401: ErrorKind.DENIED,
    403: ErrorKind.DENIED,
    404: ErrorKind.NOT_FOUND,
    407: ErrorKind.PROXY_REFUSED,
    408: ErrorKind.TIMEOUT,
    410: ErrorKind.NOT_FOUND,
    425: ErrorKind.TOO_MANY_REQUESTS,
    429: ErrorKind.TOO_MANY_REQUESTS,
    451: ErrorKind.POLICY,
}


def error_kind_of_status(status: int) -> ErrorKind:
    """Return the kind of an HTTP status that is not a success."""
    fallback = ErrorKind.SERVER_ERROR if status >= 500 else ErrorKind.BAD_REQUEST  # noqa: PLR2004 - HTTP's classes
    return _BY_STATUS.get(status, fallback)
