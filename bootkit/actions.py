"""The containers that a worker starts for the actions of a workflow (contracts, section 4.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from bootkit.engine import Container, Engine

log = structlog.get_logger()

_PREFIXES = ("action_", "tinkerbell_")  # tink-worker from v0.9.0, tink-agent
_WORKFLOW_FOLDER = "/workflow"  # which tink-worker binds into all of its actions
_NAMED_BY_THE_ENGINE = re.compile(r"[a-z]+_[a-z]+\d?")


def is_action(container: Container) -> bool:
    """Say whether a worker started this container, as far as name and mounts tell.

    tink-worker before v0.9.0 gave the container the action's own name. A container that an action
    started for itself (waitdaemon does so, with the same mounts) has a name made up by the engine.
    """
    if container.name.startswith(_PREFIXES):
        return True
    made_up = _NAMED_BY_THE_ENGINE.fullmatch(container.name)
    return _WORKFLOW_FOLDER in container.mounts and not made_up


def clear_actions(engine: Engine) -> None:
    """Remove what an earlier worker left: two writers on a disk are worse than none.

    Those that have ended go too, since their names would be in the way of the next worker's.
    """
    for container in filter(is_action, engine.containers()):
        log.warning("action.removed", name=container.name, running=container.running)
        engine.remove(container.id)
