"""The kinds of error that people meet, in plain words, and how to recognise them in text.

dockerd tells why a pull failed only in English sentences that come from several Go libraries; the
patterns are tested against sentences of dockerd 20.10 and 26.1.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self


class ErrorKind(StrEnum):
    """One kind of kind: whether it heals without a person, and what a person can do."""

    hint: str
    permanent: bool

    def __new__(cls, value: str, hint: str = "", permanent: bool = False) -> Self:  # noqa: FBT001,FBT002 - the enum's table
        """Make a member of its name, its hint and whether it is permanent."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.hint = hint
        member.permanent = permanent
        return member

    NAME_RESOLUTION = "name-resolution", "check the name and the DNS servers that DHCP gave"
    REFUSED = "refused", "nothing listens there: check address and port, and that the service runs"
    UNREACHABLE = "unreachable", "check the machine's address, its gateway and VLAN"
    TIMEOUT = "timeout", "no answer: check firewalls, VLAN and that the service runs"
    CUT_OFF = "cut-off", "the connection ended early: check the service and what is in between"
    DENIED = "denied", "check registry_username and registry_password", True
    NOT_FOUND = (
        "not-found",
        "nothing has that name there: check the address; an image's tag, and that it was pushed",
        True,
    )
    TOO_MANY_REQUESTS = "too-many-requests", "the server asks for patience"
    SERVER_ERROR = "server-error", "look at the server's own log"
    BAD_REQUEST = "bad-request", "the server does not take the request: check the address", True
    BAD_ANSWER = "bad-answer", "something else answers at that address", True
    CERTIFICATE_UNTRUSTED = (
        "certificate-untrusted",
        "give the authority by registry_ca_url or packet_base_url, or use insecure_registries",
        True,
    )
    CERTIFICATE_NAME = (
        "certificate-name",
        "the certificate is for another name: use a name that it has, or make a new one",
        True,
    )
    CERTIFICATE_TIME = (
        "certificate-time",
        "the clock or the certificate is wrong: check ntp= and the certificate's dates",
    )
    PLAIN_HTTP = (
        "plain-http",
        "the server speaks plain HTTP on this port: list it in insecure_registries, or give it TLS",
        True,
    )
    OUT_OF_SPACE = (
        "out-of-space",
        "the images do not fit into memory: use smaller ones or give the machine more",
        True,
    )
    ENGINE_NOT_READY = "engine-not-ready", "tink-docker starts the engine again: see its lines"
    BAD_PARAMETER = "bad-parameter", "correct the kernel parameters and boot again", True
    OTHER = "other"


_HTTP_STATUS = re.compile(r"HTTP (?:status: )?([45]\d\d)\b")

# The first pattern that is found decides; the narrow ones come first.
_PATTERNS: tuple[tuple[str, ErrorKind], ...] = (
    (r"no space left on device|disk quota exceeded", ErrorKind.OUT_OF_SPACE),
    (r"server gave HTTP response to HTTPS client", ErrorKind.PLAIN_HTTP),
    (
        r"certificate has expired or is not yet valid|certificate is not valid yet",
        ErrorKind.CERTIFICATE_TIME,
    ),
    (
        r"certificate is valid for|not valid for any names|doesn't contain any IP SANs",
        ErrorKind.CERTIFICATE_NAME,
    ),
    (r"cannot validate certificate for", ErrorKind.CERTIFICATE_NAME),
    (r"relies on legacy Common Name", ErrorKind.CERTIFICATE_NAME),
    (r"x509:|tls: failed to verify certificate|bad certificate", ErrorKind.CERTIFICATE_UNTRUSTED),
    (
        r"no such host|server misbehaving|temporary failure in name resolution",
        ErrorKind.NAME_RESOLUTION,
    ),
    (
        r"lookup \S+( on \S+)?: .*(timeout|connection refused|unreachable)",
        ErrorKind.NAME_RESOLUTION,
    ),
    (r"connection refused", ErrorKind.REFUSED),
    (r"no route to host|network is unreachable|host is down", ErrorKind.UNREACHABLE),
    (r"too ?many ?requests", ErrorKind.TOO_MANY_REQUESTS),
    (r"pull access denied|repository does not exist", ErrorKind.DENIED),
    (
        r"manifest unknown|manifest for .* not found|name unknown|no matching manifest",
        ErrorKind.NOT_FOUND,
    ),
    (r"no such image|404 not found", ErrorKind.NOT_FOUND),
    (r"unauthorized|no basic auth credentials|authentication required", ErrorKind.DENIED),
    (
        r"forbidden|access denied|denied:|incorrect username or password",
        ErrorKind.DENIED,
    ),
    (r"invalid reference format|invalid repository name", ErrorKind.BAD_REQUEST),
    (
        r"i/o timeout|timeout exceeded|deadline exceeded|handshake timeout|timed out",
        ErrorKind.TIMEOUT,
    ),
    (
        r"unexpected EOF|\bEOF\b|connection reset|broken pipe|use of closed network",
        ErrorKind.CUT_OFF,
    ),
    (r"internal server error|bad gateway|service unavailable", ErrorKind.SERVER_ERROR),
)


def error_kind_in(text: str) -> ErrorKind:
    """Recognise a kind in an English sentence; ErrorKind.OTHER if none of the patterns is in it."""
    for pattern, kind in _PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind
    status = _HTTP_STATUS.search(text)
    return error_kind_of_status(int(status[1])) if status else ErrorKind.OTHER


def error_kind_of_status(status: int) -> ErrorKind:
    """Say what an HTTP status that is no success means."""
    known = {
        401: ErrorKind.DENIED,
        403: ErrorKind.DENIED,
        404: ErrorKind.NOT_FOUND,
        410: ErrorKind.NOT_FOUND,
    }
    soon = {
        408: ErrorKind.TIMEOUT,
        425: ErrorKind.TOO_MANY_REQUESTS,
        429: ErrorKind.TOO_MANY_REQUESTS,
    }
    fallback = ErrorKind.SERVER_ERROR if status >= 500 else ErrorKind.BAD_REQUEST  # noqa: PLR2004 - HTTP's classes
    return (known | soon).get(status, fallback)
