"""Name look-ups in bounded time.

resolver(3) asks each of up to three servers twice, and then once more for each search domain: with
silent servers it takes 12 s and more, and no signal handler runs meanwhile. So each look-up has a
thread of its own, the only ones that the programs have (ADR 3).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tinkie.policy import (
    LATE_NAME_ANSWER_SECONDS,
    NAME_LOOKUP_ATTEMPTS,
    NAME_LOOKUP_SECONDS,
    NAME_SERVER_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def bound_name_lookups() -> None:
    """Bound the look-ups of the whole process, those of libraries too; call it at the start."""
    # resolver(3) reads the variable when it is first used.
    os.environ["RES_OPTIONS"] = f"timeout:{NAME_SERVER_SECONDS} attempts:{NAME_LOOKUP_ATTEMPTS}"
    if not isinstance(socket.getaddrinfo, BoundedLookups):
        socket.getaddrinfo = BoundedLookups(socket.getaddrinfo)


@dataclass(slots=True, eq=False, repr=False)
class _Lookup:
    """One look-up, in a thread that may outlive the wait for it."""

    look_up: Callable[[], Any]
    done: threading.Event = field(default_factory=threading.Event)
    done_at: float = 0.0
    answer: Any = None
    error: Exception | None = None

    def run(self) -> None:
        try:
            self.answer = self.look_up()
        except Exception as error:  # noqa: BLE001 - raised again where the answer is used
            self.error = error
        self.done_at = time.monotonic()
        self.done.set()

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer

    @property
    def is_usable(self) -> bool:
        """Return whether it still runs, or has had an answer a moment ago.

        A late error may be that of name servers which are not in use any more.
        """
        if not self.done.is_set():
            return True
        return self.error is None and time.monotonic() - self.done_at < LATE_NAME_ANSWER_SECONDS


class BoundedLookups:
    """`socket.getaddrinfo`, which waits NAME_LOOKUP_SECONDS at most.

    A look-up that takes longer goes on, and the next call with the same arguments uses it, if that
    comes within LATE_NAME_ANSWER_SECONDS: so a name is found that only the third server knows.

    Raises:
        socket.gaierror: as getaddrinfo, or the time is over.
    """

    def __init__(self, look_up: Callable[..., Any]) -> None:
        self._look_up = look_up
        self._late: dict[tuple[Any, ...], _Lookup] = {}

    def __call__(self, host: Any, *arguments: Any, **keywords: Any) -> Any:
        """Look up a host, with getaddrinfo's arguments."""
        if not isinstance(host, str) or not host or _is_address(host):
            return self._look_up(host, *arguments, **keywords)
        key = (host, arguments, tuple(sorted(keywords.items())))
        late = self._late.get(key)
        lookup = late if late and late.is_usable else self._start(host, arguments, keywords)
        self._late[key] = lookup  # also if an interruption ends the wait
        if lookup.done.wait(NAME_LOOKUP_SECONDS):
            del self._late[key]
            return lookup.result()
        # As getaddrinfo says it, so that it is recognised (tinkie/error_kinds.py).
        message = (
            f"temporary failure in name resolution: no answer within {NAME_LOOKUP_SECONDS:g} s"
        )
        raise socket.gaierror(socket.EAI_AGAIN, message)

    def _start(self, host: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> _Lookup:
        lookup = _Lookup(lambda: self._look_up(host, *arguments, **keywords))
        try:
            threading.Thread(target=lookup.run, name=f"look up {host}", daemon=True).start()
        except RuntimeError as error:  # no more threads
            raise socket.gaierror(socket.EAI_AGAIN, f"name resolution: {error}") from error
        return lookup


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
