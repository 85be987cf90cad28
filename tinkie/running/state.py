"""The state file: the current phase and the last error, for people and for scripts.

StateFile is a structlog processor: it writes only what the log contains, after redaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinkie.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

_NEW_PHASE = ("phase.started", "run.crash_looping")
_BAD_LEVELS = ("warning", "error", "critical")
_ERROR_FIELDS = (
    *("event", "error", "kind", "hint", "next", "time", "uptime"),
    *("last_line", "last_lines"),  # of a program that ended
)


@dataclass(slots=True, eq=False, repr=False)
class StateFile:
    """Write `path` (JSON) at each new phase and each error.

    Shape: {"program", "worker_id", "phase", "since", "since_uptime", "last_error": null or
    {"event", "error", "kind", "hint", "next", "time", "uptime", "last_line", "last_lines"}}. An
    error has those fields that its event has. Times are ISO 8601 in UTC, uptimes are seconds since
    power-on.
    """

    path: Path
    program: str
    content: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Record one log event; return it unchanged, or with `state_error` if the write fails."""
        if event.get("event") in _NEW_PHASE:
            self._update(
                phase=event.get("phase"), since=event.get("time"), since_uptime=event.get("uptime")
            )
            self._write(event)
        elif event.get("level") in _BAD_LEVELS and "error" in event:
            self._update(last_error={name: event[name] for name in _ERROR_FIELDS if name in event})
            self._write(event)
        return event

    def _update(self, **changes: object) -> None:
        start = {"program": self.program, "phase": None, "last_error": None}
        self.content = start | self.content | changes

    def _write(self, event: MutableMapping[str, Any]) -> None:
        """Write the file; put a failure into the event, the only place left to report it."""
        self.content["worker_id"] = event.get("worker_id", self.content.get("worker_id"))
        text = json.dumps(self.content, indent=2, default=str) + "\n"
        try:
            write_atomically(self.path, text.encode())
        except OSError as error:
            event["state_error"] = str(error)
