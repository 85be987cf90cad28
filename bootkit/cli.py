"""The program `bootkit`: its arguments, clocks, signals and exit status, and nothing else.

Exit status: 0 after a signal, or a dry run with a plan; 1 a bug at the start; 2 bad kernel
parameters in a dry run, or bad arguments; 3 a dry run without the worker's id from the metadata.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

from tinkie.errors import ShutdownRequested
from tinkie.fetch.name_lookups import bound_name_lookups
from tinkie.parameters.cmdline import Cmdline
from tinkie.paths import ENGINE_SOCKET
from tinkie.running import log
from tinkie.running.arguments import add_path, agent_parser, report_unreadable
from tinkie.running.run_record import RunRecord
from tinkie.running.signals import ShutdownSignals
from tinkie.running.state import StateFile
from tinkie.running.supervise import supervise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

PROGRAM = "bootkit"
_BUG = "this is a bug in bootkit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal, or with --dry-run print the plan; return the exit code."""
    options = _options(arguments)
    if options.dry_run:
        return _dry_run(options)
    log.configure(PROGRAM, console=options.console, state=StateFile(options.state, PROGRAM))
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    signals = ShutdownSignals()
    try:
        signals.install()
        _boot(options, signals)
    except ShutdownRequested as signal:
        signals.ignore()
        log.get_logger().info("program.ended", signal=str(signal), next="the worker keeps running")
        return 0
    except Exception:  # noqa: BLE001 - a bug, outside supervise or again and again
        what_next = "containerd starts it again"
        log.get_logger().exception("program.failed", error=_BUG, next=what_next)
        return 1


def _dry_run(options: argparse.Namespace) -> int:
    from bootkit.dryrun import dry_run  # noqa: PLC0415 - not on the way to the worker

    try:
        cmdline = Cmdline.read(options.cmdline)
        metadata = options.metadata.read_bytes() if options.metadata else None
    except OSError as error:
        return report_unreadable(PROGRAM, error)
    return dry_run(cmdline, metadata)


def _boot(options: argparse.Namespace, signals: ShutdownSignals) -> NoReturn:
    from bootkit.boot import Boot  # noqa: PLC0415 - reports a wrong argument at once
    from bootkit.engine.docker import DockerEngine  # noqa: PLC0415 - as above

    def pause(seconds: float) -> None:
        signals.check()
        time.sleep(seconds)  # the only wait of the program; a signal ends it

    log.get_logger().info("program.started")
    bound_name_lookups()
    boot = Boot(
        read_cmdline=lambda: Cmdline.read(options.cmdline),
        engine=DockerEngine(options.engine),
        pause=pause,
        now=time.monotonic,
    )
    record = RunRecord.beside(options.state, time.monotonic)
    supervise(boot.run, pause=pause, now=time.monotonic, record=record)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.metadata and not options.dry_run:
        parser.error("--metadata is for --dry-run only")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = agent_parser(PROGRAM, "Start this machine's Tinkerbell worker, and keep it running.")
    add_path(
        parser,
        "--engine",
        default=ENGINE_SOCKET,
        text="the engine's socket (default %(default)s)",
    )
    add_path(
        parser,
        "--metadata",
        text="with --dry-run: read hegel's /metadata from this file, not from the network",
    )
    return parser
