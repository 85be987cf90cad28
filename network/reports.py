"""What is reported: the differences between two looks, and how the host is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from network.nics import called
from network.policy import (
    NIC_MISSING_SECONDS,
    STATIC_NIC_MISSING_SECONDS,
    UNREACHABLE_FIRST_SECONDS,
    UNREACHABLE_LOG_FACTOR,
)
from network.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from network.leases import DhcpcdEvent
    from network.log import Log
    from network.nics import Nic
    from tinkie.parameters.types import HostPort


@dataclass(slots=True, eq=False, repr=False)
class Reports:
    """Call `addresses` at each look before NICs are tested, which may take seconds, and then `way`.

    `host` is None if the command line names none; `named` are the NICs that it names; `waits_for`
    is the one that gets an address or a VLAN when it comes; `members` are those of the bond.
    """

    log: Log
    host: HostPort | None
    named: Sequence[str] = ()
    waits_for: str = ""
    members: Sequence[str] = ()
    _before: View = field(default_factory=View)
    _reasons: dict[tuple[str, str], str] = field(default_factory=dict)  # dhcpcd's last ones
    _started: float | None = None
    _missing: set[str] = field(default_factory=set)  # of `named`, as reported
    _checked: set[str] = field(default_factory=set)  # of `named`, whether they are missing
    _since: float | None = None  # when the host was first not reached
    _patience: float = UNREACHABLE_FIRST_SECONDS
    _is_reached: bool = False  # as reported
    _reached_by: str = ""

    def note(self, events: Iterable[DhcpcdEvent]) -> None:
        """Take dhcpcd's events: they have the reason why a lease ended."""
        self._reasons |= {(one.interface, one.protocol): one.reason for one in events}

    def addresses(self, view: View, now: float, everything: Sequence[Nic]) -> None:
        """Report new links and leases; now: monotonic seconds; everything: also NICs not used."""
        self._report_links(view)
        self._report_leases(view)
        self._report_named(now, everything)
        self._before = view
        names = {nic.name for nic in view.nics}
        self._reasons = {key: why for key, why in self._reasons.items() if key[0] in names}

    def way(self, view: View, now: float) -> None:
        """Report whether, and by which NIC, the host is reached, if that is new."""
        if self.host and view.is_reached:
            self._report_reached(view, self.host)
        elif self.host:
            self._report_unreached(view, self.host, now)

    def due(self, now: float) -> list[float]:
        """Return when each NIC that is named is to be looked for."""
        started = now if self._started is None else self._started
        return [
            started + self._patience_for(name) for name in self.named if name not in self._checked
        ]

    def _patience_for(self, name: str) -> float:
        return STATIC_NIC_MISSING_SECONDS if name == self.waits_for else NIC_MISSING_SECONDS

    def _report_links(self, view: View) -> None:
        before = {nic.name for nic in self._before.nics if nic.has_link}
        after = {nic.name for nic in view.nics if nic.has_link}
        for name in sorted(after - before):
            self.log.info("link.up", interface=name)
        for name in sorted(before - after):
            self.log.warning("link.down", interface=name)

    def _report_leases(self, view: View) -> None:
        before, after = self._before.bound(), view.bound()
        for key, lease in after.items():
            if key in before and before[key].address == lease.address:
                continue
            fields = {"address": lease.address, "router": view.router(lease)}
            self.log.info(
                "address.bound", interface=lease.interface, **_filled(fields, server=lease.server)
            )
        for key, lease in before.items():
            nic = view.nic(lease.interface)
            if key in after or nic is None or not nic.has_link:
                continue  # link.down says it
            reason = self._reasons.get(key, "")
            fields = _filled({"address": lease.address}, reason=reason)
            self.log.warning("address.lost", interface=lease.interface, **fields, next="asks again")

    def _report_named(self, now: float, nics: Sequence[Nic]) -> None:
        self._started = now if self._started is None else self._started
        for name in [name for name in self._missing if called(nics, name)]:
            self._missing.discard(name)
            self.log.info("nic.found", nic=name)
        for name in self.named:
            if name in self._checked or now - self._started < self._patience_for(name):
                continue
            self._checked.add(name)
            if called(nics, name):
                continue
            self._missing.add(name)
            error = "the machine has no such NIC"
            self.log.warning("nic.missing", nic=name, error=error, next=self._without(name))

    def _without(self, name: str) -> str:
        """Return what happens while a NIC is missing."""
        if name in self.members:
            return "the bond goes on without it"
        if name == self.waits_for:
            return "DHCP on the others, and waits for it"
        return "uses any that reaches the host"

    def _report_reached(self, view: View, host: HostPort) -> None:
        self._since, self._patience = None, UNREACHABLE_FIRST_SECONDS
        if not self._is_reached:
            self.log.info("host.reached", host=str(host.host), interface=view.chosen)
        elif view.chosen != self._reached_by:
            failed = {name: why for name, why in view.reasons.items() if why}
            fields = _filled({"host": str(host.host)}, error=_list(failed))
            self.log.info("route.changed", interface=view.chosen, before=self._reached_by, **fields)
        self._is_reached, self._reached_by = True, view.chosen

    def _report_unreached(self, view: View, host: HostPort, now: float) -> None:
        self._since = now if self._since is None else self._since
        seconds = now - self._since
        if seconds < self._patience:
            return
        self._patience *= UNREACHABLE_LOG_FACTOR
        self._is_reached = False
        self.log.warning(
            "host.unreachable",
            host=str(host.host),
            port=host.port,
            seconds=round(seconds),
            error=_list({**view.reasons, **_lacking(view)}) or "the machine has no NIC",
            next="tries on",
        )


def _lacking(view: View) -> dict[str, str]:
    """Return, by NIC, what those that cannot be used lack."""
    found = {}
    for nic in view.nics:
        if not nic.is_usable:
            found[nic.name] = "no lease" if nic.has_link else "no link"
    return found


def _list(reasons: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {why}" for name, why in reasons.items() if why)


def _filled(fields: Mapping[str, str], **more: str) -> dict[str, str]:
    return {name: text for name, text in {**fields, **more}.items() if text}
