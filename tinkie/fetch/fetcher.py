"""Bounded downloads with httpx, which only this package uses.

Every failure becomes a TransientError or a PermanentError with the URL and the cause. Nothing comes
from the environment: proxies and the CA certificate are arguments.
"""

from __future__ import annotations

import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError, error_for
from tinkie.fetch.deadline import at_most
from tinkie.fetch.http_errors import http_error, status_error
from tinkie.fetch.redirects import origin, redirected
from tinkie.hints import ABOUT_THE_HOST, Asked
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.types import shown
from tinkie.paths import TRUSTED_CA
from tinkie.policy import (
    FETCH_LIMIT_BYTES,
    FETCH_REDIRECTS_LIMIT,
    FETCH_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import httpx


# What servers write about plain bytes: object stores keep `aws-chunked` from the upload.
_NO_ENCODINGS = frozenset({"", "identity", "none", "aws-chunked"})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Answer:
    """A server's answer: status, headers by lower-case name, whole body.

    `challenges` has the value of each WWW-Authenticate, which would be ambiguous in one text.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    challenges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fetcher:
    """Send GET requests with one set of proxies, CA certificates and bounds.

    `cas` are PEM files of CA certificates to trust besides the system's, or, with `only_cas`,
    instead of them; they may come later.
    `unverified` accepts any certificate, for answers that are only shown. `transport` replaces the
    network in tests.
    """

    user_agent: str = "tinkie"
    proxies: Proxies = field(default_factory=Proxies)
    cas: tuple[Path, ...] = (TRUSTED_CA,)
    only_cas: bool = False
    unverified: bool = False
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.monotonic

    def get(
        self, url: str, *, limit: int = FETCH_LIMIT_BYTES, seconds: float = FETCH_SECONDS
    ) -> bytes:
        """Return the body of a 200 answer, at most `limit` bytes, got within `seconds`.

        Raises:
            TransientError: not reached, cut off, too slow, or a status that may heal (408, 425,
            429, 5xx).
            PermanentError: another status, a body that is too large, or a certificate that is not
            trusted.
        """
        answer = self.ask(url, limit=limit, seconds=seconds)
        if answer.status == HTTPStatus.OK:
            return answer.body
        raise status_error(answer.url, answer.status, answer.headers.get("retry-after"))

    def ask(
        self,
        url: str,
        *,
        limit: int = FETCH_LIMIT_BYTES,
        seconds: float = FETCH_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer whatever its status; follow redirects, FETCH_REDIRECTS_LIMIT at most.

        A limit of 0 asks for the head only: the body is not read, whatever it is.

        `headers` may contain credentials: only the origin of `url` gets them.

        Raises:
            TransientError: not reached, cut off or too slow.
            PermanentError: the body is too large, the certificate is not trusted, or the URL is
            invalid.
        """
        deadline = self.now() + seconds
        home = origin(url)
        for _ in range(FETCH_REDIRECTS_LIMIT + 1):
            more = headers if headers and origin(url) == home else {}
            with _noting_a_redirect(_host(home), _host(origin(url))):
                answer = self._ask_once(url, limit, deadline, more)
            location = answer.headers.get("location")
            if not (300 <= answer.status < 400 and location):  # noqa: PLR2004 - HTTP's redirects
                return answer
            url = redirected(url, location)
        message = f"GET {shown(url)}: more than {FETCH_REDIRECTS_LIMIT} redirects"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)

    def _ask_once(
        self, url: str, limit: int, deadline: float, headers: Mapping[str, str]
    ) -> Answer:
        import httpx  # noqa: PLC0415 - costs 60 ms; most boots download nothing before the worker runs

        left = max(deadline - self.now(), 0.001)
        proxy: str | None = None
        try:
            proxy = self._proxy(url)
            client = self._client(url, left, proxy)
            return at_most(left, lambda: self._answer(client, url, limit, deadline, headers))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise http_error(url, error, proxied=proxy is not None) from error

    def _answer(
        self,
        client: httpx.Client,
        url: str,
        limit: int,
        deadline: float,
        headers: Mapping[str, str],
    ) -> Answer:
        more = self._headers() | dict(headers)
        with client, client.stream("GET", url, headers=more) as response:
            body = self._read(response, limit, deadline) if limit else b""
            challenges = tuple(response.headers.get_list("www-authenticate"))
            return Answer(url, response.status_code, dict(response.headers), body, challenges)

    def _headers(self) -> dict[str, str]:
        """Request no compression: a few compressed kB can expand to any amount of memory."""
        return {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}

    def _proxy(self, url: str) -> str | None:
        proxy = self.proxies.for_url(url)
        if proxy and not proxy.lower().startswith(("http://", "https://")):
            message = f"GET {shown(url)}: the proxy is neither http:// nor https://"
            raise PermanentError(message, kind=ErrorKind.BAD_PARAMETER)
        return proxy

    def _client(self, url: str, seconds: float, proxy: str | None) -> httpx.Client:
        import httpx  # noqa: PLC0415 - as above

        return httpx.Client(
            timeout=seconds,
            trust_env=False,
            proxy=proxy,
            verify=self._trust(url),
            transport=self.transport,
        )

    def _trust(self, url: str) -> ssl.SSLContext:
        """Return what to trust; plain HTTP needs no CA certificates, which load slowly."""
        if urlsplit(url).scheme != "https":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.only_cas:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody yet
        else:
            context = ssl.create_default_context()
        # Python 3.13 and later reject what Go, and so dockerd and workers, accept: certificates of
        # a private CA often lack the Authority Key Identifier.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.unverified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        for path in self.cas:
            if path.is_file():
                context.load_verify_locations(cafile=path)
        return context

    def _read(self, response: httpx.Response, limit: int, deadline: float) -> bytes:
        body = bytearray()
        url = shown(str(response.url))
        if _is_encoded(response.headers.get("content-encoding", "")):
            message = (
                f"GET {url}: the answer is compressed, though the request allows no compression"
            )
            raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                message = f"GET {url}: the answer is larger than {limit} bytes"
                raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
            if self.now() > deadline:
                raise error_for(ErrorKind.TIMEOUT)(f"GET {url}: too slow", kind=ErrorKind.TIMEOUT)
        return bytes(body)


def _host(found: tuple[str, str] | None) -> str:
    """Return host[:port] of an origin without user and password, empty if there is none."""
    return found[1].rpartition("@")[2] if found else ""


@contextmanager
def _noting_a_redirect(home: str, host: str) -> Iterator[None]:
    """Note in an error that another host failed than the one that was to be asked."""
    try:
        yield
    except BootError as error:
        if error.asked is None and error.kind in ABOUT_THE_HOST and host != home:
            error.asked, error.given_by = Asked.SERVER, f"the redirect of {home}"
        raise


def _is_encoded(header: str) -> bool:
    """Return whether a Content-Encoding says that the body is not the document itself."""
    return any(one.strip().lower() not in _NO_ENCODINGS for one in header.split(","))
