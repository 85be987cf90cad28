"""The files that tell the rest of the machine what the network is: texts, and how they are written.

`/run/dhcpcd` is for people, for ntp, and for the next run of this program.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from network.leases import STATIC, Lease
from tinkie.errors import NONSENSE, TransientError
from tinkie.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from network.view import View

_SUFFIX = ".sources"  # as chrony reads them


def resolv_conf(leases: Sequence[Lease]) -> str:
    """Return resolv.conf for leases in their order of use."""
    search = next((lease.search for lease in leases if lease.search), ())
    servers = dict.fromkeys(server for lease in leases for server in lease.name_servers)
    first = [f"search {' '.join(search)}\n"] if search else []
    return "".join([*first, *(f"nameserver {server}\n" for server in servers)])


def time_sources(leases: Iterable[Lease]) -> dict[str, str]:
    """Return chrony's sources of each lease, by the names of their files."""
    return {
        f"{lease.interface}.{lease.protocol}{_SUFFIX}": "".join(
            f"server {server} iburst\n" for server in lease.time_servers
        )
        for lease in leases
        if lease.time_servers
    }


def host_name(leases: Sequence[Lease], chosen: str) -> str:
    """Return the machine's name: that of the command line, otherwise of the chosen NIC's lease."""
    given = [lease for lease in leases if lease.protocol == STATIC]
    own = [lease for lease in leases if lease.interface == chosen]
    return next((lease.hostname for lease in [*given, *own] if lease.hostname), "")


@dataclass(slots=True, eq=False, repr=False)
class Files:
    """Write what has changed; nothing else."""

    folder: Path = Path("/run/dhcpcd")
    resolver: Path = Path("/etc/resolv.conf")
    hostname: Path = Path("/run/hostname")
    _written: dict[Path, str] = field(default_factory=dict)

    @property
    def chosen(self) -> str:
        """Return the NIC that was the chosen one when this program ended last."""
        try:
            return (self.folder / "chosen").read_text().strip()
        except (OSError, ValueError):
            return ""

    def read_leases(self) -> list[Lease]:
        """Return dhcpcd's leases when this program ended last."""
        try:
            found = json.loads((self.folder / "leases.json").read_text())
            return [Lease(**_with_tuples(one)) for one in found]
        except (OSError, *NONSENSE):
            return []

    def write_first(self, view: View) -> None:
        """Write resolv.conf if nothing is in it yet; raises TransientError.

        The first test of NICs may take seconds, in which other programs look up names.
        """
        if self.resolver.exists() and self.resolver.stat().st_size:
            return
        problem = self._try(self.resolver, resolv_conf(view.in_use()), in_place=True)
        if problem:
            raise TransientError(problem)

    def write(self, view: View, leases: Iterable[Lease], state: Mapping[str, Any]) -> None:
        """Write all of it; leases: dhcpcd's.

        Raises:
            TransientError: one of them cannot be written; the others are.
        """
        in_use = view.in_use()
        errors = [
            self._try(self.resolver, resolv_conf(in_use), in_place=True),
            self._write_host_name(host_name(view.leases, view.chosen)),
            self._try(self.folder / "chosen", f"{view.chosen}\n"),
            self._try(self.folder / "leases.json", json.dumps([one._asdict() for one in leases])),
            self._try(self.folder / "state.json", json.dumps(state, indent=2) + "\n"),
            *self._write_sources(time_sources(in_use)),
        ]
        problems = "; ".join(filter(None, errors))
        if problems:
            raise TransientError(problems)

    def _write_host_name(self, name: str) -> str:
        """Without a name, the machine keeps the one that it has."""
        return self._try(self.hostname, f"{name}\n", in_place=True) if name else ""

    def _write_sources(self, wanted: Mapping[str, str]) -> list[str]:
        folder = self.folder / "time-servers"
        present = {path.name for path in folder.glob(f"*{_SUFFIX}")}
        errors = [self._remove(folder / name) for name in present - wanted.keys()]
        return [*errors, *(self._try(folder / name, text) for name, text in wanted.items())]

    def _remove(self, path: Path) -> str:
        """Return why it cannot be removed."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            return f"remove {path}: {error}"
        self._written.pop(path, None)
        return ""

    def _try(self, path: Path, text: str, *, in_place: bool = False) -> str:
        """Write a text that is new; return why it cannot be written."""
        if self._written.get(path) == text:
            return ""
        try:
            _write_in_place(path, text) if in_place else write_atomically(path, text.encode())
        except OSError as error:
            return f"write {path}: {error}"
        self._written[path] = text
        return ""


def _with_tuples(lease: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in lease.items()}


def _write_in_place(path: Path, text: str) -> None:
    """Overwrite a file of which containers have a bind, so that it must not be replaced.

    No reader finds it empty in between: it is cut after the write.
    """
    data = text.encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        left = data
        while left:
            left = left[os.write(descriptor, left) :]  # a full disk takes a part, and then fails
        if os.fstat(descriptor).st_size > len(data):
            os.ftruncate(descriptor, len(data))
    finally:
        os.close(descriptor)
