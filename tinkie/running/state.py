"""The state file: what the program does now and what went wrong last, for people and for scripts.

It is a structlog processor: the log is the only source of what it says, and it comes after
redaction.
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
    *("said", "last_lines"),  # of a program that ended
)


@dataclass(slots=True)
class StateFile:
    """Writes `path` (JSON) at each new phase and each error.

    Shape: {"program", "worker_id", "phase", "since", "since_uptime", "last_error": null or
    {"event", "error", "kind", "hint", "next", "time", "uptime", "said", "last_lines"}}, of which
    an error has what its event has. Times are ISO 8601 in UTC, uptimes seconds since power-on.
    """

    path: Path
    program: str
    content: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Take note of one log event and hand it on unchanged."""
        if event.get("event") in _NEW_PHASE:
            self._note(
                phase=event.get("phase"), since=event.get("time"), since_uptime=event.get("uptime")
            )
            self._write(event)
        elif event.get("level") in _BAD_LEVELS and "error" in event:
            self._note(last_error={name: event[name] for name in _ERROR_FIELDS if name in event})
            self._write(event)
        return event

    def _note(self, **changes: object) -> None:
        start = {"program": self.program, "phase": None, "last_error": None}
        self.content = start | self.content | changes

    def _write(self, event: MutableMapping[str, Any]) -> None:
        """Write the file; if that fails, the event itself says so, since nothing else can."""
        self.content["worker_id"] = event.get("worker_id", self.content.get("worker_id"))
        text = json.dumps(self.content, indent=2, default=str) + "\n"
        try:
            write_atomically(self.path, text.encode())
        except OSError as error:
            event["state_error"] = str(error)
