"""A program that fails once, for scripts that must not pass over it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class BrokenProgram:
    """A program that works as the real one does, and fails at the end of one call."""

    def __init__(self, folder: Path, name: str, *first: Path) -> None:
        """Write it to a folder. first: where the real one may lie, before PATH."""
        folder.mkdir()
        path = ":".join(map(str, (*first, os.environ["PATH"], "/usr/sbin")))
        self._folder, self._calls = folder, folder / "calls"
        script = folder / name
        # Two calls may run at the same time: the one that makes a folder has its number. By its
        # path, mkdir is the real one: it may be the program that fails.
        script.write_text(
            f'#!/bin/sh\ncall=1\nuntil {shutil.which("mkdir")} "{self._calls}/$call"; do\n'
            f'  [ -d "{self._calls}" ] || exit\n  call=$((call + 1))\ndone 2>/dev/null\n'
            f'"{shutil.which(name, path=path)}" "$@" || exit\n'
            f'read -r failing <"{folder}/failing"\n[ "$call" -ne "$failing" ]\n'
        )
        script.chmod(0o755)

    def at(self, call: int) -> Path:
        """Return the folder for PATH, for a run in which this call fails; the first one is 1."""
        shutil.rmtree(self._calls, ignore_errors=True)
        self._calls.mkdir()
        (self._folder / "failing").write_text(f"{call}\n")
        return self._folder

    @property
    def calls(self) -> int:
        """How often it was called."""
        return len(list(self._calls.iterdir()))


def all_calls_matter(broken: BrokenProgram, run_broken: Callable[[int], int]) -> bool:
    """Return whether a run fails whichever call fails; it calls the program at least once."""
    for call in range(1, 100):
        returncode = run_broken(call)
        if broken.calls < call:
            return call > 1 and returncode == 0
        if returncode == 0:
            return False
    return False
