from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from tests.fakes.tls import serving
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.fetch.deadline import TooSlow
from tinkie.fetch.fetcher import Fetcher
from tinkie.fetch.http_errors import http_error
from tinkie.hints import Asked
from tinkie.parameters.proxy import Proxies

URL = "http://service.example/path"


def failing(error: Exception, cause: Exception | None = None) -> Fetcher:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise error from cause

    return Fetcher(transport=httpx.MockTransport(handler))


def tls(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason or ""
    return error


def system(number: int) -> OSError:
    return OSError(number, "connection refused, no such host, timed out: in any language")


@pytest.mark.parametrize(
    ("error", "cause", "kind"),
    [
        (httpx.ConnectError("x"), system(errno.ECONNREFUSED), ErrorKind.REFUSED),
        (httpx.ConnectError("x"), socket.gaierror(-2, "x"), ErrorKind.NAME_RESOLUTION),
        (httpx.ConnectError("x"), system(errno.ENETUNREACH), ErrorKind.UNREACHABLE),
        (httpx.ConnectError("x"), system(errno.EHOSTUNREACH), ErrorKind.UNREACHABLE),
        (httpx.ConnectError("x"), system(errno.EADDRNOTAVAIL), ErrorKind.UNREACHABLE),
        (httpx.ConnectError("x"), system(errno.ETIMEDOUT), ErrorKind.TIMEOUT),
        (httpx.ConnectError("x"), system(errno.EMFILE), ErrorKind.OTHER),
        (httpx.ConnectTimeout("x"), TimeoutError("timed out"), ErrorKind.TIMEOUT),
        (httpx.ReadTimeout("x"), None, ErrorKind.TIMEOUT),
        (httpx.ReadError("x"), system(errno.ECONNRESET), ErrorKind.CUT_OFF),
        (httpx.WriteError("x"), system(errno.EPIPE), ErrorKind.CUT_OFF),
        (httpx.ReadError("no such host"), None, ErrorKind.CUT_OFF),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            None,
            ErrorKind.CUT_OFF,
        ),
        (
            httpx.RemoteProtocolError("peer closed connection without sending complete body"),
            None,
            ErrorKind.CUT_OFF,
        ),
        (
            httpx.RemoteProtocolError("illegal status line: bytearray(b'SSH-2.0')"),
            None,
            ErrorKind.BAD_ANSWER,
        ),
        (httpx.UnsupportedProtocol("no such scheme"), None, ErrorKind.BAD_REQUEST),
    ],
)
def test_errors_of_the_network(error: Exception, cause: Exception | None, kind: ErrorKind) -> None:
    with pytest.raises(BootError) as caught:
        failing(error, cause).get(URL)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("WRONG_VERSION_NUMBER", ErrorKind.PLAIN_HTTP),
        ("RECORD_LAYER_FAILURE", ErrorKind.PLAIN_HTTP),
        ("TLSV1_ALERT_PROTOCOL_VERSION", ErrorKind.TLS_MISMATCH),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", ErrorKind.TLS_MISMATCH),
        ("UNSUPPORTED_PROTOCOL", ErrorKind.TLS_MISMATCH),
        ("NO_PROTOCOLS_AVAILABLE", ErrorKind.TLS_MISMATCH),
        ("TLSV1_ALERT_INSUFFICIENT_SECURITY", ErrorKind.TLS_MISMATCH),
        ("DH_KEY_TOO_SMALL", ErrorKind.TLS_MISMATCH),
        (None, ErrorKind.TLS_MISMATCH),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", ErrorKind.CLIENT_CERTIFICATE),
        ("SSLV3_ALERT_BAD_CERTIFICATE", ErrorKind.CLIENT_CERTIFICATE),
        ("SSLV3_ALERT_NO_CERTIFICATE", ErrorKind.CLIENT_CERTIFICATE),
        ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", ErrorKind.CLIENT_CERTIFICATE),
        ("TLSV1_ALERT_UNKNOWN_CA", ErrorKind.CLIENT_CERTIFICATE),
        ("TLSV1_ALERT_ACCESS_DENIED", ErrorKind.CLIENT_CERTIFICATE),
        ("TLSV1_CERTIFICATE_UNOBTAINABLE", ErrorKind.CLIENT_CERTIFICATE),
        ("TLSV1_UNRECOGNIZED_NAME", ErrorKind.CERTIFICATE_NAME),
        ("TLSV1_ALERT_INTERNAL_ERROR", ErrorKind.SERVER_ERROR),
        ("TLSV1_ALERT_USER_CANCELLED", ErrorKind.CUT_OFF),
        ("UNEXPECTED_EOF_WHILE_READING", ErrorKind.CUT_OFF),
        ("SSLV3_ALERT_BAD_RECORD_MAC", ErrorKind.DAMAGED),
        ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", ErrorKind.DAMAGED),
        ("TLSV1_ALERT_DECRYPT_ERROR", ErrorKind.DAMAGED),
    ],
)
def test_errors_of_tls(reason: str | None, kind: ErrorKind) -> None:
    with pytest.raises(BootError) as caught:
        failing(httpx.ConnectError("x"), tls(reason)).get("https://service.example/")
    assert caught.value.kind is kind


