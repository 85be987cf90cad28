"""Progress of a long command: which step runs, for how long, and how many steps there are.

Plain lines, on a terminal as in a log. Standard library only.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TextIO

HEARTBEAT_SECONDS = 15.0  # after a longer silence users think that it hangs
SHORT_SECONDS = 1.0  # shorter steps print no time


class Progress:
    """Prints a line when a step begins, while it runs, and when it ends.

    total: how many steps there are; 0: steps have no numbers.
    """

    def __init__(
        self,
        total: int = 0,
        *,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._total = total
        self._stream = stream
        self._now = now
        self._heartbeat_seconds = heartbeat_seconds
        self._started = now()
        self._done = 0
        self._title = ""
        self._step_started = self._started

    def note(self, text: str) -> None:
        """Print a line with the seconds since this command started."""
        elapsed = self._now() - self._started
        print(f"{elapsed:7.1f} s  {text}", file=self._stream or sys.stdout, flush=True)

    def skip(self, steps: int = 1) -> None:
        """Count steps as done that need not be done."""
        self._done += steps

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Report a step until the end of the with block; nothing is printed at the end if short."""
        self._done += 1
        number = f"[{self._done}/{self._total}] " if self._total else ""
        self._title, self._step_started = f"{number}{title}", self._now()
        self.note(self._title)
        ended = Event()
        thread = Thread(target=self._beat_until, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        if self._step_seconds >= SHORT_SECONDS:
            self.note(f"{self._title}: done in {self._step_seconds:.0f} s")

    def beat(self) -> None:
        """Print how long the present step has been running."""
        self.note(f"{self._title} ... {self._step_seconds:.0f} s")

    @property
    def _step_seconds(self) -> float:
        return self._now() - self._step_started

    def _beat_until(self, ended: Event) -> None:
        while not ended.wait(self._heartbeat_seconds):
            self.beat()
