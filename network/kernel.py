"""The kernel's links, addresses and routes, by Debian's iproute2; nothing else starts it.

ADR 18 compares it with a netlink library.
"""

from __future__ import annotations

import errno
import json
import re
import socket
from dataclasses import dataclass

from network.nics import Nic
from network.policy import IP_SECONDS
from network.routes import Route
from tinkie.errors import NONSENSE, TransientError
from tinkie.running.late import loaded_when_used

with loaded_when_used("locale"):  # for programs that print another encoding than ours
    import subprocess

FAMILIES = ("-4", "-6")

# RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR and _IPV6_ROUTE of rtnetlink(7)
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
_PART = 65536

# No route: nothing, or what `ip -details` says of a gateway with a number.
_DETAIL = r"\s*(nh_info\s|$)"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Kernel:
    """All methods raise TransientError with the words of `ip` if it fails."""

    program: str = "/usr/bin/ip"

    def ip(self, *words: str) -> str:
        """Run `ip` with these arguments; return what it printed."""
        what = f"ip {' '.join(words)}"
        try:
            done = subprocess.run(
                [self.program, *words], capture_output=True, timeout=IP_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TransientError(f"{what}: {error}") from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise TransientError(f"{what}: {lines[-1] if lines else done.returncode}")
        return done.stdout.decode(errors="replace")

    def nics(self) -> list[Nic]:
        """Return all interfaces."""
        return read_nics(self.ip("-json", "-details", "address", "show"))

    def routes(self, family: str) -> list[Route]:
        """Return the main table of a family."""
        return read_routes(
            self.ip(family, "-oneline", "-details", "route", "show", "table", "main")
        )


def read_nics(text: str) -> list[Nic]:
    """Return what `ip -json -details address show` printed; TransientError if it is nonsense."""
    try:
        return [Nic.from_kernel(shown) for shown in json.loads(text) if shown]
    except NONSENSE as error:
        raise TransientError(f"ip address show: an unusable answer: {error!r}") from None


def read_routes(text: str) -> list[Route]:
    """Return what `ip -oneline -details route show` printed; TransientError if it is nonsense."""
    try:
        return [Route.parse(line) for line in text.splitlines() if not re.match(_DETAIL, line)]
    except NONSENSE as error:
        raise TransientError(f"ip route show: an unusable answer: {error!r}") from None


class KernelEvents:
    """A socket that is readable when a link, an address or a route has changed.

    What it receives is not read: messages may be lost, and the state is read anew anyway.
    """

    def __init__(self, made: socket.socket) -> None:
        self.socket = made

    @classmethod
    def of_kernel(cls) -> KernelEvents:
        """Return those of this network namespace."""
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        made = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        made.bind((0, _GROUPS))
        return cls(made)

    def drain(self) -> None:
        """Forget what has come."""
        self.socket.settimeout(0.0)
        while True:
            try:
                self.socket.recv(_PART)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # the kernel has dropped some
                    raise
