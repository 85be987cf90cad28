"""The kinds of error, what a person can do about each, and how to recognise them in text.

dockerd reports the cause of a failed pull only as an English sentence from one of several Go
libraries. The patterns are tested against sentences of dockerd 20.10 and 26.1.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self


class ErrorKind(StrEnum):
    """One kind of error: what a person can do, and whether only a person can repair it."""

    hint: str
    permanent: bool

    def __new__(cls, value: str, hint: str = "", permanent: bool = False) -> Self:  # noqa: FBT001,FBT002 - the enum's table
        """Create a member from its name, its hint and whether it is permanent."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.hint = hint
        member.permanent = permanent
        return member

    NAME_RESOLUTION = (
        "name-resolution",
        "check the host name and the DNS servers that DHCP provides",
    )
    REFUSED = "refused", "nothing listens there: check address and port, and that the service runs"
    UNREACHABLE = "unreachable", "check this machine's address, gateway and VLAN"
    TIMEOUT = "timeout", "no answer: check firewalls and the VLAN, and that the service runs"
    CUT_OFF = "cut-off", "the connection closed early: check the service, and proxies on the way"
    DENIED = "denied", "check registry_username and registry_password", True
    NOT_FOUND = (
        "not-found",
        "check the URL; for an image its name and tag, and that it was pushed",
        True,
    )
    TOO_MANY_REQUESTS = (
        "too-many-requests",
        "the server limits its requests: retries wait as long as it demands",
    )
    SERVER_ERROR = "server-error", "check the log of the server"
    BAD_REQUEST = "bad-request", "the server rejects the request: check the URL", True
    BAD_ANSWER = "bad-answer", "another service answers at that URL: check it", True
    CERTIFICATE_UNTRUSTED = (
        "certificate-untrusted",
        "give the CA certificate by registry_ca_url or packet_base_url, or use insecure_registries",
        True,
    )
    CERTIFICATE_NAME = (
        "certificate-name",
        "the certificate is for another host name: use a name in it, or issue a new one",
        True,
    )
    CERTIFICATE_TIME = (
        "certificate-time",
        "check the clock (ntp=) and the validity dates of the certificate",
    )
    PLAIN_HTTP = (
        "plain-http",
        "the server uses plain HTTP on this port: list it in insecure_registries, or enable TLS",
        True,
    )
    OUT_OF_SPACE = (
        "out-of-space",
        "not enough memory for the image: use a smaller image, or a machine with more memory",
        True,
    )
    ENGINE_NOT_READY = "engine-not-ready", "tink-docker restarts the engine: see its lines"
    BAD_PARAMETER = "bad-parameter", "correct the kernel parameters and reboot", True
    BUG = "bug", "report it with the log: the program itself is wrong"
    OTHER = "other"


_HTTP_STATUS = re.compile(r"HTTP (?:status: )?([45]\d\d)\b")

# The first match decides, so the narrow patterns come first.
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
    """Return the kind of an error sentence; ErrorKind.OTHER if no pattern matches."""
    for pattern, kind in _PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind
    status = _HTTP_STATUS.search(text)
    return error_kind_of_status(int(status[1])) if status else ErrorKind.OTHER


def error_kind_of_status(status: int) -> ErrorKind:
    """Return the kind of an HTTP status that is not a success."""
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
