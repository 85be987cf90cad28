"""The containers that a worker starts for the actions of a workflow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootkit.policy import LAST_EVENTS_SECONDS
from tinkie.paths import ENGINE_SOCKET, WORKER_NAME
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Container, ContainerEvent, Engine, Events

log = get_logger()

_PREFIXES = ("action_", "tinkerbell_")  # tink-worker from v0.9.0, tink-agent
_WORKFLOW_FOLDER = "/workflow"  # tink-worker binds it into all of its actions
_NAMED_BY_THE_ENGINE = r"[a-z]+_[a-z]+\d?"
_SOCKET = str(ENGINE_SOCKET)


def is_action(container: Container) -> bool:
    """Return whether a worker started this container, judged by its name and mounts.

    tink-worker before v0.9.0 gives a container the action's own name. A container that an action
    starts for itself is not an action: waitdaemon starts one with the same mounts and the engine's
    socket, and lets the engine choose its name.
    """
    if container.name.startswith(_PREFIXES):
        return True
    engine_named = (
        re.fullmatch(_NAMED_BY_THE_ENGINE, container.name) and _SOCKET in container.mounts
    )
    return _WORKFLOW_FOLDER in container.mounts and not engine_named


def remove_actions(engine: Engine) -> None:
    """Remove the actions of an earlier worker: two writers on a disk are worse than none.

    Remove the ended ones too, since the next worker may need their names.
    """
    for container in filter(is_action, engine.containers()):
        log.warning("action.removed", name=container.name, running=container.running)
        engine.remove(container.id)


@dataclass(slots=True, eq=False, repr=False)
class ActionReporter:
    """Log the start and the end of each action. `now` returns monotonic seconds."""

    engine: Engine
    now: Callable[[], float]
    _events: Events | None = None
    _worker_ended: bool = False  # its end was among the events

    def report(self) -> None:
        """Log what has happened since the last call, or since now at the first one.

        Raises:
            BootError: the engine sends no events. The next call subscribes again.
        """
        self._report(0.0)

    def report_last(self) -> None:
        """When the worker has ended: its last action may have ended with it.

        The engine sends the worker's end at about the same time; wait for it, but not long.

        Raises:
            BootError: as `report`.
        """
        self._report(0.0)
        end = self.now() + LAST_EVENTS_SECONDS
        while not self._worker_ended and self.now() < end:
            if not self._report(LAST_EVENTS_SECONDS):
                return

    def close(self) -> None:
        """End the subscription."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _report(self, seconds: float) -> bool:
        """Wait for events at most `seconds`; return whether any came."""
        if self._events is None:
            self._events = self.engine.events()
        try:
            events = self._events.take(seconds)
        except BaseException:
            self.close()
            raise
        for event in events:
            if event.container != WORKER_NAME:
                _log(event)
            elif event.exit_code is not None:
                self._worker_ended = True
        return bool(events)


def _log(event: ContainerEvent) -> None:
    name, code = event.container, event.exit_code
    if code is None:
        log.info("action.started", name=name, image=event.image)
    elif code == 0:
        log.info("action.ended", name=name)
    else:
        log.warning(
            "action.failed",
            name=name,
            error=f"exit code {code}",
            next="the worker reports it; see the workflow",
        )
