"""`bootkit --dry-run`: print the plan and change nothing."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from bootkit.machine.metadata import MachineMetadata, parse_hegel
from bootkit.plan.inputs import Inputs, plan
from bootkit.policy import METADATA_NEEDED_SECONDS, METADATA_WANTED_SECONDS
from settings import files as settings
from settings.bad_value import BadValueError
from tinkie.errors import BadParameters, BootError
from tinkie.running.redaction import REDACTOR, secrets_in

if TYPE_CHECKING:
    from bootkit.plan.worker import WorkerSpec
    from tinkie.parameters.cmdline import Cmdline

PLANNED = 0
BAD_PARAMETERS = 2
NO_METADATA = 3


def dry_run(cmdline: Cmdline, metadata: bytes | None = None) -> int:
    """Print the plan (JSON, stdout) and an equivalent `docker run` (stderr); return the exit code.

    `metadata` replaces the answer of hegel's `/metadata`; without it, ask the service. Report all
    invalid values; print no plan only if the worker needs one of them.
    """
    REDACTOR.hide(*secrets_in(cmdline))
    inputs = Inputs.from_cmdline(cmdline)
    problems = _problems(inputs, cmdline)
    for problem in filter(None, [cmdline.cut_off, *problems]):
        _print_error(f"bootkit: {problem}")
    try:
        _show(_planned(inputs, metadata))
    except BadParameters:
        _print_error("bootkit: no plan: correct these parameters")
        return BAD_PARAMETERS
    except (BootError, OSError) as error:
        _print_error(f"bootkit: no plan: the metadata service must provide the worker id: {error}")
        return NO_METADATA
    return BAD_PARAMETERS if problems else PLANNED


def _planned(inputs: Inputs, metadata: bytes | None) -> WorkerSpec:
    inputs.check()
    return plan(inputs, _machine(inputs, metadata))


def _show(spec: WorkerSpec) -> None:
    shown: Any = REDACTOR.value(spec.as_json())
    print(json.dumps(shown, indent=2))  # noqa: T201 - the output of the dry run
    # Mask it word by word: in the shell's quotes a secret looks different.
    _print_error(shlex.join(map(REDACTOR.text, spec.as_command())))


def _problems(inputs: Inputs, cmdline: Cmdline) -> list[str]:
    """Return the invalid parameters of the worker and of the system's services."""
    ours = [str(BadValueError(name, reason)) for name, reason in inputs.problems.items()]
    return [*ours, *map(str, settings.problems(cmdline))]


def _machine(inputs: Inputs, metadata: bytes | None) -> MachineMetadata:
    needed = inputs.params.known_id is None
    try:
        if metadata is not None:
            return parse_hegel(metadata)
        service = inputs.metadata(inputs.fetcher())
        seconds = METADATA_NEEDED_SECONDS if needed else METADATA_WANTED_SECONDS
        return service.find(seconds=seconds) if service else MachineMetadata()
    except (BootError, OSError) as error:
        if needed:
            raise
        _print_error(f"bootkit: continuing without metadata: {error}")
        return MachineMetadata()


def _print_error(text: str) -> None:
    sys.stderr.write(REDACTOR.text(text) + "\n")
