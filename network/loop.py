"""Waits for events, and looks at each group of them once."""

from __future__ import annotations

import os
import selectors
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from network.dhcpcd import Listener, ended_children
from network.policy import (
    DHCPCD_RETRY_SECONDS,
    EVENT_LOOKS_MAXIMUM,
    EVENTS_SETTLE_LONG_SECONDS,
    EVENTS_SETTLE_SECONDS,
    UNREACHABLE_FIRST_SECONDS,
)
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from network.client import Client
    from network.kernel import KernelEvents
    from network.log import Log
    from network.service import Service
    from tinkie.running.signals import ShutdownSignals


@dataclass(slots=True, eq=False, repr=False)
class Loop:
    """`run` returns when the next run is to go on, and raises ShutdownRequested at a signal.

    `path` is dhcpcd's socket.
    """

    service: Service
    client: Client
    kernel_events: KernelEvents
    signals: ShutdownSignals
    log: Log
    path: Path
    now: Callable[[], float]
    _listener: Listener | None = None
    _watched: dict[int, int] = field(default_factory=dict)  # PID -> its descriptor
    _deaf_since: float | None = None
    _looks: float = 0.0  # for events, lately
    _last_look: float = 0.0

    def run(self) -> None:
        """Look, and wait, until dhcpcd ends, or until there is another bond to make."""
        is_woken, next_look = True, 0.0
        while True:
            if is_woken or self.now() >= next_look:
                heard = [self._listener.socket] if self._listener else []
                self.service.probe.wakers = [self.kernel_events.socket, *heard]
                is_there = self._listener is not None
                pause = self.service.look(is_woken=is_woken, is_dhcpcd_there=is_there)
                next_look = self.now() + pause
                if self.service.is_over():
                    return
            again = self._keep_client()
            self.signals.check()
            is_woken = self._wait(max(min(next_look - self.now(), again), 0.0))
            if self.client.ended(ended_children()):
                return

    def _keep_client(self) -> float:
        """See to it that dhcpcd runs and is listened to; return when to do that again."""
        try:
            self.client.look(self.service.nics, self.now())
        except TransientError as error:
            self._report("start dhcpcd", error)
            return EVENTS_SETTLE_LONG_SECONDS
        if not self.client.is_running:
            return EVENTS_SETTLE_LONG_SECONDS
        return float("inf") if self._listener else DHCPCD_RETRY_SECONDS

    def _listen(self) -> bool:
        """Connect to dhcpcd if that is missing; return whether that is new."""
        if self._listener or not self.client.is_running:
            return False
        try:
            self._listener = Listener.connect(self.path)
        except TransientError as error:
            self._report("listen", error)
            return False
        self._deaf_since = None
        return True

    def _report(self, step: str, error: TransientError) -> None:
        """Report that dhcpcd cannot be started or heard, once it lasts."""
        now = self.now()
        self._deaf_since = now if self._deaf_since is None else self._deaf_since
        if now - self._deaf_since >= UNREACHABLE_FIRST_SECONDS:
            self._deaf_since = float("inf")  # once
            self.log.warning("network.failed", step=step, error=str(error), next="tries again")

    def _wait(self, pause: float) -> bool:
        """Wait for an event, or for `pause` seconds; return whether there was one."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.kernel_events.socket, selectors.EVENT_READ, self._drain)
            if self._listener:
                waiting.register(self._listener.socket, selectors.EVENT_READ, self._hear)
            if self.client.process.pid:
                waiting.register(self._ended_descriptor(), selectors.EVENT_READ, _wait_for_no_more)
            found = waiting.select(pause)
            if not found:
                return self._listen()
            end = self.now() + self._settle_seconds()
            while found:
                go_on = [key.data() for key, _ in found]
                left = end - self.now() if all(go_on) else 0.0
                found = waiting.select(left) if left > 0 else []
        self._listen()
        return True

    def _drain(self) -> bool:
        """Take the kernel's events; return whether to wait for more of the group."""
        self.kernel_events.drain()
        return True

    def _hear(self) -> bool:
        """Take dhcpcd's events; return whether to wait for more of the group.

        A dhcpcd that closes each connection at once must not keep this program busy: the group has
        its time in any case, unless dhcpcd has ended.
        """
        events = self._listener.read() if self._listener else []
        if events is None and self._listener:
            self._listener.close()
            self._listener = None
        self.service.note(events or ())
        return True

    def _settle_seconds(self) -> float:
        """Few looks come at once; after many, they have a pause in between."""
        now = self.now()
        self._looks = max(self._looks - (now - self._last_look), 0.0) + 1.0
        self._last_look = now
        is_busy = self._looks > EVENT_LOOKS_MAXIMUM
        return EVENTS_SETTLE_LONG_SECONDS if is_busy else EVENTS_SETTLE_SECONDS

    def _ended_descriptor(self) -> int:
        """Return what is readable when dhcpcd has ended."""
        pid = self.client.process.pid
        if pid not in self._watched:
            for descriptor in self._watched.values():
                os.close(descriptor)
            self._watched = {pid: os.pidfd_open(pid)}
        return self._watched[pid]


def _wait_for_no_more() -> bool:
    """Return that no more events are waited for: dhcpcd has ended."""
    return False
