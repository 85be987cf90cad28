"""The file at registry_auth_url: fetched when a pull needs it, and kept in memory only."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from bootkit.plan.credentials import DockerConfig
from bootkit.policy import (
    AUTH_FILE_BYTES,
    AUTH_LATER_SECONDS,
    AUTH_LIFETIME_LONGEST_SECONDS,
    AUTH_LIFETIME_SECONDS,
    AUTH_LIFETIME_SHORTEST_SECONDS,
    AUTH_RENEWAL_FIRST_SHARE,
    AUTH_RENEWAL_LAST_SHARE,
    AUTH_RETRY,
    AUTH_SECONDS,
)
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, asking, listed
from tinkie.fetch.http_errors import status_error
from tinkie.fetch.lifetime import lifetime_seconds
from tinkie.hints import Asked
from tinkie.parameters.types import shown
from tinkie.paths import CERTIFICATES
from tinkie.running.backoff import Schedule
from tinkie.running.log import get_logger
from tinkie.running.redaction import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tinkie.fetch.fetcher import Fetcher
    from tinkie.parameters.types import Url

log = get_logger()


def fetch_config(
    url: Url, fetcher: Fetcher, seconds: float, certificates: Path = CERTIFICATES
) -> tuple[DockerConfig, float]:
    """Return what is in a docker `config.json`, and for how many seconds it may be used.

    Its secrets are masked from then on. For https:// every installed CA certificate of a registry
    is trusted, too; or, with the fetcher's `only_cas`, those and that of trusted_ca_url alone.

    Raises:
        BootError: as `Fetcher.get`; or it is no such file.
    """
    # It loads pydantic, which costs half of bootkit's start; most boots have no such file.
    from bootkit.image.docker_config import parse_docker_config  # noqa: PLC0415

    cas = (*fetcher.cas, *sorted(certificates.glob("*/*.crt")))
    with asking(Asked.AUTH_SERVER):
        answer = replace(fetcher, cas=cas).ask(url, limit=AUTH_FILE_BYTES, seconds=seconds)
        if answer.status != HTTPStatus.OK:
            raise status_error(url, answer.status, answer.headers.get("retry-after"))
        parsed = parse_docker_config(answer.body)
    REDACTOR.renew("registry_auth_url", parsed.secrets)
    given = lifetime_seconds(answer.headers)
    wanted = AUTH_LIFETIME_SECONDS if given is None else given
    most = min(wanted, AUTH_LIFETIME_LONGEST_SECONDS)
    return parsed.config, max(most, AUTH_LIFETIME_SHORTEST_SECONDS)


@dataclass(slots=True, eq=False, repr=False)
class AuthFile:
    """The credentials at registry_auth_url, without any if that is not given.

    `error` is why the last try failed; what was fetched before is used then. `version` counts the
    different files that were fetched. A file without any entry, or without one that it had, may be
    about to be written: it is used, and fetched again soon.
    """

    now: Callable[[], float]
    certificates: Path = CERTIFICATES
    chance: Callable[[], float] = random.random
    config: DockerConfig = field(default_factory=DockerConfig)
    error: BootError | None = None
    version: int = 0
    _url: Url | None = None
    _fetcher: Fetcher | None = None
    _tried: bool = False  # in this run
    _fetched_at: float = 0.0
    _missing: list[str] = field(default_factory=list)  # registries that the file had
    _schedule: Schedule = field(init=False)

    def __post_init__(self) -> None:
        self._schedule = Schedule(AUTH_RETRY, self.now)

    def use(self, url: Url | None, fetcher: Fetcher) -> None:
        """Begin a run with these; the command line of a machine does not change."""
        self._url, self._fetcher, self._tried = url, fetcher, False

    def refresh(self) -> None:
        """Fetch the file before a pull, if there is none yet or it is out of date; raise nothing.

        If that fails, log why: the pull is tried all the same. After a failure each pull tries it,
        as rarely as its own back-off lets it, unless the server demanded a wait.
        """
        if self._schedule.is_due() or (self.error is not None and not self._must_wait()):
            self._try(AUTH_SECONDS)

    def renew(self) -> bool:
        """After a pull was denied: fetch the file now, once in a run; return whether it could be.

        Otherwise the next run does: its back-off bounds how often. Not while the server demands to
        wait.
        """
        if self._must_wait():
            return False
        if self._tried:
            self._schedule.reset()
            return False
        return self._try(AUTH_SECONDS)

    def tick(self) -> None:
        """Beside a running worker: fetch the file if it is due."""
        if self._schedule.is_due():
            self._try(AUTH_LATER_SECONDS)

    def _must_wait(self) -> bool:
        """Return whether the server's last answer had a Retry-After that is not over."""
        has_demanded = self.error is not None and bool(self.error.retry_after)
        return has_demanded and not self._schedule.is_due()

    def _try(self, seconds: float) -> bool:
        if self._url is None or self._fetcher is None:
            return False
        self._tried = True
        try:
            config, lifetime = fetch_config(self._url, self._fetcher, seconds, self.certificates)
        except BootError as error:
            self.error = error
            self._schedule.failed(error)
            self._log_failure(error)
            return False
        self._log_success(self._url, config, lifetime)
        had = dict.fromkeys((*self.config.auths, *self._missing))
        self._missing = [name for name in had if name not in config.auths]
        is_new = self.version == 0 or config != self.config
        self.version += 1 if is_new else 0
        self.config, self.error = config, None
        self._fetched_at = self.now()
        planned = self._fetched_at + self._renewal_seconds(lifetime)
        if self._missing or not config.auths:
            self._fetch_soon(planned, is_new=is_new)
        else:
            self._schedule.reset()
            self._schedule.due_at = planned
        return True

    def _fetch_soon(self, planned: float, *, is_new: bool) -> None:
        self._schedule.failed()
        self._schedule.due_at = min(planned, self._schedule.due_at)
        if is_new:
            log.warning(
                "registry_auth.entry_missing",
                error=f"the file has no entry of {listed(self._missing or ['any registry'], ', ')}",
                kind=str(ErrorKind.NOT_FOUND),
                hint="complete the file at registry_auth_url",
                next=f"fetching it again in {self._schedule.seconds_left():.1f} s; "
                "the worker keeps the password that it has",
            )

    def _renewal_seconds(self, lifetime: float) -> float:
        """Choose a random time: machines that booted together must not come together."""
        share = self.chance() * (AUTH_RENEWAL_LAST_SHARE - AUTH_RENEWAL_FIRST_SHARE)
        return (AUTH_RENEWAL_FIRST_SHARE + share) * lifetime

    def _log_success(self, url: Url, config: DockerConfig, lifetime: float) -> None:
        registries = listed(config.auths, ",")
        if self.version == 0 or self.error or config != self.config:
            log.info(
                "registry_auth.fetched",
                url=shown(url),
                registries=registries,
                lifetime=f"{lifetime:.0f} s",
            )
        if config.unused and config.unused != self.config.unused:
            log.warning(
                "registry_auth.incomplete",
                error=listed(f"{name}: {why}" for name, why in config.unused.items()),
                next=f"the others are used ({len(config.auths)})",
            )

    def _log_failure(self, error: BootError) -> None:
        age = self.now() - self._fetched_at
        log.error(
            "registry_auth.failed",
            **error.fields,
            next=f"using what was fetched {age:.0f} s ago" if self.version else "going on without",
        )
