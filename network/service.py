"""One look: what there is, the decision, and what follows from it.

Each look begins with what the kernel and dhcpcd have now. So no event must be kept, nothing is lost
with one, and after a restart this goes on where the last run ended.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from network.attempts import Attempt
from network.kernel import FAMILIES
from network.leases import current_leases
from network.links import Command
from network.lookups import Resolver
from network.policy import (
    CHANGE_AGAIN_CEILING_SECONDS,
    CHANGE_AGAIN_FIRST_SECONDS,
    REACHED_LOOK_CEILING_SECONDS,
    REACHED_LOOK_FIRST_SECONDS,
    READ_ANEW_SECONDS,
    SAME_ERROR_SECONDS,
    STEP_AGAIN_CEILING_SECONDS,
    STEP_AGAIN_FIRST_SECONDS,
    UNREACHED_LOOK_CEILING_SECONDS,
    UNREACHED_LOOK_FIRST_SECONDS,
)
from network.routes import changes
from network.view import View, has_address
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from network.choice import Choice
    from network.files import Files
    from network.kernel import Kernel
    from network.leases import DhcpcdEvent, Lease
    from network.links import Step
    from network.log import Log
    from network.metadata_bond import MetadataBond
    from network.nics import Nic
    from network.probe import Probe
    from network.reports import Reports
    from network.routes import Route
    from network.state import State
    from network.static import StaticPlan

T = TypeVar("T")

Routes = dict[str, "list[Route]"]
Commands = list[Command]


@dataclass(slots=True, eq=False, repr=False)
class Service:
    """Call `look` at each event, and after the seconds that it returned.

    `messages` returns dhcpcd's, or raises TransientError; `now` returns monotonic seconds, `uptime`
    those since power-on, `chance` a random number below 1.
    """

    kernel: Kernel
    plan: StaticPlan
    probe: Probe
    choice: Choice
    files: Files
    reports: Reports
    state: State
    metadata: MetadataBond
    messages: Callable[[], Sequence[bytes]]
    log: Log
    now: Callable[[], float]
    uptime: Callable[[], float]
    chance: Callable[[], float]
    nics: Sequence[Nic] = ()  # all that the kernel has
    view: View = field(default_factory=View)
    _leases: list[Lease] = field(init=False)  # dhcpcd's
    _known: set[str] = field(default_factory=set)  # NICs that have had a lease
    _read_at: float = 0.0  # when all of it is read anew
    _pause: float = 0.0
    _errors: dict[str, tuple[str, float]] = field(default_factory=dict)  # by step, since when
    _last: dict[str, tuple[Commands, Attempt]] = field(default_factory=dict)  # by step
    _steps: dict[Step, Attempt] = field(default_factory=dict)  # still missing

    def __post_init__(self) -> None:
        self._leases = self.files.read_leases()

    def look(self, *, is_woken: bool, is_dhcpcd_there: bool = True) -> float:
        """Do what is to be done now; return the seconds until the next look without an event."""
        now = self.now()
        is_due = is_woken or now >= self._read_at
        if is_due or not self.choice.still_reaches(self.view.nics, now):
            self._look_anew(now, is_dhcpcd_there=is_dhcpcd_there)
        pause = self._next_pause(is_woken=is_woken)
        return min(pause, self.metadata.trial_seconds(self.now()))

    def is_over(self) -> bool:
        """Return whether the next run is to go on, with another plan for bonds."""
        if self.metadata.has_come():
            return True
        if not self.metadata.has_failed(self.now(), is_reached=self.choice.is_reached):
            return False
        self._tried("take the bond back", self._take_back)
        return True

    def note(self, events: Iterable[DhcpcdEvent]) -> None:
        """Take dhcpcd's events."""
        self.reports.note(events)

    def _look_anew(self, now: float, *, is_dhcpcd_there: bool) -> None:
        self._read_at = now + READ_ANEW_SECONDS
        messages = self._tried("read the leases", self.messages) if is_dhcpcd_there else None
        read = self._tried("read the kernel's state", self._read)
        if read is None:
            return
        self.nics, routes = read
        # What has no address, as a router's name servers, is kept while dhcpcd does not answer.
        self._leases = current_leases(
            messages or (),
            self._leases,
            lambda lease: has_address(self.nics, lease) or (messages is None and not lease.address),
        )
        leases = [*self.plan.leases(self.nics), *self._leases]
        nics = self._managed(leases)
        self.probe.resolvers = resolvers(nics, leases)
        view = View(nics, leases, [route for family in FAMILIES for route in routes[family]])
        self.reports.addresses(view, now, self.nics)
        self._read_by(self.reports.due(now))
        self._tried("write resolv.conf", lambda: self.files.write_first(view))
        chosen = self.choice.look(nics, now)
        self._change("change routes", self._to_prefer(chosen, routes))
        is_reached, reasons = self.choice.is_reached, dict(self.choice.reasons)
        self.view = replace(view, chosen=chosen, is_reached=is_reached, reasons=reasons)
        content = self.state.content(self.view, self.uptime())
        self._tried("write files", lambda: self._write(content))
        self.reports.way(self.view, now)

    def _read(self) -> tuple[Sequence[Nic], Routes]:
        """Return NICs and routes, once what the command line gives is in place."""
        nics = self._with_links(self.kernel.nics())
        routes = self._routes()
        missing = self.plan.address_commands(nics, routes)
        if self._change("set addresses", missing):
            return self.kernel.nics(), self._routes()
        return nics, routes

    def _with_links(self, nics: Sequence[Nic]) -> Sequence[Nic]:
        """Make what is missing of the bond and the VLAN; return all NICs then.

        What was in vain is repeated more and more rarely; what was made and is missing again, is
        made at once.
        """
        now = self.now()
        tried: dict[Step, Attempt] = {}
        for steps, report in (
            (self.plan.first_steps, self._report_bond),
            (self.plan.bond_steps, self._report_bond),
            (self.plan.vlan_steps, self._report_vlan),
        ):
            first = Attempt(now, STEP_AGAIN_FIRST_SECONDS)
            missing = {step: self._steps.get(step, first) for step in steps(nics)}
            tried |= missing
            due = [step for step, attempt in missing.items() if self._is_due(step, attempt, now)]
            for step in due:
                self._make(step, report)
                tried[step] = missing[step].following(now, STEP_AGAIN_CEILING_SECONDS)
            nics = self.kernel.nics() if due else nics
        self._steps = tried
        self._read_by(
            one.due_at if one.due_at > now else now + STEP_AGAIN_FIRST_SECONDS
            for one in tried.values()
        )
        return nics

    def _read_by(self, times: Iterable[float]) -> None:
        """Read all of it anew by the first of these times."""
        self._read_at = min([self._read_at, *times])

    def _make(self, step: Step, report: Callable[[Step, str], None]) -> None:
        """Make a part of an interface; if that fails, take back what was done of it."""
        try:
            for command in step.commands:
                self.kernel.ip(*command)
        except TransientError as error:
            with suppress(TransientError):
                for command in step.undo:
                    self.kernel.ip(*command)
            if self._is_news(step.name, str(error)):
                report(step, str(error))
        else:
            self._errors.pop(step.name, None)

    def _report_bond(self, step: Step, error: str) -> None:
        self.log.warning("bond.failed", interface=step.interface, error=error, next=step.otherwise)

    def _report_vlan(self, step: Step, error: str) -> None:
        self.log.warning("vlan.failed", interface=step.interface, error=error, next=step.otherwise)

    def _take_back(self) -> None:
        bond = self.plan.bond
        if bond is None:
            return
        self.log.warning(
            "bond.failed",
            interface=bond.name,
            error="the metadata asks for it, and with it no NIC reaches the host",
            next="takes it back, and starts again without it",
        )
        undo = bond.undo(self.nics)
        self._run_all(undo[:1])  # if it stays, the next run must know of it, and tries again
        try:
            self._run_all(undo[1:])
        finally:
            self.metadata.refuse()

    def _routes(self) -> Routes:
        return {family: self.kernel.routes(family) for family in FAMILIES}

    def _managed(self, leases: Iterable[Lease]) -> list[Nic]:
        """Return the interfaces that may be used: devices, and whatever has or had a lease."""
        known = {lease.interface for lease in leases} | self.plan.involved(self.nics)
        self._known = (self._known | known) & {nic.name for nic in self.nics}
        managed = [nic for nic in self.nics if nic.is_managed]
        return [nic for nic in managed if nic.is_device or nic.name in self._known]

    def _to_prefer(self, chosen: str, routes: Mapping[str, Sequence[Route]]) -> Commands:
        """Return the calls of `ip` that make this NIC the preferred one."""
        return [
            (family, "route", *words)
            for family in FAMILIES
            for words in changes(routes[family], chosen, self.probe.address)
        ]

    def _change(self, step: str, commands: Commands) -> bool:
        """Run `ip` with each; return whether that was done.

        Each change is an event, and a look follows. What the last one did in vain is not repeated
        at once: it would keep this program busy. What failed may have met a NIC whose link was
        just lost, so it is soon tried again.
        """
        is_due = self._is_new_or_due(step, commands)
        if is_due:
            self._tried(step, lambda: self._run_all(commands))
        if step in self._errors:
            self._read_by([self._last[step][1].due_at])
        return is_due and bool(commands)

    def _is_new_or_due(self, step: str, commands: Commands) -> bool:
        """Return whether this is not what the step did just now."""
        now = self.now()
        first = Attempt(now, CHANGE_AGAIN_FIRST_SECONDS)
        last, attempt = self._last.get(step, ([], first))
        if commands != last:
            attempt = first
        if now < attempt.due_at:
            return False
        self._last[step] = commands, attempt.following(now, CHANGE_AGAIN_CEILING_SECONDS)
        return True

    def _is_due(self, step: Step, attempt: Attempt, now: float) -> bool:
        """Return whether to do it: not at each event.

        A refused NIC of the bond has no link while it tries to join: one by which the host is
        reached does not try again.
        """
        is_in_use = self.choice.is_reached and self.choice.chosen == step.interface
        return now >= attempt.due_at and not (is_in_use and step.name in self._errors)

    def _write(self, content: Mapping[str, Any]) -> None:
        self.files.write(self.view, self._leases, content)

    def _run_all(self, commands: Iterable[Command]) -> None:
        """Run `ip` with each; TransientError has the failures."""
        problems = []
        for command in commands:
            try:
                self.kernel.ip(*command)
            except TransientError as error:
                problems.append(str(error))
        if problems:
            raise TransientError("; ".join(problems))

    def _tried(self, step: str, function: Callable[[], T]) -> T | None:
        """Call a step; report its error, and return None: the next look tries again."""
        try:
            result = function()
        except TransientError as error:
            if self._is_news(step, str(error)):
                self.log.warning("network.failed", step=step, error=str(error), next="tries again")
            self._read_by([self.now() + CHANGE_AGAIN_CEILING_SECONDS])
            return None
        self._errors.pop(step, None)
        return result

    def _is_news(self, step: str, error: str) -> bool:
        before, since = self._errors.get(step, ("", 0.0))
        now = self.now()
        if before == error and now < since + SAME_ERROR_SECONDS:
            return False
        self._errors[step] = (error, now)
        return True

    def _next_pause(self, *, is_woken: bool) -> float:
        if self.choice.is_reached:
            self._pause = 0.0
            span = REACHED_LOOK_CEILING_SECONDS - REACHED_LOOK_FIRST_SECONDS
            return REACHED_LOOK_FIRST_SECONDS + span * self.chance()
        longer = UNREACHED_LOOK_FIRST_SECONDS if is_woken else 2 * self._pause
        self._pause = min(max(longer, UNREACHED_LOOK_FIRST_SECONDS), UNREACHED_LOOK_CEILING_SECONDS)
        return self._pause * (1 - self.chance() / 4)


def resolvers(nics: Iterable[Nic], leases: Sequence[Lease]) -> dict[str, Resolver]:
    """Return how each NIC looks up names: with what its own leases gave."""
    found = {}
    for nic in nics:
        own = [lease for lease in leases if lease.interface == nic.name]
        servers = dict.fromkeys(server for lease in own for server in lease.name_servers)
        search = next((lease.search for lease in own if lease.search), ())
        found[nic.name] = Resolver(tuple(servers), search, nic.versions)
    return found
