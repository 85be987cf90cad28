"""When something that was in vain is tried again: a pause that doubles.

`tinkie.running.backoff` has the same with jitter, but loads the agents' log library, which this
program does without (ADR 18).
"""

from __future__ import annotations

from typing import NamedTuple


class Attempt(NamedTuple):
    """When it is due, in monotonic seconds, and the pause after it."""

    due_at: float
    pause: float

    def following(self, now: float, ceiling: float) -> Attempt:
        """Return the one after this, if this is made now and is in vain; ceiling: of pauses."""
        return Attempt(now + self.pause, min(2 * self.pause, ceiling))
