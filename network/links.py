"""An interface that is made of others: what a step does, and what takes it back."""

from __future__ import annotations

from typing import NamedTuple

Command = tuple[str, ...]
"""Words behind `ip`."""


class Step(NamedTuple):
    """Commands for an interface, of which each needs the one before it.

    If one fails, `undo` is run; `otherwise` tells people what happens then. `on` are the kernel's
    numbers of the interfaces that it changes: with other ones, the same words are another step.
    """

    interface: str
    commands: tuple[Command, ...]
    undo: tuple[Command, ...] = ()
    otherwise: str = "goes on without that"
    on: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return "; ".join(map(" ".join, self.commands))
