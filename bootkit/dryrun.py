"""`bootkit --dry-run`: what would be done, and nothing of it."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from bootkit.machine.identity import NEEDED_SECONDS, WANTED_SECONDS
from bootkit.machine.metadata import Machine, machine_in
from bootkit.plan.inputs import Inputs, plan
from settings.files import settings_problems
from tinkie.errors import BadParameters, BootError
from tinkie.running.cmdline_report import cmdline_problems
from tinkie.running.redaction import REDACTOR, secrets_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootkit.plan.worker import WorkerSpec
    from tinkie.parameters.cmdline import Cmdline

PLANNED = 0
BAD_PARAMETERS = 2
NO_METADATA = 3


def dry_run(cmdline: Cmdline, metadata: bytes | None = None) -> int:
    """Print the plan (JSON, stdout) and an equivalent `docker run` (stderr); return the exit code.

    `metadata` is what hegel's `/metadata` would answer; without it the service is asked. Values
    that make no sense are told; only without those that the worker needs there is no plan.
    """
    REDACTOR.hide(*secrets_in(cmdline))
    inputs = Inputs.from_cmdline(cmdline)
    problems = _problems(inputs)
    for message in (*cmdline_problems(cmdline), *_by_name(inputs.notices), *problems):
        _say(f"bootkit: {message}")
    try:
        _show(_planned(inputs, metadata))
    except BadParameters:
        _say("bootkit: the worker cannot be started with these")
        return BAD_PARAMETERS
    except (BootError, OSError) as error:
        _say(f"bootkit: no metadata, and without it this machine has no worker id: {error}")
        return NO_METADATA
    return BAD_PARAMETERS if problems else PLANNED


def _planned(inputs: Inputs, metadata: bytes | None) -> WorkerSpec:
    inputs.check()
    return plan(inputs, _machine(inputs, metadata))


def _show(spec: WorkerSpec) -> None:
    shown: Any = REDACTOR.value(spec.as_json())
    print(json.dumps(shown, indent=2))  # noqa: T201 - the output of the dry run
    # Masked word by word: in shell's quotes a secret looks different.
    _say(shlex.join(map(REDACTOR.text, spec.as_command())))


def _problems(inputs: Inputs) -> list[str]:
    """Return what is wrong with what the worker and the system's services read."""
    problems = {**inputs.problems, **settings_problems(inputs.parameters)}
    return [f"bad kernel parameter {message}" for message in _by_name(problems)]


def _by_name(messages: Mapping[str, str]) -> list[str]:
    return [f"{name}: {message}" for name, message in messages.items()]


def _machine(inputs: Inputs, metadata: bytes | None) -> Machine:
    needed = inputs.known_id is None
    try:
        if metadata is not None:
            return machine_in(metadata)
        service = inputs.metadata(inputs.fetcher())
        seconds = NEEDED_SECONDS if needed else WANTED_SECONDS
        return service.find(seconds=seconds) if service else Machine()
    except (BootError, OSError) as error:
        if needed:
            raise
        _say(f"bootkit: going on without metadata: {error}")
        return Machine()


def _say(text: str) -> None:
    sys.stderr.write(REDACTOR.text(text) + "\n")
