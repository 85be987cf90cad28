"""Where dockerd sends user and password of a pull: the registry, or the token service it names.

The one policy: over TLS, or to a host in insecure_registries. dockerd itself has none for token
services. The registry is trusted to name the right host: with TLS, it could ask for the password
itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from bootkit.image.challenge import BASIC, BEARER, challenges_in
from bootkit.policy import TOKEN_SERVICES_MAXIMUM
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.parameters.image_reference import DEFAULT_DOMAIN, same_registry
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from tinkie.fetch.fetcher import Answer
    from tinkie.parameters.insecure import InsecureRegistries
    from tinkie.parameters.types import Url

log = get_logger()

_HUB = "registry-1.docker.io"
_NO_URL = "something that is no URL"


def registry_url(domain: str) -> str:
    """Return the URL of the registry that an image's domain stands for."""
    return f"https://{_HUB if domain == DEFAULT_DOMAIN else domain}"


def pull_urls(domain: str, mirrors: tuple[Url, ...]) -> tuple[str, ...]:
    """Return the URLs that dockerd tries to pull from, and sends the same password to."""
    own = registry_url(domain)
    return (*(url.rstrip("/") for url in mirrors), own) if domain == DEFAULT_DOMAIN else (own,)


class Destination(NamedTuple):
    """A URL that gets user and password, because `registry` (host[:port]) names it."""

    registry: str
    url: str

    @property
    def host(self) -> str:
        """Return host[:port] as the URL has it, without user and password."""
        try:
            return urlsplit(self.url).netloc.rpartition("@")[2] or _NO_URL
        except ValueError:
            return _NO_URL

    def is_safe(self, insecure: InsecureRegistries) -> bool:
        """Return whether user and password may go there."""
        scheme, _, _ = self.url.lower().partition("://")
        listed = {self.host, self.host.removesuffix(":80")}
        return scheme == "https" or (scheme == "http" and any(map(insecure.has, listed)))

    def check(self, insecure: InsecureRegistries) -> None:
        """Log another host than the registry's.

        Raises:
            PermanentError: user and password may not go there.
        """
        if not self.is_safe(insecure):
            raise self._refusal()
        if not same_registry(self.host, self.registry):
            log.info("registry.token_service", registry=self.registry, host=self.host)

    def _refusal(self) -> PermanentError:
        own = same_registry(self.host, self.registry)
        asks = "asks for them" if own else f"names {self.host} as its token service"
        return PermanentError(
            f"user and password are not sent: registry {self.registry} {asks}, without TLS",
            kind=ErrorKind.PLAIN_HTTP,
            hint=f"give {self.host} TLS and let the registry name it by https://, or add it to "
            "insecure_registries: then anybody in between can read user and password",
        )


def destinations(url: str, answer: Answer) -> tuple[Destination, ...]:
    """Return where user and password go that are for the registry at `url`; `answer` is of /v2/.

    Raises:
        PermanentError: it names too many token services to look at.
    """
    registry = urlsplit(url).netloc
    found: dict[str, Destination] = {}
    for challenge in challenges_in(answer):
        urls = challenge.all("realm") if challenge.scheme == BEARER else ()
        for one in (url,) if challenge.scheme == BASIC else urls:
            found[one] = Destination(registry, one)
            if len(found) > TOKEN_SERVICES_MAXIMUM:
                raise _too_many(registry)
    return tuple(found.values())


def _too_many(registry: str) -> PermanentError:
    return PermanentError(
        f"user and password are not sent: registry {registry} names more than "
        f"{TOKEN_SERVICES_MAXIMUM} token services",
        kind=ErrorKind.BAD_ANSWER,
        hint="let the registry's WWW-Authenticate name one token service",
    )
