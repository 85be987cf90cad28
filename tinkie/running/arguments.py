"""The arguments, and the exit status for bad input, that the agents share."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from tinkie.parameters.cmdline import PROC_CMDLINE
from tinkie.paths import STATE_FOLDER

BAD_PARAMETERS = 2
"""The exit status for bad kernel parameters in a dry run; argparse's for bad arguments, too."""


# With a width of its own, argparse does not load `shutil` and archive formats to ask the terminal.
_formatter = partial(argparse.HelpFormatter, width=100)


def agent_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser of --cmdline, --console, --state and --dry-run."""
    parser = argparse.ArgumentParser(program, description=description, formatter_class=_formatter)
    add_path(
        parser,
        "--cmdline",
        default=PROC_CMDLINE,
        text="file with the kernel parameters (default %(default)s)",
    )
    add_path(parser, "--console", text="FIFO or terminal for log lines in plain text")
    add_path(
        parser,
        "--state",
        default=STATE_FOLDER / program / "state.json",
        text="JSON file for the current phase and the last error (default %(default)s); beside it, "
        "runs.json has the number of runs in a row that were not healthy",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the plan as JSON and change nothing"
    )
    return parser


def add_path(
    parser: argparse.ArgumentParser, name: str, *, text: str, default: Path | None = None
) -> None:
    """Add an option that takes a path; `text` is its help."""
    parser.add_argument(name, type=Path, metavar="PATH", default=default, help=text)


def report_unreadable(program: str, error: OSError) -> int:
    """Say on stderr that a file of the arguments cannot be read; return the exit status."""
    sys.stderr.write(f"{program}: cannot read a file: {error}\n")
    return BAD_PARAMETERS
