"""What a registry itself says when a pull failed.

dockerd tells of a failed pull only a sentence. How long to wait, and what time it is at the other
side, has to be asked of the registry. It is asked without credentials, and what it answers is told
to people and makes a wait longer, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.shared.errors import BootError
from bootkit.shared.faults import Fault
from bootkit.shared.reference import DEFAULT_DOMAIN, ImageReference

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.shared.fetch import Answer, Fetcher

CERTIFICATES = Path("/etc/docker/certs.d")
ASK_SECONDS = 3.0
_HUB = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class RegistryWitness:
    """Asks a registry's `/v2/` and adds what it says to the error of a pull."""

    fetcher: Fetcher
    certificates: Path = CERTIFICATES
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def explain(self, error: BootError, image: str) -> BootError:
        """Return the error with Retry-After, or with both sides' clocks, if it is about either."""
        if error.fault is Fault.TOO_MANY_REQUESTS:
            return self._with_patience(error, image)
        if error.fault is Fault.CERTIFICATE_TIME:
            return self._with_clocks(error, image)
        return error

    def _with_patience(self, error: BootError, image: str) -> BootError:
        answer = self._ask(image)
        asked = answer.headers.get("retry-after", "") if answer else ""
        if asked.isdecimal():
            error.retry_after = float(asked)
        return error

    def _with_clocks(self, error: BootError, image: str) -> BootError:
        """The certificate cannot be trusted now, so neither can the Date: it is only shown."""
        answer = self._ask(image, unverified=True)
        there = answer.headers.get("date") if answer else None
        here = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        clocks = f"it is {here} here and {there or 'unknown'} at the registry"
        return type(error)(f"{error} ({clocks})", fault=error.fault, hint=error.hint)

    def _ask(self, image: str, *, unverified: bool = False) -> Answer | None:
        domain = ImageReference.parse(image).domain
        authority = self.certificates / domain / "ca.crt"
        fetcher = replace(
            self.fetcher,
            authority=authority if authority.is_file() else None,
            unverified=unverified,
        )
        host = _HUB if domain == DEFAULT_DOMAIN else domain
        try:
            return fetcher.ask(f"https://{host}/v2/", limit=64 * 1024, seconds=ASK_SECONDS)
        except BootError:
            return None  # the pull's own error is told already, and says more
