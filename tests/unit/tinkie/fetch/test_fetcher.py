from __future__ import annotations

import signal
import socket
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import TEXT, outcome
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError, TransientError, asking
from tinkie.fetch import deadline
from tinkie.fetch.fetcher import Fetcher
from tinkie.hints import Asked
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.types import shown
from tinkie.policy import FETCH_REDIRECTS_LIMIT
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "http://user:pw@service.example/path?token=1"


def fetcher(handler: Callable[[httpx.Request], httpx.Response]) -> Fetcher:
    return Fetcher(user_agent="bootkit", transport=httpx.MockTransport(handler))


def answering(status: int, **keywords: object) -> Fetcher:
    return fetcher(lambda _: httpx.Response(status, **keywords))  # type: ignore[arg-type]


def test_get_returns_the_body_and_sends_user_agent_and_encoding() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["user-agent"] == "bootkit"
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, content=b"body")

    assert fetcher(handler).get(URL) == b"body"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_transient_status(status: int) -> None:
    with pytest.raises(TransientError, match=str(status)):
        answering(status).get(URL)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 304])
def test_a_permanent_status(status: int) -> None:
    with pytest.raises(PermanentError, match=str(status)):
        answering(status).get(URL)


def test_retry_after_is_kept() -> None:
    with pytest.raises(TransientError) as caught:
        answering(429, headers={"Retry-After": "17"}).get(URL)
    assert caught.value.retry_after == 17.0


def test_no_message_contains_credentials_or_a_query() -> None:
    with pytest.raises(PermanentError) as caught:
        answering(404).get(URL)
    assert str(caught.value) == "GET http://service.example/path: 404 Not Found"
    assert shown("https://u:p@[::1]:5/x?y#z") == "https://[::1]:5/x"


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield bytes(1000)

    with pytest.raises(PermanentError, match="larger than 5000 bytes"):
        answering(200, content=endless()).get(URL, limit=5000)
    assert len(read) == 6


def test_a_slow_body_times_out() -> None:
    clock = iter(range(100))

    def drip() -> Iterator[bytes]:
        while True:
            yield b"."

    slow = httpx.MockTransport(lambda _: httpx.Response(200, content=drip()))
    with pytest.raises(TransientError, match="too slow") as caught:
        Fetcher(transport=slow, now=lambda: float(next(clock))).get(URL, seconds=10)
    assert caught.value.kind is ErrorKind.TIMEOUT


def test_redirects_are_followed() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "http":
            return httpx.Response(308, headers={"Location": "https://other.example/x"})
        return httpx.Response(200, content=str(request.url).encode())

    assert fetcher(handler).get("http://service.example/") == b"https://other.example/x"


@pytest.mark.parametrize("location", ["http://store.example/x", "/x"])
def test_a_host_behind_a_redirect_is_not_blamed_on_the_parameter(location: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/path":
            return httpx.Response(307, headers={"Location": location})
        raise httpx.ConnectError("") from socket.gaierror(-2, "Name or service not known")

    with pytest.raises(TransientError) as caught, asking(Asked.METADATA):
        fetcher(handler).get(URL)
    assert caught.value.kind is ErrorKind.NAME_RESOLUTION
    if location == "/x":
        assert "metadata_url" in caught.value.hint
    else:
        assert "in the redirect of service.example, and the DNS" in caught.value.hint


@pytest.mark.parametrize("redirects", [FETCH_REDIRECTS_LIMIT, FETCH_REDIRECTS_LIMIT + 1])
def test_redirects_are_limited(redirects: int) -> None:
    answers = iter([httpx.Response(302, headers={"Location": "/again"})] * redirects)

    def handler(_: httpx.Request) -> httpx.Response:
        return next(answers, httpx.Response(200, content=b"body"))

    found = outcome(lambda: fetcher(handler).get(URL))
    if redirects > FETCH_REDIRECTS_LIMIT:
        assert isinstance(found, PermanentError)
        assert "more than 5 redirects" in str(found)
    else:
        assert found == b"body"


def test_an_invalid_url_is_an_error() -> None:
    with pytest.raises(PermanentError):
        Fetcher().get("http://[::1/")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "zstd", "aws-chunked, gzip", "x"])
