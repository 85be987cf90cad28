"""Writes the settings of the system's own services from the kernel parameters, as files.

    python3 -m settings --cmdline /proc/cmdline --output DIR

| file          | from                         | content |
| ------------- | ---------------------------- | ------- |
| `syslog`      | `syslog_host`, `syslog_port` | one line `HOST:PORT`, an IPv6 address in brackets |
| `ntp.sources` | `ntp`                        | lines `server NAME iburst`, as chrony reads them |
| `clock`       | whatever names Tinkerbell    | lines `HOST PORT`: whose HTTP tells the time |
| `network`     | `ipam`, `vlan_id`            | lines `NAME VALUE`: a card's VLAN and addresses |
| `cards`       | `interface`, `hw_addr`, ...  | lines: name or MAC of a network card to prefer |
| `host`        | `grpc_authority`, or others  | a line `HOST PORT`: what a card must reach |

A file is there only if its parameter is given and makes sense. A value that does not is told on
stderr by its parameter's name, the other files are written, and the exit code is 2. Runs early in
the boot on the way of nobody: only cheap parts of the standard library are imported.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from settings.bad_value import BadValueError
from settings.nics import cards, network
from tinkie.files import write_atomically
from tinkie.parameters.cmdline import PROC_CMDLINE, Cmdline
from tinkie.parameters.tinkerbell import http_places, tinkerbell_hosts, worker_place
from tinkie.parameters.types import in_url, is_host, out_of_url
from tinkie.paths import SYSLOG_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PARAMETERS = (
    *("syslog_host", "syslog_port", "ntp", "interface"),
    *("hw_addr", "BOOTIF", "worker_id", "ipam", "vlan_id"),
)

_DONE = 0
_BAD_VALUE = 2
_HTTP_PORTS = (7080, 50061, 80)  # smee and tootles, hegel, boots
_PORT = re.compile(r"[0-9]{1,5}")


def syslog(cmdline: Cmdline) -> str | None:
    """Return where logs go, as the line `HOST:PORT`; None without syslog_host."""
    given = cmdline.get("syslog_host")
    if given is None:
        return None
    port = cmdline.get("syslog_port") or str(SYSLOG_PORT)
    host = _host("syslog_host", given)
    bracketed = in_url(host)
    if not _PORT.fullmatch(port) or not 0 < int(port) < 2**16:
        reason = f"not a port, {SYSLOG_PORT} is used"
        raise BadValueError("syslog_port", reason, instead=f"{bracketed}:{SYSLOG_PORT}\n")
    return f"{bracketed}:{port}\n"


def ntp(cmdline: Cmdline) -> str | None:
    """Return chrony's sources, one line for each server in `ntp`; None without it."""
    given = cmdline.get("ntp")
    if given is None:
        return None
    hosts = [_host("ntp", part.strip()) for part in given.split(",") if part.strip()]
    return "".join(f"server {host} iburst\n" for host in hosts)


def clock(cmdline: Cmdline) -> str | None:
    """Return who can be asked for the time over plain HTTP, a `HOST PORT` a line."""
    places = dict.fromkeys((*http_places(cmdline), *_usual_places(cmdline)))
    good = [(host, port) for host, port in places if is_host(host)]
    return "".join(f"{host} {port}\n" for host, port in good) or None


def _usual_places(cmdline: Cmdline) -> list[tuple[str, int]]:
    """Return where Tinkerbell's own HTTP servers are, of all generations."""
    return [(host, port) for host in tinkerbell_hosts(cmdline) for port in _HTTP_PORTS]


def host(cmdline: Cmdline) -> str | None:
    """Return the host that a network card must reach to be the right one, as `HOST PORT`."""
    place = worker_place(cmdline)
    return f"{place[0]} {place[1]}\n" if place and is_host(place[0]) else None


FILES: dict[str, Callable[[Cmdline], str | None]] = {
    "syslog": syslog,
    "ntp.sources": ntp,
    "clock": clock,
    "network": network,
    "cards": cards,
    "host": host,  # the last: whoever sees it sees all
}


def write(cmdline: Cmdline, folder: Path) -> list[BadValueError]:
    """Write the files that the parameters ask for; return what is wrong with the others."""
    errors = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, text, error in _contents(cmdline):
        if text is not None:
            write_atomically(folder / name, text.encode())
        if error:
            errors.append(error)
    return errors


def problems(cmdline: Cmdline) -> list[BadValueError]:
    """Return what is wrong with these parameters, and write nothing."""
    return [error for _, _, error in _contents(cmdline) if error]


def _contents(cmdline: Cmdline) -> Iterator[tuple[str, str | None, BadValueError | None]]:
    """Yield each file's name, its text if it is to be written, and what is wrong with it."""
    for name, content in FILES.items():
        try:
            text, error = content(cmdline), None
        except BadValueError as found:
            text, error = found.instead, found
        yield name, text, error


def _host(name: str, value: str) -> str:
    """Check a host name or address; nothing else may get into a service's configuration."""
    bare = out_of_url(value)
    if not is_host(bare):
        raise BadValueError(name, "neither a host name nor an address")
    return bare


def main(arguments: Sequence[str]) -> int:
    """Run the program; argparse would cost a third of its time."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if len(arguments) % 2 or not {"--output"} <= set(options) <= {"--output", "--cmdline"}:
        sys.stderr.write("usage: settings [--cmdline FILE] --output DIR\n")
        return _BAD_VALUE
    cmdline = Cmdline.read(Path(options.get("--cmdline", PROC_CMDLINE)))
    errors = write(cmdline, Path(options["--output"]))
    for error in errors:
        sys.stderr.write(f"settings: {error}\n")
    return _BAD_VALUE if errors else _DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
