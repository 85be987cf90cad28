"""Whether the Tinkerbell host answers through a NIC. Every packet is bound to the NIC.

An echo request comes first: no server logs it. All NICs are tested at once.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING

from network import echo
from network.policy import CONNECT_SECONDS, ECHO_SECONDS, LOOKUP_KEPT_SECONDS
from network.sockets import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from selectors import BaseSelector

    from network.choice import Reasons
    from network.lookups import Lookups, Resolver
    from network.nics import Nic
    from tinkie.parameters.types import Host, HostPort

_PACKET = 2048
NO_NAME = "name not found"
_NO_ANSWER = "timed out"

Target = tuple[str, str]
"""A NIC, and an address of the host."""


@dataclass(slots=True, eq=False, repr=False)
class Probe:
    """Test NICs by calling it: LOOKUP_, ECHO_ and CONNECT_SECONDS at most, for all together.

    `resolvers` are those of all NICs, as their leases are now. Without a host, any NIC is right.
    """

    host: HostPort | None
    lookups: Lookups
    open_echo: Callable[[str, str], socket.socket]
    open_tcp: Callable[[str, str, int], socket.socket]
    now: Callable[[], float] = time.monotonic
    resolvers: Mapping[str, Resolver] = field(default_factory=dict)
    wakers: Sequence[socket.socket] = ()  # readable when something has changed
    address: str = ""  # of the host, by which it was reached last
    _known: dict[str, tuple[float, list[str]]] = field(default_factory=dict)  # by NIC: until when
    _has_ended_early: bool = False  # the last test

    def __post_init__(self) -> None:
        if self.host and self.host.host.is_address:
            self.address = str(self.host.host)

    def __call__(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> Reasons:
        """Return why each NIC does not reach the host; see choice.Tester."""
        if self.host is None:
            return {nic.name: "" for nic in nics}
        names = [nic.name for nic in nics]
        reasons = self._tested(self.host, names, any_will_do=any_will_do)
        for name in [name for name, why in reasons.items() if why]:
            self._known.pop(name, None)  # the next test looks the name up anew
        return reasons

    def _tested(self, host: HostPort, names: Sequence[str], *, any_will_do: bool) -> Reasons:
        targets = self._targets(host.host, names)
        reasons = dict.fromkeys(names, NO_NAME)
        reasons |= {name: _NO_ANSWER for name, _ in targets}
        reached = self._echo(targets, reasons, enough=names[0] if any_will_do else "")
        if not (reached and any_will_do):
            silent = [target for target in targets if target[0] not in dict(reached)]
            wakers = self.wakers if any_will_do and not self._has_ended_early else ()
            self._has_ended_early = False  # so never twice in a row
            reached += self._connect(silent, reasons, host.port, wakers)
        for name, address in sorted(reached, key=targets.index, reverse=True):
            reasons[name], self.address = "", address  # in the end that of the first NIC
        return reasons

    def _targets(self, host: Host, names: Sequence[str]) -> list[Target]:
        if host.is_address:
            return [(name, str(host)) for name in names]
        now = self.now()
        unknown = {name for name in names if self._known.get(name, (0.0, []))[0] <= now}
        if unknown:
            found = self._looked_up(str(host), unknown)
            self._known |= {name: (now + LOOKUP_KEPT_SECONDS, one) for name, one in found.items()}
        return [(name, address) for name in names for address in _one_each(self._known[name][1])]

    def _looked_up(self, host: str, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the host's addresses; a NIC without name servers uses those of the others."""
        own = {name: one for name, one in self.resolvers.items() if one.servers}
        lacking = [name for name in names if name not in own]
        asked = own if lacking else {name: own[name] for name in names}
        found = self.lookups(host, asked)
        others = next((one for one in found.values() if one), [])
        return {name: found.get(name, others) for name in names}

    def _echo(self, targets: Sequence[Target], reasons: Reasons, *, enough: str) -> list[Target]:
        """Return the targets that answer an echo request; reasons: of those that cannot be sent.

        enough: a NIC after whose answer no other one is waited for.
        """
        identifier = int.from_bytes(os.urandom(2), "big")
        reached: list[Target] = []
        with ExitStack() as opened, DefaultSelector() as waiting:
            for number, target in enumerate(targets):
                try:
                    made = opened.enter_context(self.open_echo(*target))
                    made.send(echo.request(_version(target), identifier, number))
                except OSError as error:
                    reasons[target[0]] = _text(error.errno)
                    continue
                waiting.register(made, EVENT_READ, (made, number))
            for made, number in ready(waiting, self.now() + ECHO_SECONDS, self.now):
                target = targets[number]
                try:
                    packet = made.recv(_PACKET)
                except OSError as error:
                    reasons[target[0]] = _text(error.errno)
                    waiting.unregister(made)
                    continue
                if echo.is_reply(_version(target), packet, identifier, number):
                    reached.append(target)
                    waiting.unregister(made)
                    if target[0] == enough:
                        break
        return reached

    def _connect(
        self,
        targets: Sequence[Target],
        reasons: Reasons,
        port: int,
        wakers: Sequence[socket.socket],
    ) -> list[Target]:
        """Return the targets that take a connection; reasons: why the others do not.

        An event ends the second half of the wait, since another NIC may be right now.
        """
        reached: list[Target] = []
        with ExitStack() as opened, DefaultSelector() as waiting:
            for target in targets:
                try:
                    made = opened.enter_context(self.open_tcp(*target, port))
                except OSError as error:
                    reasons[target[0]] = _text(error.errno)
                    continue
                waiting.register(made, EVENT_WRITE, (made, target))
            end = self.now() + CONNECT_SECONDS
            for one in ready(waiting, end - CONNECT_SECONDS / 2, self.now):
                _take_connection(waiting, one, reasons, reached)
            for waker in wakers if waiting.get_map() else ():
                waiting.register(waker, EVENT_READ, None)
            for one in ready(waiting, end, self.now):
                self._has_ended_early = one is None
                if one:
                    _take_connection(waiting, one, reasons, reached)
                if not one or len(waiting.get_map()) == len(wakers):
                    break
        return reached


def _take_connection(
    waiting: BaseSelector,
    one: tuple[socket.socket, Target],
    reasons: Reasons,
    reached: list[Target],
) -> None:
    made, target = one
    waiting.unregister(made)
    code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        reasons[target[0]] = _text(code)
    else:
        reached.append(target)


def _version(target: Target) -> int:
    return ip_address(target[1]).version


def _one_each(addresses: Iterable[str]) -> list[str]:
    """Return the first address of each version of IP."""
    first: dict[int, str] = {}
    for address in addresses:
        first.setdefault(ip_address(address).version, address)
    return list(first.values())


def _text(code: int | None) -> str:
    return os.strerror(code or 0).lower()
