"""A machine's network without a kernel: NICs, leases, and routes that `ip` changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from network.choice import Choice
from network.files import Files
from network.kernel import FAMILIES
from network.leases import DhcpcdEvent
from network.metadata_bond import MetadataBond
from network.nics import Nic
from network.reports import Reports
from network.routes import Route
from network.service import Service
from network.state import State
from network.static import StaticPlan
from tinkie.errors import TransientError
from tinkie.parameters.types import Host, HostPort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from network.choice import Reasons
    from network.lookups import Resolver

HOST = HostPort(Host("198.51.100.1"), 42113)


@dataclass
class FakeLog:
    """Remember events: name and fields."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    warning = exception = info

    def named(self, name: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.events if event == name]

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]


@dataclass
class FakeNic:
    """A NIC: its state, and whether the host answers through it."""

    name: str
    number: int
    has_link: bool = True
    has_lease: bool = False
    reaches: bool = False
    mac: str = ""
    is_device: bool = True
    kind: str = ""
    master: str = ""
    is_up: bool = True
    hostname: str = ""  # of its lease
    index: int = 0
    below: str = ""
    extra: list[str] = field(default_factory=list)  # addresses that `ip` has added

    @property
    def address(self) -> str:
        return f"10.0.{self.number}.5"

    @property
    def is_usable(self) -> bool:
        return self.has_link and self.has_lease and not self.master

    def as_nic(self) -> Nic:
        leased = [f"{self.address}/24"] if self.has_lease else []
        return Nic(
            self.name,
            (self.mac,) if self.mac else (),
            has_link=self.has_link,
            is_device=self.is_device,
            kind=self.kind,
            master=self.master,
            is_up=self.is_up,
            addresses=(*leased, *self.extra),
            leased=tuple(leased),
            index=self.index,
            below=self.below,
        )

    def routes(self) -> list[Route]:
        if not self.is_usable:
            return []
        lines = (
            f"default via 10.0.{self.number}.1 dev {self.name} proto dhcp src {self.address}",
            f"10.0.{self.number}.0/24 dev {self.name} proto dhcp scope link src {self.address}",
        )
        return [Route.parse(f"{line} metric {1000 + self.number} mtu 1400") for line in lines]

    def message(self) -> bytes:
        words = ["protocol=dhcp", f"interface={self.name}", "if_up=true", "reason=BOUND"]
        words += [f"new_ip_address={self.address}", "new_dhcp_server_identifier=10.9.9.9"]
        words += [f"new_domain_name_servers=10.0.{self.number}.53"]
        words += [f"new_host_name={self.hostname}"]
        return "".join(f"{word}\0" for word in words).encode()


@dataclass
class FakeKernel:
    """What `ip` shows and changes; a command in `refused` fails."""

    fake_nics: dict[str, FakeNic] = field(default_factory=dict)
    ours: list[Route] = field(default_factory=list)
    static: list[Route] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    refused: str = ""
    is_broken: bool = False

    def ip(self, *words: str) -> str:
        self.commands.append(words)
        if self.refused and self.refused in " ".join(words):
            raise TransientError(f"ip {' '.join(words)}: refused")
        match words:
            case (_, "route", verb, *rest):
                self._route(verb, Route.parse(" ".join(rest)))
            case (_, "address", "replace", address, "dev", name, *_):
                self.fake_nics[name].extra.append(address)
            case (_, "address", "flush", "dev", name, "dynamic"):
                self.fake_nics[name].has_lease = False
            case (_, "flush", "dev", name):
                self.fake_nics[name].has_lease = False
                self.fake_nics[name].extra.clear()
            case ("link", *_):
                self._link(words)
        return ""

    def _link(self, words: tuple[str, ...]) -> None:
        match words:
            case ("link", "add", "link", below, "name", name, *_):
                mac = self.fake_nics[below].mac
                self.fake_nics[name] = FakeNic(
                    name, 9, mac=mac, is_device=False, kind="vlan", below=below
                )
            case ("link", "add", "name", name, "address", mac, "type", "bond"):
                assert name not in self.fake_nics
                self.fake_nics[name] = FakeNic(
                    name, 8, mac=mac, is_device=False, kind="bond", is_up=False
                )
            case ("link", "set", "dev", name, "type", "bond", *_):
                assert self.fake_nics[name].kind == "bond"
            case ("link", "set", "dev", name, "master", bond):
                if self.fake_nics[name].is_up or self.fake_nics[bond].kind != "bond":
                    raise TransientError(f"ip {' '.join(words)}: Operation not permitted")
                self.fake_nics[name].master, self.fake_nics[name].is_up = bond, True
            case ("link", "delete", "dev", bond):
                del self.fake_nics[bond]
                for name in [nic.name for nic in self.fake_nics.values() if nic.below == bond]:
                    del self.fake_nics[name]
                for nic in self.fake_nics.values():
                    nic.is_up = nic.is_up and nic.master != bond
                    nic.master = nic.master.replace(bond, "")
            case ("link", "set", "dev", name, ("up" | "down") as state):
                self.fake_nics[name].is_up = state == "up"

    def nics(self) -> list[Nic]:
        if self.is_broken:
            raise TransientError("ip address show: broken")
        return [nic.as_nic() for nic in self.fake_nics.values()]

    def routes(self, family: str) -> list[Route]:
        given = [route for nic in self.fake_nics.values() for route in nic.routes()]
        both = [*self.static, *given, *self.ours]
        return [route for route in both if (":" in " ".join(route.words)) == (family == "-6")]

    def drop_stale(self) -> None:
        """Remove what the kernel removes by itself: the routes of NICs without a link."""
        up = {name for name, nic in self.fake_nics.items() if nic.has_link}
        self.ours = [route for route in self.ours if route.interface in up]

    def _route(self, verb: str, route: Route) -> None:
        place = (route.destination, route.metric, route.interface)
        if verb == "replace":
            place = (route.destination, route.metric, "")
        table = self.ours if route.is_ours else self.static
        kept = [one for one in table if (one.destination, one.metric) != place[:2]]
        assert verb == "replace" or len(kept) < len(table), f"no such route: {route}"
        table[:] = [*kept, route] if verb == "replace" else kept

    @property
    def default(self) -> str:
        """Return the NIC of the default route with the lowest metric."""
        routes = [one for one in self.routes(FAMILIES[0]) if one.destination == "default"]
        best = min(routes, key=lambda route: route.metric, default=None)
        return best.interface if best else ""


