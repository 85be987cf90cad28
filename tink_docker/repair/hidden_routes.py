"""Notice what the engine's networks hide, and move its bridge out of the way.

The engine starts before DHCP has answered, so a route may come to lead where its bridge is. The
machine then loses all hosts there, maybe its server. dockerd takes another network only at a start
at which no container runs, the worker included: with one, it keeps the networks in its record
(docker 26.1 to 29, `initNetworkController`), so a planned restart ends the worker as well. No
action loses its network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.networks import BRIDGE, NetworkPlan, engines_routes, hidden_by
from tink_docker.engine.routes import Route, read_name_servers, read_routes
from tinkie.error_kinds import ErrorKind
from tinkie.errors import listed
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ipaddress import IPv4Network

    from tink_docker.engine.networks import Destination

log = get_logger()

_HINT = "give networks that this site does not use by engine_networks="
_WHEN_IDLE = "docker0 moves from {} when no action runs; dockerd and the worker start again then"
_NOTHING = "it stays hidden, from this machine or from actions"


@dataclass(slots=True, eq=False, repr=False)
class HiddenRoutes:
    """`tick` looks at the routes and logs; it is a Cause of a planned restart."""

    plan: NetworkPlan
    now: Callable[[], float]
    routes: Callable[[], list[Route]] = read_routes
    name_servers: Callable[[], list[IPv4Network]] = read_name_servers
    _next_look: float = 0.0
    _logged: tuple[str, str] = ("", "")  # what is hidden, and what happens next
    _move: str = ""  # from where to where the bridge must move
    _moves: int = 0  # since the bridge hid nothing for NETWORK_MOVES_SECONDS
    _hidden_at: float = 0.0  # when it last did

    def tick(self) -> None:
        """Log what is hidden, again only when that changes.

        Raises:
            OSError: the routes cannot be read.
        """
        if self.now() >= self._next_look:
            self._look()

    def _look(self) -> None:
        self._next_look = self.now() + policy.ROUTES_POLL_SECONDS
        routes = self.routes()
        destinations = self.plan.destinations(routes, self.name_servers())
        hidden = {
            one: found
            for one in engines_routes(routes)
            if (found := hidden_by(one.network, destinations))
        }
        self._move = self._possible_move(hidden, destinations)
        self._log(
            listed(
                f"{one.interface} ({one.network}) hides {listed(map(str, found), ', ')}"
                for one, found in hidden.items()
            )
        )

    def _possible_move(
        self, hidden: Mapping[Route, object], destinations: Sequence[Destination]
    ) -> str:
        bridge = next((one.network for one in hidden if one.interface == BRIDGE), None)
        if bridge is None:
            if self.now() - self._hidden_at >= policy.NETWORK_MOVES_SECONDS:
                self._moves = 0
            return ""
        self._hidden_at = self.now()
        chosen = self.plan.choose(destinations).bridge
        is_better = not self.plan.given and not hidden_by(chosen, destinations)
        may_help = is_better and self._moves < policy.NETWORK_MOVES_MAXIMUM
        return f"{bridge} to {chosen}" if may_help else ""

    def _log(self, error: str) -> None:
        what_next = _WHEN_IDLE.format(self._move) if self._move else _NOTHING
        if error and (error, what_next) != self._logged:
            kind = str(ErrorKind.UNREACHABLE)
            log.warning("route.hidden", error=error, kind=kind, hint=_HINT, next=what_next)
        elif self._logged[0] and not error:
            log.info("route.visible", reason="the engine's networks hide nothing any more")
        self._logged = error, what_next

    def reason(self) -> str:
        """Look again, and return from where to where the bridge must move; empty if it must not.

        Raises:
            OSError: the routes cannot be read.
        """
        if self._move:
            self._look()  # dockerd may have moved it meanwhile
        return f"{BRIDGE} moves from {self._move}, since {self._logged[0]}" if self._move else ""

    def restarting(self) -> None:
        """Count a move."""
        self._moves += 1
