"""How many runs in a row were not healthy, in a file that outlives the process.

containerd starts a program again at once. If that program forgot how often it had failed, a crash
right after a request would repeat the request each second, on every machine at once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tinkie.files import write_atomically
from tinkie.policy import HEALTHY_AFTER_SECONDS
from tinkie.running.log import get_logger
from tinkie.state_files import read_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class RunRecord:
    """Write `path` (JSON) whenever a run starts, is up or ends.

    Shape: {"failures", "at", "is_up"}: the runs in a row that were not healthy, the one that is
    under way among them; when that was written; whether it is up since then, or longer. `now`
    returns monotonic seconds, which all processes since power-on share.
    """

    path: Path
    now: Callable[[], float]
    _is_reported: bool = False

    @classmethod
    def beside(cls, state: Path, now: Callable[[], float]) -> Self:
        """Return the record of the program with this state file."""
        return cls(state.with_name("runs.json"), now)

    def read(self) -> int:
        """Return how many runs in a row had failed when an earlier process ended.

        0 if its last run was healthy, if it was ended by a signal, or if the file is unusable.
        """
        content = read_state(self.path, {"failures": int, "at": float, "is_up": bool})
        if content is None:
            return 0
        seconds = self.now() - content["at"]
        healthy = content["is_up"] and seconds >= HEALTHY_AFTER_SECONDS
        # A time to come is that of another boot.
        return 0 if healthy or seconds < 0 else int(content["failures"])

    def write(self, failures: int, *, is_up: bool = False) -> bool:
        """Write the file; return whether that was possible. Report the first failure."""
        content = {"failures": failures, "at": self.now(), "is_up": is_up}
        try:
            write_atomically(self.path, f"{json.dumps(content)}\n".encode())
        except OSError as error:
            if not self._is_reported:
                what_next = "continuing; a restart of the program starts the back-off anew"
                log.warning("run.unrecorded", error=str(error), next=what_next)
            self._is_reported = True
            return False
        return True

    def forget(self) -> None:
        """Remove the file: a signal ended the program."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
