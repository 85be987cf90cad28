"""Bounded downloads: the only module that knows httpx.

Whatever goes wrong leaves here as a TransientError or a PermanentError that says what was asked of
whom. Nothing is taken from the environment: proxies and authorities are arguments.
"""

from __future__ import annotations

import os
import signal
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urljoin, urlsplit, urlunsplit

from bootkit.shared.errors import BootError, PermanentError, error_for
from bootkit.shared.faults import Fault, fault_in, fault_of_status
from bootkit.shared.proxy import Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import FrameType

    import httpx

DEFAULT_LIMIT_BYTES = 1024 * 1024
DEFAULT_SECONDS = 10.0
MAXIMUM_REDIRECTS = 5
# Looking a name up is the one call that no deadline of ours ends: 10 s for each server that is
# silent, in which nobody would watch anything. The first use of resolver(3) reads it.
_RESOLVER = "timeout:1 attempts:2"


def bound_name_lookups() -> None:
    """Give up on silent name servers after seconds, in the whole process; call it at the start."""
    os.environ["RES_OPTIONS"] = _RESOLVER


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: status, headers by lower-case name, whole body."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """GETs with one set of proxies, authorities and bounds.

    `authority` is a PEM file trusted beside the system's authorities; `unverified` takes any
    certificate, for answers that are only shown; `transport` replaces the network in tests.
    """

    user_agent: str = "tinkie"
    proxies: Proxies = field(default_factory=Proxies)
    authority: Path | None = None
    unverified: bool = False
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.monotonic

    def get(
        self, url: str, *, limit: int = DEFAULT_LIMIT_BYTES, seconds: float = DEFAULT_SECONDS
    ) -> bytes:
        """Return the body of a 200 answer, at most `limit` bytes, got within `seconds`.

        Raises:
            TransientError: not reached, cut off, too slow, or a status that heals (408, 425, 429,
            5xx). PermanentError: another status, a body that is too large, a certificate that is
            not trusted.
        """
        answer = self.ask(url, limit=limit, seconds=seconds)
        if answer.status == HTTPStatus.OK:
            return answer.body
        fault = fault_of_status(answer.status)
        said = f"{answer.status} {_reason(answer.status)}".strip()
        raise error_for(fault)(
            f"GET {shown(answer.url)}: {said}",
            fault=fault,
            retry_after=_seconds(answer.headers.get("retry-after")),
        )

    def ask(
        self,
        url: str,
        *,
        limit: int = DEFAULT_LIMIT_BYTES,
        seconds: float = DEFAULT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer whatever its status; redirects are followed, at most five.

        `headers` may hold credentials: they go to the host of `url`, and are left out elsewhere.

        Raises:
            TransientError: not reached, cut off or too slow.
            PermanentError: the body is too large, the certificate is not trusted, the URL makes no
            sense.
        """
        deadline = self.now() + seconds
        home = _place(url)
        for _ in range(MAXIMUM_REDIRECTS + 1):
            more = headers if headers and _place(url) == home else {}
            answer = self._ask_once(url, limit, deadline, more)
            location = answer.headers.get("location")
            if not (300 <= answer.status < 400 and location):  # noqa: PLR2004 - HTTP's redirects
                return answer
            url = _redirected(url, location)
        message = f"GET {shown(url)}: more than {MAXIMUM_REDIRECTS} redirects"
        raise PermanentError(message, fault=Fault.BAD_ANSWER)

    def _ask_once(
        self, url: str, limit: int, deadline: float, headers: Mapping[str, str]
    ) -> Answer:
        import httpx  # noqa: PLC0415 - costs 60 ms; most boots ask nothing before the worker runs

        left = max(deadline - self.now(), 0.001)
        try:
            with (
                self._client(url, left) as client,
                _at_most(left),
                client.stream("GET", url, headers=self._headers() | dict(headers)) as response,
            ):
                body = self._read(response, limit, deadline)
                return Answer(url, response.status_code, dict(response.headers), body)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise _translated(url, error) from error

    def _headers(self) -> dict[str, str]:
        """Ask for no compression: a few kB of it can become any amount of memory."""
        return {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}

    def _proxy(self, url: str) -> str | None:
        proxy = self.proxies.for_url(url)
        if proxy and not proxy.lower().startswith(("http://", "https://")):
            message = f"GET {shown(url)}: the proxy is no http:// or https:// one"
            raise PermanentError(message, fault=Fault.BAD_PARAMETER)
        return proxy

    def _client(self, url: str, seconds: float) -> httpx.Client:
        import httpx  # noqa: PLC0415 - as above

        return httpx.Client(
            timeout=seconds,
            trust_env=False,
            proxy=self._proxy(url),
            verify=self._trust(url),
            transport=self.transport,
        )

    def _trust(self, url: str) -> ssl.SSLContext:
        """Return what to trust; plain HTTP does without the authorities, which load slowly."""
        if urlsplit(url).scheme != "https":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context = ssl.create_default_context()
        # Since 3.13 Python refuses what Go, and so dockerd and workers, take: an authority of
        # one's own often signs without an Authority Key Identifier.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.unverified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.authority is not None:
            context.load_verify_locations(cafile=self.authority)
        return context

    def _read(self, response: httpx.Response, limit: int, deadline: float) -> bytes:
        body = bytearray()
        url = shown(str(response.url))
        if response.headers.get("content-encoding", "identity") != "identity":
            message = f"GET {url}: the answer is compressed, which was not asked for"
            raise PermanentError(message, fault=Fault.BAD_ANSWER)
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                message = f"GET {url}: the answer is larger than {limit} bytes"
                raise PermanentError(message, fault=Fault.BAD_ANSWER)
            if self.now() > deadline:
                raise error_for(Fault.TIMEOUT)(f"GET {url}: too slow", fault=Fault.TIMEOUT)
        return bytes(body)


def _redirected(url: str, location: str) -> str:
    """Return where to go next: never from HTTPS to a place that anybody could answer for."""
    try:
        new = urljoin(url, location)
    except ValueError as error:
        message = f"GET {shown(url)}: redirected to an address that makes no sense"
        raise PermanentError(message, fault=Fault.BAD_ANSWER) from error
    if urlsplit(url).scheme == "https" != urlsplit(new).scheme:
        message = f"GET {shown(url)}: redirected from HTTPS to {shown(new)}"
        raise PermanentError(message, fault=Fault.BAD_ANSWER)
    return new


class _TooSlow(OSError):
    """The whole took too long; httpx bounds only each read."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after `seconds`: a server may send one byte of header a second."""
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TooSlow


def _place(url: str) -> tuple[str, str] | None:
    """Return scheme, host and port, or None if that makes no sense."""
    try:
        return urlsplit(url)[:2]
    except ValueError:
        return None


def shown(url: str) -> str:
    """Return the URL without user, password and query, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that makes no sense"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _translated(url: str, error: Exception) -> BootError:
    fault, said = _fault_of(error)
    return error_for(fault)(f"GET {shown(url)}: {said}", fault=fault)


def _fault_of(error: Exception) -> tuple[Fault, str]:
    import httpx  # noqa: PLC0415 - as above

    cause = _deepest_cause(error)
    said = str(cause) or str(error) or type(error).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _fault_of_certificate(cause), cause.verify_message
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError)):
        return Fault.BAD_REQUEST, said
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, _TooSlow):
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


def _deepest_cause(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After in seconds; the form with a date needs a clock that is right."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
