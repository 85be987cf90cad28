"""Consoles of a machine, for the tests of init's scripts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fakes.script_root import ScriptRoot

PAUSE, RESUME = b"\x13", b"\x11"  # ctrl-S, ctrl-Q


class Console:
    """A terminal as somebody's console: what it shows, and its keys."""

    def __init__(self, root: ScriptRoot, device: str) -> None:
        self._screen, self._line = os.openpty()
        os.set_blocking(self._screen, False)
        self._shown = b""
        root.bind(os.ttyname(self._line), device)

    @property
    def lines(self) -> list[str]:
        """Return what it has shown."""
        try:
            while more := os.read(self._screen, 65536):
                self._shown += more
        except BlockingIOError:
            pass
        return self._shown.decode().replace("\r", "").splitlines()

    def has(self, count: int) -> bool:
        """Whether it has shown so many lines."""
        return len(self.lines) >= count

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._screen, key)

    def close(self) -> None:
        """Close both ends."""
        os.close(self._screen)
        os.close(self._line)


@pytest.fixture
def add_console(root: ScriptRoot) -> Iterator[Callable[[str], Console]]:
    """Return a function that gives the machine a console; the kernel uses it."""
    consoles: list[Console] = []
    names: list[str] = []

    def add(name: str) -> Console:
        names.append(name)
        root.write("/sys/class/tty/console/active", " ".join(names) + "\n")
        root.write("/proc/cmdline", "quiet\n")
        consoles.append(Console(root, f"/dev/{name}"))
        return consoles[-1]

    yield add
    for console in consoles:
        console.close()
