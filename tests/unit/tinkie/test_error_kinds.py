from __future__ import annotations

import pytest

from tinkie.error_kinds import ErrorKind, error_kind_in, error_kind_of_status
from tinkie.errors import PermanentError, TransientError, error_for

# Errors of dockerd, some of them from the registry.
SENTENCES = [
    ("dial tcp: lookup reg.invalid on 10.0.2.3:53: no such host", ErrorKind.NAME_RESOLUTION),
    ("dial tcp: lookup reg.example on 10.0.2.3:53: server misbehaving", ErrorKind.NAME_RESOLUTION),
    (
        "dial tcp: lookup reg.example: Temporary failure in name resolution",
        ErrorKind.NAME_RESOLUTION,
    ),
    (
        "dial tcp: lookup r.example on 10.0.0.1:53: read udp 10.0.0.2:34->10.0.0.1:53: i/o timeout",
        ErrorKind.NAME_RESOLUTION,
    ),
    (
        "lookup r on 127.0.0.1:53: read udp 127.0.0.1:3->127.0.0.1:53: connection refused",
        ErrorKind.NAME_RESOLUTION,
    ),
    ('Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', "refused"),
    ("dial tcp 10.0.0.9:443: connect: no route to host", ErrorKind.UNREACHABLE),
    ("dial tcp 10.0.0.9:443: connect: network is unreachable", ErrorKind.UNREACHABLE),
    ("dial tcp 10.0.0.9:443: i/o timeout", ErrorKind.TIMEOUT),
    (
        "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        ErrorKind.TIMEOUT,
    ),
    ("net/http: TLS handshake timeout", ErrorKind.TIMEOUT),
    ("context deadline exceeded", ErrorKind.TIMEOUT),
    ('Get "https://r/v2/": no basic auth credentials', ErrorKind.DENIED),
    ("unauthorized: authentication required", ErrorKind.DENIED),
    ("unauthorized: incorrect username or password", ErrorKind.DENIED),
    ("denied: requested access to the resource is denied", ErrorKind.DENIED),
    (
        "pull access denied for x, repository does not exist or may require 'docker login'",
        ErrorKind.DENIED,
    ),
    ("received unexpected HTTP status: 403 Forbidden", ErrorKind.DENIED),
    ("manifest for r/x:1 not found: manifest unknown: manifest unknown", ErrorKind.NOT_FOUND),
    ("No such image: r/x:1", ErrorKind.NOT_FOUND),
    ("name unknown: repository name not known to registry", ErrorKind.NOT_FOUND),
    ("no matching manifest for linux/amd64 in the manifest list entries", ErrorKind.NOT_FOUND),
    ("error parsing HTTP 404 response body: 404 not found", ErrorKind.NOT_FOUND),
    ('error parsing HTTP 403 response body: unexpected end of JSON input: ""', ErrorKind.DENIED),
    (
        'error parsing HTTP 429 response body: unexpected end of JSON input: ""',
        ErrorKind.TOO_MANY_REQUESTS,
    ),
    ("toomanyrequests: You have reached your pull rate limit.", ErrorKind.TOO_MANY_REQUESTS),
    ("received unexpected HTTP status: 429 Too Many Requests", ErrorKind.TOO_MANY_REQUESTS),
    ("x509: certificate signed by unknown authority", ErrorKind.CERTIFICATE_UNTRUSTED),
    (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ErrorKind.CERTIFICATE_UNTRUSTED,
    ),
    (
        "x509: certificate has expired or is not yet valid: current time 2036-01-01T00:00:00Z is",
        ErrorKind.CERTIFICATE_TIME,
    ),
    ("x509: certificate is valid for other.example, not r.example", ErrorKind.CERTIFICATE_NAME),
    (
        "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
        ErrorKind.CERTIFICATE_NAME,
    ),
    ("http: server gave HTTP response to HTTPS client", ErrorKind.PLAIN_HTTP),
    (
        "failed to register layer: write /bin/x: no space left on device",
        ErrorKind.OUT_OF_SPACE,
    ),
    ("unexpected EOF", ErrorKind.CUT_OFF),
    ("read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer", ErrorKind.CUT_OFF),
    ("received unexpected HTTP status: 500 Internal Server Error", ErrorKind.SERVER_ERROR),
    ("received unexpected HTTP status: 503 Service Unavailable", ErrorKind.SERVER_ERROR),
    ("invalid reference format", ErrorKind.BAD_REQUEST),
    ("something nobody has seen before", ErrorKind.OTHER),
]


@pytest.mark.parametrize(("sentence", "kind"), SENTENCES)
def test_a_sentence_has_its_kind(sentence: str, kind: ErrorKind) -> None:
    assert error_kind_in(sentence) == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.BAD_REQUEST),
        (401, ErrorKind.DENIED),
        (403, ErrorKind.DENIED),
        (404, ErrorKind.NOT_FOUND),
        (405, ErrorKind.BAD_REQUEST),
        (408, ErrorKind.TIMEOUT),
        (429, ErrorKind.TOO_MANY_REQUESTS),
        (500, ErrorKind.SERVER_ERROR),
        (503, ErrorKind.SERVER_ERROR),
    ],
)
def test_what_a_status_means(status: int, kind: ErrorKind) -> None:
    assert error_kind_of_status(status) == kind


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (ErrorKind.REFUSED, TransientError),
        (ErrorKind.CERTIFICATE_TIME, TransientError),  # heals when the clock is set
        (ErrorKind.OTHER, TransientError),
        (ErrorKind.DENIED, PermanentError),
        (ErrorKind.OUT_OF_SPACE, PermanentError),
        (ErrorKind.CERTIFICATE_UNTRUSTED, PermanentError),
    ],
)
def test_which_kinds_are_transient(kind: ErrorKind, error: type[Exception]) -> None:
    assert error_for(kind) is error


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind is not ErrorKind.OTHER])
def test_each_kind_has_a_hint(kind: ErrorKind) -> None:
    assert error_for(kind)("x", kind=kind).hint
