"""Fetch CA certificates: for ten seconds at the start, then until they are installed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.ca.certs import install
from tinkie.errors import BootError, PermanentError, asking, listed
from tinkie.hints import Asked
from tinkie.parameters.types import shown
from tinkie.running.backoff import Schedule
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.ca.plan import CertificatePlan
    from tinkie.fetch.fetcher import Fetcher

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class CaFetcher:
    """Tries once per `tick` that is due; `settled` when nothing needs to wait for it any more.

    `changed_at`: when a file got another content, None if none did.
    """

    plan: CertificatePlan
    fetcher: Fetcher
    now: Callable[[], float]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    settled: bool = False
    installed: bool = False
    changed_at: float | None = None
    _schedule: Schedule = field(init=False)  # at the start, then another one
    _start_ends: float = field(init=False)
    _last_error: BootError | None = None

    def __post_init__(self) -> None:
        self._schedule = Schedule(policy.CA_RETRIES_AT_START, self.now)
        self._start_ends = self.now() + policy.CA_START_SECONDS

    def tick(self) -> None:
        """Try if a try is due; never raise a BootError.

        A try at the start may take what is left of the start, a later one 2 s.
        """
        if self.installed:
            return
        self._end_start_in_time()
        if self._schedule.is_due():
            self._try()

    def _try(self) -> None:
        left = 0.0 if self.settled else self._start_ends - self.now()
        seconds = max(left, policy.CA_LATER_TRY_SECONDS)
        try:
            with asking(Asked.CA_SERVER, self.plan.parameter):
                pem = self.fetcher.get(self.plan.url, limit=policy.CA_BYTES, seconds=seconds)
                certificates, changed = install(self.plan, pem, self.clock())
            self.changed_at = self.now() if changed else None
            self._log_success(certificates)
            self.settled = self.installed = True
        except BootError as error:
            self._retry_later(error)

    def _log_success(self, certificates: list[str]) -> None:
        registries = "all" if self.plan.everywhere else ",".join(self.plan.hosts)
        url = shown(self.plan.url)
        sums, what_next = listed(certificates, ","), {}
        if self.plan.everywhere and self.settled and self.changed_at is not None:
            what_next["next"] = "dockerd and worker start again to trust them, when no action runs"
        log.info("ca.installed", url=url, registries=registries, sha256=sums, **what_next)

    def _end_start_in_time(self) -> None:
        """End the start when its time is over, even if a server's Retry-After is longer."""
        if self.settled or self.now() < self._start_ends:
            return
        self._end_start()
        if self._last_error is not None and not self._schedule.is_due():
            self._log_failure(self._last_error)

    def _end_start(self) -> None:
        """Stop delaying the boot: keep the current wait, then use the back-off for later tries."""
        if not self.settled:
            self.settled = True
            later = Schedule(policy.CA_RETRIES_LATER, self.now)
            later.due_at = self._schedule.due_at
            self._schedule = later

    def _retry_later(self, error: BootError) -> None:
        """Log no error during the start: the network comes up at the same time."""
        if self.now() >= self._start_ends or isinstance(error, PermanentError):
            self._end_start()
        self._schedule.failed(error)
        self._last_error = error
        if self.settled:
            self._log_failure(error)
        else:
            log.debug("ca.waiting", error=str(error))

    def _log_failure(self, error: BootError) -> None:
        retry = f"trying again in {self._schedule.seconds_left():.1f} s"
        what_next = f"the engine works without it; {retry}"
        log.error("ca.failed", **error.fields, next=what_next)
