from __future__ import annotations

import ssl

import httpx
import pytest

from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError
from tinkie.fetch.fetcher import Fetcher

URL = "http://service.example/path"


def failing(error: Exception, cause: Exception | None = None) -> Fetcher:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise error from cause

    return Fetcher(transport=httpx.MockTransport(handler))


@pytest.mark.parametrize(
    ("error", "cause", "kind"),
    [
        (httpx.ConnectError("x"), OSError(111, "Connection refused"), ErrorKind.REFUSED),
        (
            httpx.ConnectError("x"),
            OSError(-2, "Name or service not known"),
            ErrorKind.NAME_RESOLUTION,
        ),
        (httpx.ConnectError("x"), OSError(101, "Network is unreachable"), ErrorKind.UNREACHABLE),
        (httpx.ConnectTimeout("x"), TimeoutError("timed out"), ErrorKind.TIMEOUT),
        (httpx.ReadTimeout("x"), None, ErrorKind.TIMEOUT),
        (httpx.ReadError("x"), ConnectionResetError(104, "Connection reset by peer"), "cut-off"),
        (httpx.RemoteProtocolError("server disconnected"), None, ErrorKind.CUT_OFF),
        (httpx.ConnectError("x"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "plain-http"),
        (httpx.UnsupportedProtocol("no such scheme"), None, ErrorKind.BAD_REQUEST),
    ],
)
def test_errors_of_the_network(error: Exception, cause: Exception | None, kind: ErrorKind) -> None:
    with pytest.raises(BootError) as caught:
        failing(error, cause).get(URL)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (9, "certificate-time"),
        (10, "certificate-time"),
        (18, "certificate-untrusted"),
        (20, "certificate-untrusted"),
        (62, "certificate-name"),
        (64, "certificate-name"),
    ],
)
def test_errors_of_certificates(code: int, kind: str) -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code, cause.verify_message = code, "why"
    with pytest.raises(BootError, match="why") as caught:
        failing(httpx.ConnectError("x"), cause).get("https://service.example/")
    assert caught.value.kind == kind


def test_a_status_that_no_standard_names_is_reported_by_its_number() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(599))
    with pytest.raises(BootError, match=r"GET \S+: 599$"):
        Fetcher(transport=transport).get(URL)
