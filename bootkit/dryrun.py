"""`bootkit --dry-run`: print the plan and change nothing."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from bootkit.image.auth_file import fetch_config
from bootkit.machine.metadata import MachineMetadata, parse_hegel
from bootkit.plan.inputs import Inputs, plan
from bootkit.policy import AUTH_SECONDS, METADATA_NEEDED_SECONDS, METADATA_WANTED_SECONDS
from network.parameters import network_problems
from settings.files import settings_problems
from tinkie.errors import BadParameters, BootError
from tinkie.parameters.table import REGISTRY_AUTH_URL
from tinkie.running.arguments import BAD_PARAMETERS
from tinkie.running.cmdline_report import cmdline_problems, problem_lines
from tinkie.running.redaction import REDACTOR, secrets_in

if TYPE_CHECKING:
    from bootkit.plan.worker import WorkerSpec
    from tinkie.parameters.cmdline import Cmdline

PLANNED = 0
NO_METADATA = 3


def dry_run(cmdline: Cmdline, metadata: bytes | None = None) -> int:
    """Print the plan (JSON, stdout) and an equivalent `docker run` (stderr); return the exit code.

    `metadata` replaces the answer of hegel's `/metadata`; without it, ask the service. Report all
    invalid values; print no plan only if the worker needs one of them.
    """
    REDACTOR.hide(*secrets_in(cmdline))
    inputs = Inputs.from_cmdline(cmdline)
    others = settings_problems(inputs.parameters) | network_problems(inputs.parameters)
    problems = {**inputs.problems, **others}
    notices = [f"{name}: {message}" for name, message in inputs.notices.items()]
    for message in (*cmdline_problems(cmdline), *notices, *problem_lines(problems)):
        _print_error(f"bootkit: {message}")
    try:
        spec = _planned(inputs, metadata)
        _show(_with_auth_file(inputs, spec) if metadata is None else spec)
    except BadParameters:
        _print_error("bootkit: no plan: correct these parameters")
        return BAD_PARAMETERS
    except (BootError, OSError) as error:
        _print_error(f"bootkit: no plan: the metadata service must provide the worker id: {error}")
        return NO_METADATA
    return BAD_PARAMETERS if problems or cmdline.unclosed_quote else PLANNED


def _planned(inputs: Inputs, metadata: bytes | None) -> WorkerSpec:
    inputs.check()
    return plan(inputs, _machine(inputs, metadata))


def _show(spec: WorkerSpec) -> None:
    shown: Any = REDACTOR.value(spec.as_json())
    print(json.dumps(shown, indent=2))  # noqa: T201 - the output of the dry run
    # Mask it word by word: in the shell's quotes a secret looks different.
    _print_error(shlex.join(map(REDACTOR.text, spec.as_command(shown["environment"]))))


def _with_auth_file(inputs: Inputs, spec: WorkerSpec) -> WorkerSpec:
    """Return it with the credentials at registry_auth_url.

    Without them if the dry run needs no network otherwise, or they cannot be had.
    """
    url, fetcher = inputs.parameters[REGISTRY_AUTH_URL], inputs.fetcher()
    if url is None or inputs.metadata(fetcher) is None:
        return spec
    try:
        config, _ = fetch_config(url, inputs.pinned(fetcher), AUTH_SECONDS)
    except BootError as error:
        _print_error(f"bootkit: continuing without registry_auth_url: {error}")
        return spec
    for name, why in config.unused.items():
        _print_error(f"bootkit: registry_auth_url: {name}: {why}")
    return spec.with_config(config)


def _machine(inputs: Inputs, metadata: bytes | None) -> MachineMetadata:
    needed = inputs.known_id is None
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
