"""Packets of a network: rules of nftables that refuse some, and a syslog server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from release.process import run
from sandbox.network import Network

SYSLOG_PORT = 514


@contextmanager
def refused(nft: list[str], table: str, rule: str) -> Iterator[None]:
    """Refuse packets that come in, until the end of the with block.

    nft: the command, as of nft_in. table: of this rule alone.
    """
    rules = f"""
    add table inet {table}
    add chain inet {table} refused {{ type filter hook input priority 0; }}
    add rule inet {table} refused {rule}
    """
    run("refusing packets", [*nft, "-f", "-"], stdin=rules)
    try:
        yield
    finally:
        run("refusing no packets", [*nft, f"delete table inet {table}"])


def nft_in(network: str) -> list[str]:
    """Return the build host's nft for a network namespace without an engine.

    nft 1.0.6, Debian 12's, crashes when it reads an engine's tables.
    """
    return ["ip", "netns", "exec", network, "nft"]


def syslog(network: Network, address: str, seconds: float) -> socket.socket:
    """Return a socket that receives machines' syslog packets, each within `seconds`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with network.inside():
        port = socket.socket(family, socket.SOCK_DGRAM)
    port.bind((address, SYSLOG_PORT))
    port.settimeout(seconds)
    return port
