"""Questions to an image's registry that the engine does not answer.

dockerd reports a failed pull as one sentence, without the registry's headers, clock and sizes. The
answers explain an error, lengthen a wait, or stop a pull that cannot succeed. If the registry does
not answer, nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bootkit.image.token_service import destinations, pull_urls, registry_url
from bootkit.policy import REFUSAL_SECONDS, REGISTRY_PROBE_SECONDS, SIZE_CHECK_SHARE
from tinkie.error_kinds import ErrorKind
from tinkie.error_sentences import host_in
from tinkie.errors import BootError, PermanentError
from tinkie.fetch.http_errors import retry_after_seconds
from tinkie.hints import ABOUT_ITS_TLS, ABOUT_THE_HOST, Asked
from tinkie.parameters.image_reference import same_registry
from tinkie.parameters.insecure import InsecureRegistries
from tinkie.paths import CERTIFICATES
from tinkie.policy import FETCH_HEAD_ONLY_BYTES
from tinkie.running.log import get_logger
from tinkie.space import megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

    from bootkit.image.auth_file import AuthFile
    from bootkit.plan.credentials import Credentials
    from tinkie.fetch.fetcher import Answer, Fetcher
    from tinkie.parameters.image_reference import ImageReference
    from tinkie.parameters.types import Url
    from tinkie.space import Space

log = get_logger()

_NO_CREDENTIALS = (
    "check the name of the image: registries also deny names that they do not have. If it is "
    "right, no user and password were sent: give registry_username, registry_password and a "
    "docker_registry with the host of the image, or registry_auth_url"
)
# What /v2/ answers that tells where user and password go. Anything else may be of a proxy, or of a
# registry that is about to start.
_ANSWERS = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED)
_SHORT_DIGEST = 12  # characters of a layer's digest in the engine's messages


class TooLarge(PermanentError):
    """An image does not fit into the space that is left."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=ErrorKind.OUT_OF_SPACE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RegistryClient:
    """Ask a registry about an image, and about the error of a pull.

    `credentials_for` returns the credentials for the pull of an image. `space` is what was free
    before the pull. `insecure` and `mirrors` are what dockerd was given, too.
    `auth` is where the credentials may come from.
    """

    fetcher: Fetcher
    credentials_for: Callable[[ImageReference], Credentials | None] = lambda _: None
    space: Space | None = None
    insecure: InsecureRegistries = field(default_factory=InsecureRegistries)
    mirrors: tuple[Url, ...] = ()
    auth: AuthFile | None = None
    certificates: Path = CERTIFICATES
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # By URL: why not, and when that was asked.
    _checked: dict[str, tuple[BootError | None, float]] = field(default_factory=dict, init=False)

    def check_credentials(self, image: ImageReference) -> None:
        """Raise a PermanentError if the pull would send user and password without TLS.

        Each registry is asked until it has answered once. If it does not answer, nothing is known:
        the pull's own error is the one to report. A registry in insecure_registries is not asked.
        """
        error = self.refusal(image.domain) if self.credentials_for(image) else None
        if error is not None:
            raise error

    def refusal(self, domain: str) -> BootError | None:
        """Return why user and password may not be used for pulls from a registry's host[:port].

        The registry and its mirrors share REGISTRY_PROBE_SECONDS, each an equal part of what is
        left: a silent one leaves time for the others.
        """
        deadline = self.fetcher.now() + REGISTRY_PROBE_SECONDS
        urls = pull_urls(domain, self.mirrors)
        for before, url in enumerate(urls):
            seconds = (deadline - self.fetcher.now()) / (len(urls) - before)
            if (found := self._refusal_of(url, seconds)) is not None:
                return found
        return None

    def _refusal_of(self, url: str, seconds: float) -> BootError | None:
        """Ask one registry or mirror; keep what it answers, a refusal not for long.

        A refusal is in force until the registry answers otherwise.
        """
        known = None
        if url in self._checked:
            known, asked_at = self._checked[url]
            if known is None or self.fetcher.now() - asked_at < REFUSAL_SECONDS:
                return known
        if seconds <= 0:
            return known
        if self.insecure.has(urlsplit(url).netloc):
            return None
        answer, refusal = self._probe(url, seconds), None
        try:
            for one in destinations(url, answer) if answer else ():
                one.check(self.insecure)
        except BootError as error:
            refusal = error
        if answer and answer.status in _ANSWERS:
            self._checked[url] = refusal, self.fetcher.now()
            return refusal
        return refusal or known

    def may_not_fit(self, size: float) -> bool:
        """Return whether layers of `size` bytes in all are so large that the image may not fit."""
        return self.space is not None and size >= SIZE_CHECK_SHARE * self.space.free

    def check_fits(self, image: ImageReference, present: Container[str]) -> None:
        """Raise TooLarge if the layers that are not `present` need more space than is free.

        `present` has the first 12 characters of digests, as the engine reports them. Only the
        compressed size is known in advance; the unpacked image is hardly ever smaller.
        """
        size = self._size(image, present) if self.space else None
        if self.space and size is not None and size > self.space.free:
            message = (
                f"pull {image}: it has {megabytes(size)} compressed, and {self.space} are left"
            )
            raise TooLarge(message)

    def explain(self, error: BootError, image: ImageReference) -> BootError:
        """Return the error with Retry-After, both clocks, the sizes, or the credentials' use.

        Note whether it is about a host that the registry names, instead of the registry.
        """
        if error.asked is Asked.REGISTRY and error.kind in ABOUT_THE_HOST | ABOUT_ITS_TLS:
            own = pull_urls(image.domain, self.mirrors)
            if not _is_of(host_in(str(error)), own):
                error.asked = Asked.NAMED_BY_REGISTRY
        if error.kind is ErrorKind.DENIED:
            return self._with_credentials(error, image)
        if error.kind is ErrorKind.TOO_MANY_REQUESTS:
            return self._with_retry_after(error, image)
        if error.kind is ErrorKind.CERTIFICATE_TIME:
            return self._with_clocks(error, image)
        if error.kind is ErrorKind.OUT_OF_SPACE and not isinstance(error, TooLarge):
            return self._with_sizes(error, image)
        return error

    def renewed(self, image: ImageReference) -> bool:
        """After a denial, fetch registry_auth_url again; return whether that changed anything."""
        if self.auth is None:
            return False
        before = self.credentials_for(image)
        return self.auth.renew() and self.credentials_for(image) != before

    def _with_credentials(self, error: BootError, image: ImageReference) -> BootError:
        """Add where user and password came from, or why there were none.

        If the file could not be fetched, the denial is as temporary as that.
        """
        used = self.credentials_for(image)
        theirs = self.auth.config.credentials_for(image.domain) if self.auth else None
        missing = self.auth.error if self.auth else None
        if used is None:
            error.hint = _NO_CREDENTIALS
        elif used is theirs:
            error.hint = f"check the entry of {image.domain} in the file at registry_auth_url"
        if missing is not None and used is theirs:
            hint = f"registry_auth_url could not be used: {missing}; {missing.hint}"
            return error.changed(str(error), hint=hint, like=type(missing))
        return error

    def _with_retry_after(self, error: BootError, image: ImageReference) -> BootError:
        answer = self._probe(registry_url(image.domain))
        header = answer.headers.get("retry-after") if answer else None
        error.retry_after = retry_after_seconds(header)
        return error

    def _with_clocks(self, error: BootError, image: ImageReference) -> BootError:
        """Add both clocks; the certificate is not trusted now, so the Date is only shown."""
        answer = self._probe(registry_url(image.domain), unverified=True)
        there = answer.headers.get("date") if answer else None
        here = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return _with(error, f"it is {here} here and {there or 'unknown'} at the registry")

    def _with_sizes(self, error: BootError, image: ImageReference) -> BootError:
        size = self._size(image, ())
        needed = "of unknown size" if size is None else f"{megabytes(size)} compressed"
        free = f"{self.space} were left" if self.space else "the free space is unknown"
        return _with(error, f"the image is {needed}, {free}")

    def _size(self, image: ImageReference, present: Container[str]) -> int | None:
        # It loads pydantic, which costs half of bootkit's start; most boots need no size.
        from bootkit.image.manifest import Manifests  # noqa: PLC0415

        base = registry_url(image.domain)
        manifests = Manifests(
            f"{base}/v2/{image.path}",
            self._fetcher(base),
            self.credentials_for(image),
            self.insecure,
        )
        try:
            layers = manifests.layers(image.digest or image.tag or "")
        except BootError as error:
            log.debug("size.unknown", image=str(image), error=str(error))
            return None  # the engine's pull reports what is wrong with the registry
        hexadecimal = {digest.partition(":")[2]: size for digest, size in layers.items()}
        missing = (
            size for name, size in hexadecimal.items() if name[:_SHORT_DIGEST] not in present
        )
        return sum(missing) if layers else None

    def _probe(
        self, url: str, seconds: float = REGISTRY_PROBE_SECONDS, *, unverified: bool = False
    ) -> Answer | None:
        fetcher = replace(self._fetcher(url), unverified=unverified)
        try:
            return fetcher.ask(f"{url}/v2/", limit=FETCH_HEAD_ONLY_BYTES, seconds=seconds)
        except BootError as error:
            log.debug("registry.silent", url=url, error=str(error))
            return None  # the pull's own error is more useful

    def _fetcher(self, url: str) -> Fetcher:
        ours = (self.certificates / urlsplit(url).netloc).glob("*.crt")  # as dockerd does
        return replace(self.fetcher, cas=(*self.fetcher.cas, *ours))


def _is_of(host: str, urls: Iterable[str]) -> bool:
    """Return whether a host[:port] is one of these URLs'; true if it is not known."""
    own = [urlsplit(url) for url in urls]
    return not host or any(host == url.hostname or same_registry(host, url.netloc) for url in own)


def _with(error: BootError, more: str) -> BootError:
    return error.changed(f"{error} ({more})")
