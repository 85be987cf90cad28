"""A switch's end of a bond: the link aggregation control protocol (IEEE 802.1AX, 6.4.2).

Run as a program of its own: lacp.py TAP... Standard library only. All taps are ports of one
aggregate. A port says that it is in sync, and repeats what the machine's port says of itself.
"""

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.network import Namespace
from sandbox.processes import Program, running

SYSTEM = "02:00:00:00:99:01"
_SYSTEM = bytes.fromhex(SYSTEM.replace(":", ""))
_SLOW_PROTOCOLS = 0x8809
_GROUP = bytes.fromhex("0180c2000002")
_KEY, _PRIORITY = 1, 255
_STATE = 0x3F  # active, short time-out, aggregation, in sync, collecting, distributing
_SECONDS = 1.0
_ACTOR = slice(18, 36)  # of a frame: what its sender says of itself
_NOBODY = bytes(18)


def frame(port: int, partner: bytes) -> bytes:
    """Return what a port sends; partner: what the machine's port says of itself."""
    actor = struct.pack("!H6sHHHB3x", _PRIORITY, _SYSTEM, _KEY, _PRIORITY, port, _STATE)
    head = _GROUP + _SYSTEM[:5] + bytes([port]) + struct.pack("!HBB", _SLOW_PROTOCOLS, 1, 1)
    collector = struct.pack("!BBH12x", 3, 16, 0)
    return head + b"\x01\x14" + actor + b"\x02\x14" + partner + collector + bytes(52)


def main(*taps: str) -> None:
    """Speak on all taps until the process ends."""
    ports = {}
    for tap in taps:
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_SLOW_PROTOCOLS))
        port.bind((tap, _SLOW_PROTOCOLS))
        ports[port] = _NOBODY
    due = 0.0
    while True:
        ready, _, _ = select.select(list(ports), [], [], max(due - time.monotonic(), 0))
        for port in ready:
            received = port.recv(2048)
            if received[:6] == _GROUP and received[6:11] != _SYSTEM[:5]:
                ports[port] = received[_ACTOR]
        if time.monotonic() >= due:
            due = time.monotonic() + _SECONDS
            for number, (port, partner) in enumerate(ports.items(), start=1):
                port.send(frame(number, partner))


@contextmanager
def partner(folder: Path, network: Namespace, taps: Sequence[str]) -> Iterator[Program]:
    """Be the other end of a machine's bond on these taps until the end of the with block."""
    command = [sys.executable, "-m", "sandbox.lacp", *taps]
    with running("lacp", command, log=folder / "lacp.log", network=network) as program:
        yield program


if __name__ == "__main__":
    main(*sys.argv[1:])
