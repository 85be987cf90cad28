"""The machine's way to its host as steps that a person can follow, for state.json.

By NIC: link, lease, route, name, host; each with `ok`, since when (seconds after power-on), and why
not. `ok` is null for a step that depends on one before it which failed, that was not tested yet, or
that is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from network.probe import NO_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from network.nics import Nic
    from network.view import View
    from tinkie.parameters.types import HostPort

Outcome = tuple[bool | None, str]
"""Of a step: whether it is done, and why not."""

_NOT_YET: Outcome = (None, "")


def steps(view: View, nic: Nic, host: HostPort | None) -> dict[str, Outcome]:
    """Return the steps of one NIC."""
    routes = [route for route in view.routes if route.interface == nic.name]
    has_route = any(route.is_of_use for route in routes)
    reason = view.reasons.get(nic.name)
    return {
        "link": (nic.has_link, "" if nic.has_link else "no link"),
        "lease": _after(nic.has_link, bool(nic.addresses), "no lease"),
        "route": _after(nic.is_usable, has_route, "no route"),
        "name": _name(host, reason),
        "host": _host(host, reason),
    }


def _after(is_possible: bool, is_done: bool, why_not: str) -> Outcome:  # noqa: FBT001 - a step's words
    if not is_possible:
        return _NOT_YET
    return is_done, "" if is_done else why_not


def _name(host: HostPort | None, reason: str | None) -> Outcome:
    if host is None or host.host.is_address:
        return None, "no name to look up"
    return _NOT_YET if reason is None else (reason != NO_NAME, reason if reason == NO_NAME else "")


def _host(host: HostPort | None, reason: str | None) -> Outcome:
    if host is None:
        return None, "no parameter names one"
    if reason is None or reason == NO_NAME:
        return _NOT_YET
    return not reason, reason


@dataclass(slots=True, eq=False, repr=False)
class State:
    """Remember since when each step is as it is."""

    host: HostPort | None
    _since: dict[tuple[str, str], tuple[Outcome, float]] = field(default_factory=dict)

    def content(self, view: View, uptime: float) -> Mapping[str, Any]:
        """Return what state.json has; it changes only if something has changed."""
        now = round(uptime, 2)
        found = {
            (nic.name, name): step
            for nic in view.nics
            for name, step in steps(view, nic, self.host).items()
        }
        self._since = {key: self._kept(key, step, now) for key, step in found.items()}
        nics: dict[str, Any] = {}
        for (nic, name), ((is_ok, why), since) in self._since.items():
            nics.setdefault(nic, {})[name] = {"ok": is_ok, "since": since, "why": why}
        return {
            "chosen": view.chosen,
            "reached": view.is_reached if self.host else None,
            "host": str(self.host.host) if self.host else None,
            "nics": {nic: self._with_addresses(view, nic, way) for nic, way in nics.items()},
        }

    def _kept(self, key: tuple[str, str], step: Outcome, now: float) -> tuple[Outcome, float]:
        before = self._since.get(key)
        return before if before and before[0] == step else (step, now)

    def _with_addresses(self, view: View, name: str, way: dict[str, Any]) -> dict[str, Any]:
        nic = view.nic(name)
        return {"addresses": list(nic.addresses) if nic else [], "steps": way}
