"""`bootkit --dry-run`: what would be done, and nothing of it."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from bootkit.identity import NEEDED_SECONDS, WANTED_SECONDS
from bootkit.metadata import Machine, machine_in
from bootkit.plan import Inputs, plan
from bootkit.shared.errors import BootError
from bootkit.shared.redaction import REDACTOR, secrets_in

if TYPE_CHECKING:
    from pathlib import Path

    from bootkit.shared.cmdline import Cmdline
    from bootkit.worker import WorkerSpec

PLANNED = 0
BAD_PARAMETERS = 2
NO_METADATA = 3


def dry_run(cmdline: Cmdline, metadata: Path | None = None) -> int:
    """Print the plan (JSON, stdout) and an equivalent `docker run` (stderr); return the exit code.

    `metadata` is a file with what hegel's `/metadata` would answer; without it the service is
    asked.
    """
    REDACTOR.hide(*secrets_in(cmdline))
    if cmdline.cut_off:
        _say(f"bootkit: {cmdline.cut_off}")
    inputs = Inputs.from_cmdline(cmdline)
    if inputs.faults:
        for name, reason in inputs.faults.items():
            _say(f"bootkit: bad kernel parameter {name}: {reason}")
        return BAD_PARAMETERS
    try:
        spec = plan(inputs, _machine(inputs, metadata))
    except (BootError, OSError) as error:
        _say(f"bootkit: no metadata, and without it this machine has no worker id: {error}")
        return NO_METADATA
    _show(spec)
    return PLANNED


def _show(spec: WorkerSpec) -> None:
    shown: Any = REDACTOR.value(spec.as_json())
    print(json.dumps(shown, indent=2))  # noqa: T201 - the output of the dry run
    # Masked word by word: in shell's quotes a secret looks different.
    _say(shlex.join(map(REDACTOR.text, spec.as_command())))


def _machine(inputs: Inputs, metadata: Path | None) -> Machine:
    needed = inputs.params.known_id is None
    try:
        if metadata is not None:
            return machine_in(metadata.read_bytes())
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
