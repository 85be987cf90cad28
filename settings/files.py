"""Write the settings of the system's own services from the kernel parameters, as files.

    python3 -m settings --cmdline /proc/cmdline --output DIR

| file          | from                         | content |
| ------------- | ---------------------------- | ------- |
| `syslog`      | `syslog_host`, `syslog_port` | one line `HOST:PORT`, an IPv6 address in brackets |
| `ntp.sources` | `ntp`                        | lines `server NAME iburst`, as chrony reads them |
| `clock`       | what names Tinkerbell        | lines `HOST PORT`: whose HTTP has the time |

A file is written only if its parameter is given and good. A bad value is reported on stderr under
its parameter's name, the other files are written, and the exit code is 2. This runs early in the
boot, beside the services: it imports only cheap parts of the standard library.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tinkie.files import write_atomically
from tinkie.parameters.cmdline import PROC_CMDLINE, Cmdline
from tinkie.parameters.parameter import Reader
from tinkie.parameters.table import (
    HEGEL_PORT,
    NTP,
    SYSLOG_HOST,
    SYSLOG_PORT,
    TOOTLES_PORT,
    problems_for,
    read_parameters,
)
from tinkie.parameters.tinkerbell import http_endpoints, tinkerbell_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinkie.parameters.parameter import Parameters

_DONE = 0
_BAD_VALUE = 2
_HTTP_PORTS = (TOOTLES_PORT, HEGEL_PORT, 80)  # the last one is boots


def syslog(parameters: Parameters) -> str | None:
    """Return where logs go."""
    host = parameters[SYSLOG_HOST]
    return f"{host.in_url}:{parameters[SYSLOG_PORT]}\n" if host else None


def ntp(parameters: Parameters) -> str | None:
    """Return chrony's sources."""
    return "".join(f"server {host} iburst\n" for host in parameters[NTP]) or None


def clock(parameters: Parameters) -> str | None:
    """Return who can be asked for the time over plain HTTP."""
    given = [(str(endpoint.host), endpoint.port) for endpoint in http_endpoints(parameters)]
    usual = [(host, port) for host in tinkerbell_hosts(parameters) for port in _HTTP_PORTS]
    endpoints = dict.fromkeys((*given, *usual))
    return "".join(f"{host} {port}\n" for host, port in endpoints) or None


FILES: dict[str, Callable[[Parameters], str | None]] = {
    "syslog": syslog,
    "ntp.sources": ntp,
    "clock": clock,
}


def settings_problems(parameters: Parameters) -> dict[str, str]:
    """Return why bad values are bad, by name."""
    return problems_for(Reader.SETTINGS, parameters)


def write(parameters: Parameters, folder: Path) -> None:
    """Write the files that the parameters ask for."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        text = content(parameters)
        if text is not None:
            write_atomically(folder / name, text.encode())


def main(arguments: Sequence[str]) -> int:
    """Run the program; argparse would cost a third of its time."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if len(arguments) % 2 or not {"--output"} <= set(options) <= {"--output", "--cmdline"}:
        sys.stderr.write("usage: settings [--cmdline FILE] --output DIR\n")
        return _BAD_VALUE
    parameters = read_parameters(Cmdline.read(Path(options.get("--cmdline", PROC_CMDLINE))))
    write(parameters, Path(options["--output"]))
    problems = settings_problems(parameters)
    for name, reason in problems.items():
        sys.stderr.write(f"settings: bad kernel parameter {name}: {reason}\n")
    return _BAD_VALUE if problems else _DONE
