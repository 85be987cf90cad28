"""Tasks beside the main one: whatever a task raises, the main one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from tinkie.errors import ShutdownRequested, as_boot_error, request_behind, traceback_of
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinkie.running.backoff import Schedule

log = get_logger()

Result = TypeVar("Result")


@dataclass(slots=True, eq=False, repr=False)
class Task(Generic[Result]):
    """Call it once a turn: it does `work`, and after a failure again when `schedule` says so.

    It logs each failure and raises none; a request to stop counts though its clean-up fails. `name`
    is what it does, for people.
    """

    name: str
    work: Callable[[], Result]
    schedule: Schedule

    def __call__(self) -> Result | None:
        """Do the work and return its result; None if it is not due, or fails."""
        if not self.schedule.is_due():
            return None
        try:
            result = self.work()
        except Exception as error:  # also of a bug: the other tasks go on
            self._log(error)
            if request := request_behind(error):
                raise ShutdownRequested(*request.args) from error
            return None
        self.schedule.reset()
        return result

    def _log(self, error: Exception) -> None:
        ours = as_boot_error(error)
        seconds = self.schedule.failed(ours)
        log.warning(
            "task.failed",
            task=self.name,
            **ours.fields,
            next=f"all else goes on; trying again in {seconds:.1f} s",
            exc_info=traceback_of(ours),
        )