@dataclass
class FakeProbe:
    """Instead of network.probe.Probe; `tests` has the NICs of each call."""

    kernel: FakeKernel
    address: str = str(HOST.host)
    resolvers: Mapping[str, Resolver] = field(default_factory=dict)
    wakers: Sequence[Any] = ()
    tests: list[list[str]] = field(default_factory=list)

    def __call__(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> Reasons:
        del any_will_do
        self.tests.append([nic.name for nic in nics])
        fake_nics = [self.kernel.fake_nics[nic.name] for nic in nics]
        return {nic.name: "" if nic.reaches and nic.has_link else "timed out" for nic in fake_nics}


@dataclass
class FakeMachine:
    """A service with all fakes. `time` is monotonic."""

    folder: Path
    fake_nics: Sequence[FakeNic]
    wanted: Sequence[str] = ()
    members: Sequence[str] = ()
    host: HostPort | None = HOST
    plan: StaticPlan = field(default_factory=StaticPlan)
    time: float = 100.0
    log: FakeLog = field(default_factory=FakeLog)
    messages_error: str = ""
    chance: float = 0.5

    def __post_init__(self) -> None:
        self.kernel = FakeKernel({nic.name: nic for nic in self.fake_nics})
        self.probe = FakeProbe(self.kernel, str(self.host.host) if self.host else "")
        self.files = Files(self.folder / "run", self.folder / "resolv", self.folder / "name")
        self.choice = Choice(self.wanted, self.probe)
        log: Any = self.log
        refused, proven = self.folder / "refused", self.folder / "proven"
        self.metadata = MetadataBond(log, path=self.folder / "bond", refused=refused, proven=proven)
        kernel: Any = self.kernel
        probe: Any = self.probe
        self.service = Service(
            kernel=kernel,
            plan=self.plan,
            probe=probe,
            choice=self.choice,
            files=self.files,
            reports=Reports(
                log, self.host, (*self.wanted, *self.members), self.plan.nic, self.members
            ),
            state=State(self.host),
            metadata=self.metadata,
            messages=self._messages,
            log=log,
            now=lambda: self.time,
            uptime=lambda: self.time,
            chance=lambda: self.chance,
        )

    def _messages(self) -> list[bytes]:
        if self.messages_error:
            raise TransientError(self.messages_error)
        return [nic.message() for nic in self.kernel.fake_nics.values() if nic.has_lease]

    def look(self, *, is_woken: bool = True) -> float:
        return self.service.look(is_woken=is_woken)

    def wait(self, seconds: float, pause: float) -> float:
        """Let time pass, with the looks that fall into it; return the wait that is left then."""
        end = self.time + seconds
        while self.time + pause <= end:
            self.time += pause
            pause = self.look(is_woken=False)
        rest = self.time + pause - end
        self.time = end
        return rest

    def event(self, nic: str, reason: str) -> None:
        self.service.note([DhcpcdEvent(nic, "dhcp", reason)])

    @property
    def used(self) -> str:
        return self.service.view.chosen


def machine(folder: Path, number: int = 2, **more: Any) -> FakeMachine:
    """Return a machine with NICs eth0, eth1, …, all with a link and nothing else."""
    return FakeMachine(folder, [FakeNic(f"eth{at}", at) for at in range(number)], **more)