@pytest.mark.parametrize("error", [ssl.SSLEOFError(8, "x"), ssl.SSLZeroReturnError(6, "x")])
def test_a_server_that_ends_a_tls_connection_cuts_it_off(error: ssl.SSLError) -> None:
    with pytest.raises(BootError) as caught:
        failing(httpx.ReadError("x"), error).get("https://service.example/")
    assert caught.value.kind is ErrorKind.CUT_OFF


@pytest.mark.parametrize(
    ("error", "cause", "kind", "asked"),
    [
        (
            httpx.ProxyError("407 Proxy Authentication Required"),
            None,
            ErrorKind.PROXY_REFUSED,
            Asked.PROXY,
        ),
        (httpx.ProxyError("403 Forbidden"), None, ErrorKind.PROXY_REFUSED, Asked.PROXY),
        (httpx.ProxyError("503 Overloaded"), None, ErrorKind.SERVER_ERROR, Asked.PROXY),
        (httpx.ProxyError("nonsense"), None, ErrorKind.SERVER_ERROR, Asked.PROXY),
        (httpx.ConnectError("x"), system(errno.ECONNREFUSED), ErrorKind.REFUSED, Asked.PROXY),
        (httpx.ConnectError("x"), socket.gaierror(-2, "x"), "name-resolution", Asked.PROXY),
        (httpx.ConnectTimeout("x"), None, ErrorKind.TIMEOUT, Asked.PROXY),
        (httpx.ReadTimeout("x"), None, ErrorKind.TIMEOUT, None),
        (httpx.ConnectError("x"), tls("WRONG_VERSION_NUMBER"), ErrorKind.PLAIN_HTTP, None),
    ],
)
def test_what_a_proxy_does_is_not_blamed_on_the_server(
    error: Exception, cause: Exception | None, kind: ErrorKind, asked: Asked | None
) -> None:
    error.__cause__ = cause
    url = "https://service.example/"
    through = http_error(url, error, proxied=True)
    assert (through.kind, through.asked) == (kind, asked)
    assert http_error(url, error).asked is None


@pytest.mark.usefixtures("loopback")
def test_a_proxy_that_demands_a_password() -> None:
    with serving() as proxy:
        proxy.answers[URL] = (407, {}, b"")
        with pytest.raises(BootError, match="407 Proxy Authentication Required") as caught:
            Fetcher(proxies=Proxies(http=proxy.url)).get(URL)
    assert caught.value.kind is ErrorKind.PROXY_REFUSED


@pytest.mark.usefixtures("loopback", "_no_system_cas")
def test_a_proxy_that_opens_no_tunnel() -> None:
    with serving() as proxy, pytest.raises(BootError, match="the proxy answers 501") as caught:
        Fetcher(proxies=Proxies(https=proxy.url)).get("https://service.example/")
    assert (caught.value.kind, caught.value.asked) == (ErrorKind.SERVER_ERROR, Asked.PROXY)


@pytest.mark.usefixtures("loopback")
def test_a_proxy_that_is_down() -> None:
    with serving() as proxy:
        gone = proxy.url
    with pytest.raises(BootError) as caught:
        Fetcher(proxies=Proxies(http=gone)).get(URL)
    assert (caught.value.kind, caught.value.asked) == (ErrorKind.REFUSED, Asked.PROXY)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (9, "certificate-time"),
        (10, "certificate-time"),
        (18, "certificate-untrusted"),
        (20, "certificate-untrusted"),
        (62, "certificate-name"),
        (64, "certificate-name"),
        (23, "certificate-invalid"),
        (66, "certificate-invalid"),
        (68, "certificate-invalid"),
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


def test_an_error_of_ours_that_the_deadline_interrupts_stays_what_it_is() -> None:
    late = TooSlow()
    late.__context__ = ours = PermanentError("the answer is too large", kind=ErrorKind.BAD_ANSWER)
    assert http_error(URL, late) is ours
