"""Asking the metadata service: without end where it is needed, briefly where it is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from bootkit.machine.metadata import Machine
from tinkie.errors import BootError
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.machine.metadata import MetadataService

log = structlog.get_logger()

WANTED_SECONDS = 2.0
NEEDED_SECONDS = 10.0
LATER = Backoff(first=5.0, ceiling=300.0)


@dataclass(slots=True)
class MachineFinder:
    """Remembers what the metadata service said once it said who this machine is."""

    now: Callable[[], float]
    machine: Machine | None = None
    _late: MetadataService | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _due: float = field(default=0.0, init=False)

    def find(self, service: MetadataService | None, *, needed: bool) -> Machine:
        """Return what is known of this machine: nothing, if that is enough and nobody answers.

        Raises:
            BootError: it is needed and there was no answer.
        """
        if self.machine is not None or service is None:
            return self.machine or Machine()
        try:
            return self._ask(service, NEEDED_SECONDS if needed else WANTED_SECONDS)
        except BootError as error:
            if needed:
                raise
            self._ask_later(service, error)
            return Machine()

    def tick(self) -> None:
        """Ask again if it is time to; what is learned serves the next worker, never this one."""
        if self._late is None or self.now() < self._due:
            return
        try:
            self._ask(self._late, WANTED_SECONDS)
        except BootError as error:
            self._ask_later(self._late, error)

    def _ask(self, service: MetadataService, seconds: float) -> Machine:
        machine = service.find(seconds=seconds)
        log.info("machine.found", id=machine.id, hostname=machine.hostname, url=service.url)
        self.machine = machine if machine.id else None
        self._late, self._failures = None, 0
        return machine

    def _ask_later(self, service: MetadataService, error: BootError) -> None:
        self._failures += 1
        seconds = LATER.delay(self._failures, error)
        self._late, self._due = service, self.now() + seconds
        log.warning(
            "metadata.missing",
            error=str(error),
            kind=str(error.kind),
            hint=error.hint,
            next=f"the worker does without; asking again in {seconds:.0f} s",
        )
