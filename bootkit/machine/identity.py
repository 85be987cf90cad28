"""Which machine this is: ask once within a bound, then again beside the running worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bootkit.machine.bonding import publish
from bootkit.machine.metadata import MachineMetadata
from bootkit.policy import METADATA_NEEDED_SECONDS, METADATA_RETRY, METADATA_WANTED_SECONDS
from tinkie.errors import BootError
from tinkie.paths import METADATA_BOND
from tinkie.running.backoff import Schedule
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bootkit.machine.metadata import MetadataService

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class MachineFinder:
    """Ask the metadata service, and keep its first answer with an id for all later runs.

    `bond_file` is where the network service looks for a bond.
    """

    now: Callable[[], float]
    machine: MachineMetadata | None = None
    bond_file: Path = METADATA_BOND
    _retry: Schedule = field(init=False)
    _to_retry: MetadataService | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._retry = Schedule(METADATA_RETRY, self.now)

    def find(self, service: MetadataService | None, *, needed: bool) -> MachineMetadata:
        """Return the machine's metadata; empty if there is no answer and it is not needed.

        Raises:
            BootError: it is needed and there was no answer.
        """
        if self.machine is not None or service is None:
            return self.machine or MachineMetadata()
        try:
            return self._ask(
                service, METADATA_NEEDED_SECONDS if needed else METADATA_WANTED_SECONDS
            )
        except BootError as error:
            if needed:
                raise
            self._ask_later(service, error)
            return MachineMetadata()

    def tick(self) -> None:
        """Ask again if it is due; the next worker uses the answer, the running one does not."""
        if self._to_retry is None or not self._retry.is_due():
            return
        try:
            self._ask(self._to_retry, METADATA_WANTED_SECONDS)
        except BootError as error:
            self._ask_later(self._to_retry, error)

    def _ask(self, service: MetadataService, seconds: float) -> MachineMetadata:
        machine = service.find(seconds=seconds)
        log.info("machine.found", id=machine.id, hostname=machine.hostname, url=service.url)
        if machine.bond:
            publish(machine.bond, self.bond_file)
        self.machine = machine if machine.id else None
        self._to_retry = None
        self._retry.reset()
        return machine

    def _ask_later(self, service: MetadataService, error: BootError) -> None:
        self._to_retry = service
        seconds = self._retry.failed(error)
        log.warning(
            "metadata.missing",
            **error.fields,
            next=f"the worker starts without metadata; trying again in {seconds:.0f} s",
        )
