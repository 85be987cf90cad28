"""An interface that is made of others: what a step does, and what takes it back."""

from __future__ import annotations

from dataclasses import dataclass

Command = tuple[str, ...]
"""Words behind `ip`."""


@dataclass(frozen=True, slots=True)
class Step:
    """Commands for an interface, of which each needs the one before it.

    `event` and `next_step` are for people if one of them fails; then `undo` is run.
    """

    interface: str
    commands: tuple[Command, ...]
    undo: tuple[Command, ...] = ()
    event: str = "bond.failed"
    next_step: str = "goes on without that"

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return "; ".join(map(" ".join, self.commands))
