"""A signal to stop that comes in a finaliser, where Python drops what is raised."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Finalised:
    """Does something while it is finalised."""

    do: Callable[[], None]

    def __del__(self) -> None:
        self.do()


def sigterm() -> None:
    """Send SIGTERM to this process."""
    os.kill(os.getpid(), signal.SIGTERM)


def drop_a_signal() -> None:
    """Let SIGTERM come in a finaliser."""
    Finalised(sigterm)
