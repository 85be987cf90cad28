"""The bond that the metadata asks for, on trial: the machine was reached without it.

bootkit writes it into a file as soon as it has the metadata. This program then ends, and its next
run makes the bond. If no NIC reaches the host with it, the bond is taken back and not made again
before the next boot. Once a NIC has reached the host, the bond stays, also in later runs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from network.policy import BOND_TRIAL_SECONDS, METADATA_BOND_BYTES
from tinkie.errors import TransientError
from tinkie.files import read_file, write_atomically
from tinkie.parameters.types import BadElements
from tinkie.paths import METADATA_BOND

if TYPE_CHECKING:
    from network.log import Log
    from tinkie.parameters.bond import Bond

REFUSED = Path("/run/dhcpcd/bond-refused")
PROVEN = Path("/run/dhcpcd/bond-proven")


@dataclass(slots=True, eq=False, repr=False)
class MetadataBond:
    """`bond` is the one that this run makes, if there is one.

    has_parameter: the command line says something of bonds, and the metadata does not count.
    """

    log: Log
    has_parameter: bool = False
    path: Path = METADATA_BOND
    refused: Path = REFUSED
    proven: Path = PROVEN
    bond: Bond | None = None
    _source: str = ""  # of `bond`
    _since: float | None = None  # the first look of this run
    _is_proven: bool = False

    def read(self) -> Bond | None:
        """Return the bond to make in this run."""
        self._source = _text(self.path)
        self.bond = self._wanted(self._source)
        self._is_proven = self.bond is not None and _text(self.proven) == self._source
        return self.bond

    def has_come(self) -> bool:
        """Return whether there is one to make that this run does not know of."""
        bond = self._wanted(_text(self.path)) if self.bond is None else None
        if bond is not None:
            self.log.info("bond.found", bond=str(bond), next="starts again, and makes it")
        return bond is not None

    def has_failed(self, now: float, *, is_reached: bool) -> bool:
        """Return whether no NIC has reached the host with it for too long.

        After the host was reached once, it stays: what fails later has another reason.
        """
        if self.bond is None or self._is_proven:
            return False
        if is_reached:
            self._is_proven = True
            with suppress(OSError):  # then the next run has a trial of its own
                write_atomically(self.proven, self._source.encode())
        self._since = now if self._since is None else self._since
        return not is_reached and now - self._since >= BOND_TRIAL_SECONDS

    def trial_seconds(self, now: float) -> float:
        """Return how long the trial goes on; infinity if there is none."""
        if self.bond is None or self._is_proven or self._since is None:
            return float("inf")
        return max(self._since + BOND_TRIAL_SECONDS - now, 0.0)

    def refuse(self) -> None:
        """Note that it is not to be made again; raises TransientError."""
        try:
            write_atomically(self.refused, self._source.encode())
        except OSError as error:
            raise TransientError(f"write {self.refused}: {error}") from None

    def _wanted(self, text: str) -> Bond | None:
        if self.has_parameter or not text or text == _text(self.refused):
            return None
        from tinkie.parameters.bond import Bond  # noqa: PLC0415 - few machines have one

        try:
            return Bond.parse(text)
        except BadElements as error:
            return error.good if isinstance(error.good, Bond) else None
        except ValueError:
            return None


def _text(path: Path) -> str:
    try:
        return read_file(path, METADATA_BOND_BYTES).decode().strip()
    except (OSError, ValueError):
        return ""
