from __future__ import annotations

import pytest

from tinkie.error_kinds import Fault, fault_in, fault_of_status
from tinkie.errors import PermanentError, TransientError, error_for

# What dockerd says, in part on behalf of the registry.
SENTENCES = [
    ("dial tcp: lookup reg.invalid on 10.0.2.3:53: no such host", Fault.NAME_RESOLUTION),
    ("dial tcp: lookup reg.example on 10.0.2.3:53: server misbehaving", Fault.NAME_RESOLUTION),
    (
        "dial tcp: lookup reg.example: Temporary failure in name resolution",
        Fault.NAME_RESOLUTION,
    ),
    (
        "dial tcp: lookup r.example on 10.0.0.1:53: read udp 10.0.0.2:34->10.0.0.1:53: i/o timeout",
        Fault.NAME_RESOLUTION,
    ),
    (
        "lookup r on 127.0.0.1:53: read udp 127.0.0.1:3->127.0.0.1:53: connection refused",
        Fault.NAME_RESOLUTION,
    ),
    ('Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', "refused"),
    ("dial tcp 10.0.0.9:443: connect: no route to host", Fault.UNREACHABLE),
    ("dial tcp 10.0.0.9:443: connect: network is unreachable", Fault.UNREACHABLE),
    ("dial tcp 10.0.0.9:443: i/o timeout", Fault.TIMEOUT),
    (
        "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        Fault.TIMEOUT,
    ),
    ("net/http: TLS handshake timeout", Fault.TIMEOUT),
    ("context deadline exceeded", Fault.TIMEOUT),
    ('Get "https://r/v2/": no basic auth credentials', Fault.DENIED),
    ("unauthorized: authentication required", Fault.DENIED),
    ("unauthorized: incorrect username or password", Fault.DENIED),
    ("denied: requested access to the resource is denied", Fault.DENIED),
    (
        "pull access denied for x, repository does not exist or may require 'docker login'",
        Fault.DENIED,
    ),
    ("received unexpected HTTP status: 403 Forbidden", Fault.DENIED),
    ("manifest for r/x:1 not found: manifest unknown: manifest unknown", Fault.NOT_FOUND),
    ("No such image: r/x:1", Fault.NOT_FOUND),
    ("name unknown: repository name not known to registry", Fault.NOT_FOUND),
    ("no matching manifest for linux/amd64 in the manifest list entries", Fault.NOT_FOUND),
    ("error parsing HTTP 404 response body: 404 not found", Fault.NOT_FOUND),
    ('error parsing HTTP 403 response body: unexpected end of JSON input: ""', Fault.DENIED),
    (
        'error parsing HTTP 429 response body: unexpected end of JSON input: ""',
        Fault.TOO_MANY_REQUESTS,
    ),
    ("toomanyrequests: You have reached your pull rate limit.", Fault.TOO_MANY_REQUESTS),
    ("received unexpected HTTP status: 429 Too Many Requests", Fault.TOO_MANY_REQUESTS),
    ("x509: certificate signed by unknown authority", Fault.CERTIFICATE_UNTRUSTED),
    (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        Fault.CERTIFICATE_UNTRUSTED,
    ),
    (
        "x509: certificate has expired or is not yet valid: current time 2036-01-01T00:00:00Z is",
        Fault.CERTIFICATE_TIME,
    ),
    ("x509: certificate is valid for other.example, not r.example", Fault.CERTIFICATE_NAME),
    (
        "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
        Fault.CERTIFICATE_NAME,
    ),
    ("http: server gave HTTP response to HTTPS client", Fault.PLAIN_HTTP),
    (
        "failed to register layer: write /bin/x: no space left on device",
        Fault.OUT_OF_SPACE,
    ),
    ("unexpected EOF", Fault.CUT_OFF),
    ("read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer", Fault.CUT_OFF),
    ("received unexpected HTTP status: 500 Internal Server Error", Fault.SERVER_ERROR),
    ("received unexpected HTTP status: 503 Service Unavailable", Fault.SERVER_ERROR),
    ("invalid reference format", Fault.BAD_REQUEST),
    ("something nobody has seen before", Fault.OTHER),
]


@pytest.mark.parametrize(("sentence", "fault"), SENTENCES)
def test_faults_are_told_as_what_they_are(sentence: str, fault: Fault) -> None:
    assert fault_in(sentence) == fault


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, Fault.BAD_REQUEST),
        (401, Fault.DENIED),
        (403, Fault.DENIED),
        (404, Fault.NOT_FOUND),
        (405, Fault.BAD_REQUEST),
        (408, Fault.TIMEOUT),
        (429, Fault.TOO_MANY_REQUESTS),
        (500, Fault.SERVER_ERROR),
        (503, Fault.SERVER_ERROR),
    ],
)
def test_what_a_status_means(status: int, fault: Fault) -> None:
    assert fault_of_status(status) == fault


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.REFUSED, TransientError),
        (Fault.CERTIFICATE_TIME, TransientError),  # heals when the clock is set
        (Fault.OTHER, TransientError),
        (Fault.DENIED, PermanentError),
        (Fault.OUT_OF_SPACE, PermanentError),
        (Fault.CERTIFICATE_UNTRUSTED, PermanentError),
    ],
)
def test_which_faults_heal(fault: Fault, error: type[Exception]) -> None:
    assert error_for(fault) is error


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.OTHER])
def test_each_fault_says_what_a_person_can_do(fault: Fault) -> None:
    assert error_for(fault)("x", fault=fault).hint
