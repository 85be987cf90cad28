"""What a registry itself says: of an image before it is pulled, and of a pull that failed.

dockerd tells of a failed pull only a sentence. How long to wait, what time it is at the other
side, how large an image is, has to be asked of the registry. What it answers is told to people,
makes a wait longer, or stops a pull that cannot end well; nothing else. No answer stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from bootkit.image.manifest import Manifests
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.fetch.http_errors import seconds_asked
from tinkie.parameters.image_reference import DEFAULT_DOMAIN, ImageReference
from tinkie.paths import CERTIFICATES
from tinkie.space import megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from bootkit.plan.worker import Credentials
    from tinkie.fetch.fetcher import Answer, Fetcher
    from tinkie.space import Space

log = structlog.get_logger()

ASK_SECONDS = 3.0
_HUB = "registry-1.docker.io"
_SHOWN_OF_A_LAYER = 12  # characters of its digest, in the engine's messages


class TooLarge(PermanentError):
    """An image that does not fit into the space there is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=ErrorKind.OUT_OF_SPACE)


@dataclass(frozen=True, slots=True)
class RegistryWitness:
    """Asks a registry about an image, and about the error of a pull.

    `credentials_for` an image are those of its pull. `space` is what there was before that.
    """

    fetcher: Fetcher
    credentials_for: Callable[[str], Credentials | None] = lambda _: None
    space: Space | None = None
    certificates: Path = CERTIFICATES
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def refuse(self, image: str, present: Container[str]) -> None:
        """Raise TooLarge if the layers that are not `present` take more space than there is.

        `present` has the first 12 characters of digests, as the engine tells them. How large an
        image is when it is unpacked is not known before; it is hardly ever smaller.
        """
        size = self._size(image, present) if self.space else None
        if self.space and size is not None and size > self.space.free:
            message = (
                f"pull {image}: it has {megabytes(size)} compressed, and {self.space} are left"
            )
            raise TooLarge(message)

    def explain(self, error: BootError, image: str) -> BootError:
        """Return the error with Retry-After, both sides' clocks or sizes, if it is about them."""
        if error.kind is ErrorKind.TOO_MANY_REQUESTS:
            return self._with_patience(error, image)
        if error.kind is ErrorKind.CERTIFICATE_TIME:
            return self._with_clocks(error, image)
        if error.kind is ErrorKind.OUT_OF_SPACE and not isinstance(error, TooLarge):
            return self._with_sizes(error, image)
        return error

    def _with_patience(self, error: BootError, image: str) -> BootError:
        answer = self._ask(image)
        error.retry_after = seconds_asked(answer.headers.get("retry-after")) if answer else None
        return error

    def _with_clocks(self, error: BootError, image: str) -> BootError:
        """The certificate cannot be trusted now, so neither can the Date: it is only shown."""
        answer = self._ask(image, unverified=True)
        there = answer.headers.get("date") if answer else None
        here = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return _with(error, f"it is {here} here and {there or 'unknown'} at the registry")

    def _with_sizes(self, error: BootError, image: str) -> BootError:
        size = self._size(image, ())
        told = "of unknown size" if size is None else f"{megabytes(size)} compressed"
        left = f"{self.space} were left" if self.space else "how much was left is unknown"
        return _with(error, f"the image is {told}, {left}")

    def _size(self, image: str, present: Container[str]) -> int | None:
        reference = ImageReference.parse(image)
        url = f"https://{_host(reference.domain)}/v2/{reference.path}"
        manifests = Manifests(url, self._fetcher(reference.domain), self.credentials_for(image))
        try:
            layers = manifests.layers(reference.digest or reference.tag or "")
        except (BootError, ValueError) as error:
            log.debug("size.unknown", image=image, error=str(error))
            return None  # dockerd says what is wrong with that registry
        hexadecimal = {digest.partition(":")[2]: size for digest, size in layers.items()}
        missing = (n for name, n in hexadecimal.items() if name[:_SHOWN_OF_A_LAYER] not in present)
        return sum(missing) if layers else None

    def _ask(self, image: str, *, unverified: bool = False) -> Answer | None:
        domain = ImageReference.parse(image).domain
        fetcher = replace(self._fetcher(domain), unverified=unverified)
        try:
            return fetcher.ask(f"https://{_host(domain)}/v2/", limit=64 * 1024, seconds=ASK_SECONDS)
        except BootError:
            return None  # the pull's own error is told already, and says more

    def _fetcher(self, domain: str) -> Fetcher:
        authority = self.certificates / domain / "ca.crt"
        return replace(self.fetcher, authority=authority if authority.is_file() else None)


def _host(domain: str) -> str:
    return _HUB if domain == DEFAULT_DOMAIN else domain


def _with(error: BootError, more: str) -> BootError:
    return type(error)(f"{error} ({more})", kind=error.kind, hint=error.hint)