def test_a_compressed_answer_is_refused_before_it_is_read(encoding: str) -> None:
    """Few bytes could become more than the machine's memory."""
    headers = {"Content-Encoding": encoding}
    with pytest.raises(PermanentError, match="compressed"):
        answering(200, content=iter([b"no gzip"]), headers=headers).get(URL)


@pytest.mark.parametrize(
    "encoding", ["", "identity", "Identity", "none", "aws-chunked", "identity, ", "AWS-chunked"]
)
def test_plain_bytes_may_be_called_plain(encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    assert answering(200, content=iter([b"plain"]), headers=headers).get(URL) == b"plain"


def test_a_server_with_slow_headers_times_out() -> None:
    def drip(_: httpx.Request) -> httpx.Response:
        signal.pause()
        raise AssertionError

    with pytest.raises(TransientError) as caught:
        Fetcher(transport=httpx.MockTransport(drip)).get(URL, seconds=0.05)
    assert caught.value.kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize("proxy", ["socks5://p:1", "foo://p"])
def test_an_unusable_proxy_is_an_error(proxy: str) -> None:
    with pytest.raises(PermanentError, match="proxy") as caught:
        Fetcher(proxies=Proxies(proxy)).get(URL)
    assert caught.value.kind is ErrorKind.BAD_PARAMETER


HEADER = TEXT.map(lambda text: text.encode(errors="replace")) | st.binary(max_size=20)


@pytest.mark.usefixtures("_no_system_cas")
@given(st.lists(HEADER, min_size=1, max_size=8), st.sampled_from([200, 301, 302, 307, 308, 404]))
@example([b"http://["], 302)
@example([b"//a]b"], 302)
@example([b"x:y"], 302)
@example([b"//evil.example/"], 302)
@example([b"http://service.example.evil.example/"], 302)
@example([b"http://service.example@evil.example/"], 302)
def test_any_redirect(locations: list[bytes], last: int) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) > len(locations):
            return httpx.Response(last)
        return httpx.Response(302, headers=[(b"Location", locations[len(asked) - 1])])

    result = str(outcome(lambda: fetcher(handler).get("http://me:hunter2@service.example/x")))
    assert len(result) <= 2000
    assert "hunter2" not in result
    assert len(asked) <= 6
    for request in asked:
        ours = request.headers.get("authorization") == "Basic bWU6aHVudGVyMg=="
        assert not ours or request.url.host == "service.example"


@given(st.sampled_from([429, 503, 404]), HEADER)
@example(429, b"9" * 400)
@example(429, b"\xb2")
@example(429, "\u0663".encode())
@example(503, b"-1")
@example(503, b"Mon, 23 Nov 2026 08:00:00 GMT")
def test_any_retry_after(status: int, text: bytes) -> None:
    with pytest.raises(BootError) as caught:
        fetcher(lambda _: httpx.Response(status, headers=[(b"Retry-After", text)])).get(URL)
    backoff = Backoff(first=1.0, ceiling=60.0)
    assert 0.25 <= backoff.delay(1, caught.value) <= 3660.0


class Locked(httpx.MockTransport):
    """A transport that was interrupted where it had just taken its lock, and tidies up with it."""

    def __init__(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(handler)
        self.lock = threading.Lock()
        self.lock.acquire()

    def close(self) -> None:
        self.lock.acquire()


def test_a_library_that_waits_for_itself_is_interrupted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadline, "INTERRUPT_AGAIN_SECONDS", 0.05)
    transport = Locked(lambda _: httpx.Response(200, content=b"body"))
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TransientError) as caught:
        Fetcher(transport=transport).get(URL, seconds=0.05)
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
