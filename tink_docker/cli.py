"""`tink-docker`: its arguments, its log, its exit status; the only place where its time passes.

Exit status: 0 ended by a signal, or a dry run without faults; 1 a bug, or a socket that cannot be
made; 2 bad kernel parameters in a dry run, or bad arguments.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog

from bootkit.shared.cmdline import PROC_CMDLINE, Cmdline
from bootkit.shared.errors import ShutdownRequested
from bootkit.shared.log import REDACTOR, configure
from bootkit.shared.signals import ShutdownSignals
from bootkit.shared.state import StateFile
from tink_docker.boot import Plan, keeper
from tink_docker.dockerd import protect_from_oom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootkit.shared.proxy import Proxies

log = structlog.get_logger()

PROGRAM = "tink-docker"
STATE_PATH = Path("/run/tinkie/tink-docker.json")
BAD_PARAMETERS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes, or print the plan; return the exit status."""
    options = _options(arguments)
    cmdline = Cmdline.read(options.cmdline)
    plan = Plan.from_cmdline(cmdline)
    _hide_secrets(cmdline, plan.proxies)
    if options.dry_run:
        return dry_run(plan)
    configure(PROGRAM, console=options.console, state=StateFile(STATE_PATH, PROGRAM))
    return run(plan)


def run(plan: Plan) -> int:
    """Keep the engine running until a signal comes."""
    ShutdownSignals().install()
    try:
        protect_from_oom()
        if plan.faults:
            log.error("parameters.bad", error=_told(plan), next="going on without them")
        keeper(plan, wait=wait, now=time.monotonic).keep()
    except ShutdownRequested as signal:
        log.info("program.stopped", reason=str(signal))
    except OSError as error:
        log.critical("program.failed", error=str(error), exc_info=True)
        return 1
    return 0


def dry_run(plan: Plan) -> int:
    """Print the plan as JSON on stdout, and the bad parameters on stderr."""
    json.dump(REDACTOR.value(plan.as_json()), sys.stdout, indent=2)
    sys.stdout.write("\n")
    if plan.faults:
        sys.stderr.write(f"{PROGRAM}: {_told(plan)}\n")
    return BAD_PARAMETERS if plan.faults else 0


def wait(seconds: float, files: Sequence[int]) -> None:
    """Let time pass until one of the files is readable; a signal ends it at once."""
    select.select(files, [], [], seconds)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Keeps the Docker engine running.")
    parser.add_argument("--cmdline", type=Path, default=PROC_CMDLINE, metavar="FILE")
    parser.add_argument("--console", type=Path, metavar="PATH", help="write lines for people there")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, as JSON")
    return parser.parse_args(arguments)


def _hide_secrets(cmdline: Cmdline, proxies: Proxies) -> None:
    """Mask every password, also those that are not for us, in whatever is shown from now on."""
    REDACTOR.hide(*cmdline.get_all("registry_password"))
    for url in filter(None, (proxies.http, proxies.https)):
        password = urlsplit(url if "://" in url else f"//{url}").password
        REDACTOR.hide(password, unquote(password or ""))


def _told(plan: Plan) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in plan.faults.items())
