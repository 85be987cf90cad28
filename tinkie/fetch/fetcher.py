"""Bounded downloads, through httpx, which only this and http_errors know.

Whatever goes wrong leaves here as a TransientError or a PermanentError that says what was asked of
whom. Nothing is taken from the environment: proxies and authorities are arguments.
"""

from __future__ import annotations

import os
import ssl
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError, error_for
from tinkie.fetch.deadline import at_most
from tinkie.fetch.http_errors import http_error, status_error
from tinkie.fetch.redirects import place, redirected
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.types import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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
        raise status_error(answer.url, answer.status, answer.headers.get("retry-after"))

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
        home = place(url)
        for _ in range(MAXIMUM_REDIRECTS + 1):
            more = headers if headers and place(url) == home else {}
            answer = self._ask_once(url, limit, deadline, more)
            location = answer.headers.get("location")
            if not (300 <= answer.status < 400 and location):  # noqa: PLR2004 - HTTP's redirects
                return answer
            url = redirected(url, location)
        message = f"GET {shown(url)}: more than {MAXIMUM_REDIRECTS} redirects"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)

    def _ask_once(
        self, url: str, limit: int, deadline: float, headers: Mapping[str, str]
    ) -> Answer:
        import httpx  # noqa: PLC0415 - costs 60 ms; most boots ask nothing before the worker runs

        left = max(deadline - self.now(), 0.001)

        try:
            client = self._client(url, left)
            return at_most(left, lambda: self._answer(client, url, limit, deadline, headers))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise http_error(url, error) from error

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
            body = self._read(response, limit, deadline)
            return Answer(url, response.status_code, dict(response.headers), body)

    def _headers(self) -> dict[str, str]:
        """Ask for no compression: a few kB of it can become any amount of memory."""
        return {"User-Agent": self.user_agent, "Accept-Encoding": "identity"}

    def _proxy(self, url: str) -> str | None:
        proxy = self.proxies.for_url(url)
        if proxy and not proxy.lower().startswith(("http://", "https://")):
            message = f"GET {shown(url)}: the proxy is no http:// or https:// one"
            raise PermanentError(message, kind=ErrorKind.BAD_PARAMETER)
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
            raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                message = f"GET {url}: the answer is larger than {limit} bytes"
                raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
            if self.now() > deadline:
                raise error_for(ErrorKind.TIMEOUT)(f"GET {url}: too slow", kind=ErrorKind.TIMEOUT)
        return bytes(body)
