"""The containers that a worker starts for the actions of a workflow (contracts, section 4.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from tinkie.paths import ENGINE_SOCKET, WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.engine.interface import Container, Engine, Happening

log = structlog.get_logger()

_PREFIXES = ("action_", "tinkerbell_")  # tink-worker from v0.9.0, tink-agent
_WORKFLOW_FOLDER = "/workflow"  # which tink-worker binds into all of its actions
_NAMED_BY_THE_ENGINE = re.compile(r"[a-z]+_[a-z]+\d?")
_SOCKET = str(ENGINE_SOCKET)


def is_action(container: Container) -> bool:
    """Say whether a worker started this container, as far as name and mounts tell.

    tink-worker before v0.9.0 gave the container the action's own name. One that an action started
    for itself (waitdaemon does so, with the same mounts, the engine's socket among them) has a name
    made up by the engine.
    """
    if container.name.startswith(_PREFIXES):
        return True
    made_up = _NAMED_BY_THE_ENGINE.fullmatch(container.name) and _SOCKET in container.mounts
    return _WORKFLOW_FOLDER in container.mounts and not made_up


def clear_actions(engine: Engine) -> None:
    """Remove what an earlier worker left: two writers on a disk are worse than none.

    Those that have ended go too, since their names would be in the way of the next worker's.
    """
    for container in filter(is_action, engine.containers()):
        log.warning("action.removed", name=container.name, running=container.running)
        engine.remove(container.id)


@dataclass(slots=True)
class ActionTeller:
    """Tells people of actions that start and end; `clock` is Unix time, `since` where it begins."""

    engine: Engine
    clock: Callable[[], float]
    since: float

    def tick(self) -> None:
        """Tell what happened since the last time; a clock that was set back loses a moment."""
        now = self.clock()
        if now > self.since:
            for happening in self.engine.happened(self.since, now):
                if happening.container != WORKER_NAME:
                    _tell(happening)
        self.since = now


def _tell(happening: Happening) -> None:
    name, code = happening.container, happening.exit_code
    if code is None:
        log.info("action.started", name=name, image=happening.image)
    elif code == 0:
        log.info("action.ended", name=name)
    else:
        log.warning(
            "action.failed",
            name=name,
            error=f"exit code {code}",
            next="the worker reports it; see the workflow",
        )
