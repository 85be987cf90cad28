"""What is wrong with a command line, for the log and for dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinkie.parameters.table import TABLE
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinkie.parameters.cmdline import Cmdline

log = get_logger()

_NAMES = {name for row in TABLE for name in (row.name, *row.also)}
_NEXT = "using the parameters as they are"


def problem_lines(problems: Mapping[str, str]) -> list[str]:
    """Return a line for each bad parameter; `problems` has the reasons by name."""
    return [f"bad kernel parameter {name}: {reason}" for name, reason in problems.items()]


def cmdline_problems(cmdline: Cmdline) -> list[str]:
    """Return a message for each problem of the command line as a whole."""
    quote = cmdline.unclosed_quote and f"{_name(cmdline)}: {cmdline.unclosed_quote}"
    return [message for message in (cmdline.truncated, quote) if message]


def log_cmdline_problems(cmdline: Cmdline) -> None:
    """Log each problem of the command line as a whole."""
    if error := cmdline.truncated:
        log.warning("cmdline.truncated", error=error, next=_NEXT)
    if error := cmdline.unclosed_quote:
        log.warning("cmdline.unclosed_quote", parameter=_name(cmdline), error=error, next=_NEXT)


def _name(cmdline: Cmdline) -> str:
    """Return the parameter in which the open quote stands; other words may be half a password."""
    name = cmdline.open_quote
    return name if name in _NAMES else "a word that is not a parameter"
