"""`tink-docker`: its arguments, its log, its exit status; `wait` is the only place where it waits.

Exit status: 0 after a signal, or a dry run without problems; 1 a bug at the start, or the engine's
socket cannot be created; 2 bad kernel parameters in a dry run, or bad arguments.
"""

from __future__ import annotations

import json
import select
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from tink_docker.plan import Plan, keeper
from tinkie.errors import ShutdownRequested, listed
from tinkie.fetch.name_lookups import bound_name_lookups
from tinkie.parameters.cmdline import Cmdline
from tinkie.running.arguments import BAD_PARAMETERS, agent_parser, report_unreadable
from tinkie.running.cmdline_report import (
    cmdline_problems,
    log_cmdline_problems,
    problem_lines,
)
from tinkie.running.log import configure, get_logger
from tinkie.running.redaction import REDACTOR, secrets_in
from tinkie.running.run_record import RunRecord
from tinkie.running.signals import ShutdownSignals
from tinkie.running.state import StateFile

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

log = get_logger()

PROGRAM = "tink-docker"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes, or print the plan; return the exit status."""
    options = _options(arguments)
    if options.dry_run:
        return dry_run(options.cmdline)
    configure(PROGRAM, console=options.console, state=StateFile(options.state, PROGRAM))
    signals = ShutdownSignals()
    try:
        signals.install()
        run(options.cmdline, signals, RunRecord.beside(options.state, time.monotonic))
    except ShutdownRequested as signal:
        signals.ignore()
        log.info("program.ended", signal=str(signal), next="dockerd was stopped in order")
        return 0
    except Exception:  # a bug, outside `supervise` or again and again
        error = "a bug, or the engine's socket cannot be created"
        log.exception("program.failed", error=error, next="containerd starts it again")
    return 1


def run(path: Path, signals: ShutdownSignals, record: RunRecord) -> None:
    """Keep the engine running until a signal comes."""
    log.info("program.started")
    bound_name_lookups()
    cmdline = _read(path)
    plan = Plan.from_cmdline(cmdline)
    log_cmdline_problems(cmdline)
    if plan.problems:
        log.error("parameters.invalid", error=_problems(plan), next="continuing without them")
    keeper(plan, wait=partial(wait, signals), now=time.monotonic).keep(record)


def dry_run(path: Path) -> int:
    """Print the plan as JSON on stdout, and the bad parameters on stderr."""
    try:
        cmdline = _read(path)
    except OSError as error:
        return report_unreadable(PROGRAM, error)
    plan = Plan.from_cmdline(cmdline)
    json.dump(REDACTOR.value(plan.as_json()), sys.stdout, indent=2)
    sys.stdout.write("\n")
    more = filter(None, [*plan.certificates.refusals, plan.local_logs])
    for message in (*cmdline_problems(cmdline), *problem_lines(plan.problems), *more):
        sys.stderr.write(REDACTOR.text(f"{PROGRAM}: {message}\n"))
    return BAD_PARAMETERS if plan.problems or cmdline.unclosed_quote else 0


def wait(signals: ShutdownSignals, seconds: float, files: Sequence[int]) -> None:
    """Wait until the time is over or one of the files is readable; a signal ends it at once."""
    signals.check()
    select.select(files, [], [], seconds)


def _read(path: Path) -> Cmdline:
    cmdline = Cmdline.read(path)
    REDACTOR.hide(*secrets_in(cmdline))
    return cmdline


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    description = "Install CA certificates, keep dockerd running, reboot on /worker/reboot."
    return agent_parser(PROGRAM, description).parse_args(arguments)


def _problems(plan: Plan) -> str:
    return listed(f"{name}: {reason}" for name, reason in plan.problems.items())
