"""Gets the registries' authority: ten seconds at the start, then now and then until it is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from tink_docker.ca.certs import LIMIT_BYTES, install
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.parameters.types import shown
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.ca.certs import CertificatePlan
    from tinkie.fetch.fetcher import Fetcher

log = structlog.get_logger()

_ABOUT_THE_URL = (
    ErrorKind.NOT_FOUND,
    ErrorKind.DENIED,
    ErrorKind.BAD_REQUEST,
    ErrorKind.BAD_ANSWER,
)
START_SECONDS = 10.0
LATER_SECONDS = 2.0
AT_THE_START = Backoff(first=0.25, ceiling=2.0)  # a second between two tries, on average
LATER = Backoff(first=5.0, ceiling=60.0)


@dataclass(slots=True)
class RegistryAuthority:
    """One try per `tick` that is due; `settled` as soon as nobody needs to wait for it any more."""

    plan: CertificatePlan
    fetcher: Fetcher
    now: Callable[[], float]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    settled: bool = False
    installed: bool = False
    _failures: int = 0
    _last: BootError | None = None
    _due: float = field(init=False)
    _start_ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.now()
        self._start_ends = self._due + START_SECONDS

    def tick(self) -> None:
        """Try if a try is due; never raises a BootError.

        A try takes what is left of the start at most, and 2 s after it.
        """
        if self.installed:
            return
        self._settle_in_time()
        if self.now() < self._due:
            return
        seconds = LATER_SECONDS if self.settled else self._start_ends - self.now()
        try:
            pem = self.fetcher.get(
                self.plan.url, limit=LIMIT_BYTES, seconds=max(seconds, LATER_SECONDS)
            )
            self._tell_success(install(self.plan, pem, self.clock()))
        except BootError as error:
            self._put_off(error)

    def _tell_success(self, certificates: list[str]) -> None:
        self.installed = self.settled = True
        registries = ",".join(self.plan.registries)
        url = shown(self.plan.url)
        log.info("ca.installed", url=url, registries=registries, sha256=",".join(certificates))

    def _settle_in_time(self) -> None:
        """Keep nobody waiting longer than the start lasts, whatever a server asks of us."""
        if self.settled or self.now() < self._start_ends:
            return
        self._settle()
        if self._last is not None and self.now() < self._due:
            self._tell_failure(self._last)

    def _settle(self) -> None:
        """The start is over: the waits after it begin anew."""
        if not self.settled:
            self.settled = True
            self._failures = 0

    def _put_off(self, error: BootError) -> None:
        """Be patient as long as the start lasts: the network comes up beside us."""
        if self.now() >= self._start_ends or isinstance(error, PermanentError):
            self._settle()
        self._failures += 1
        policy = LATER if self.settled else AT_THE_START
        self._due = self.now() + policy.delay(self._failures, error)
        self._last = error
        if self.settled:
            self._tell_failure(error)
        else:
            log.debug("ca.waiting", error=str(error))

    def _tell_failure(self, error: BootError) -> None:
        again = f"trying again in {self._due - self.now():.1f} s"
        theirs = error.kind not in _ABOUT_THE_URL and error.hint
        hint = theirs or f"check {self.plan.parameter} and what the server has there"
        what_next = f"the engine works without it; {again}"
        log.error("ca.failed", error=str(error), kind=str(error.kind), hint=hint, next=what_next)
