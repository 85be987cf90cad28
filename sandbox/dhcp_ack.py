"""The DHCPACK that a machine gets, as it passes the bridge."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.network import BRIDGE, Namespace

_EVERY_PROTOCOL = 0x0003  # ETH_P_ALL: others show no packets that this host sends
_UDP = 17
_SERVER_PORT = 67
_REPLY = 2
_COOKIE = b"\x63\x82\x53\x63"
_OPTIONS = 240  # where a DHCP message's options begin
_PAD, _MESSAGE_TYPE, _END = 0, 53, 255
_ACK = b"\x05"
_MOST_BYTES = 2048


@dataclass(frozen=True)
class AckListener:
    """Listens to a bridge for the DHCPACK of one machine."""

    port: socket.socket
    mac: str

    def heard(self) -> bool:
        """Return whether a DHCPACK has passed since the last call."""
        while True:
            try:
                packet = self.port.recv(_MOST_BYTES)
            except BlockingIOError:
                return False
            if is_ack(packet, self.mac):
                return True


@contextmanager
def ack_listener(network: Namespace, mac: str) -> Iterator[AckListener]:
    """Listen to the sandbox's bridge until the end of the with block."""
    with network.inside():
        # A datagram socket: its packets begin with the IP header.
        port = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    with port:
        port.bind((BRIDGE, _EVERY_PROTOCOL))
        port.settimeout(0)
        yield AckListener(port, mac)


def is_ack(packet: bytes, mac: str) -> bool:
    """Return whether an IP packet is a DHCPACK for this MAC address; no I/O."""
    if len(packet) < 1 or packet[0] >> 4 != 4:  # noqa: PLR2004 - IPv4
        return False
    header = (packet[0] & 0x0F) * 4
    message = packet[header + 8 :]
    if packet[9:10] != bytes([_UDP]) or len(message) < _OPTIONS:
        return False
    (source,) = struct.unpack_from("!H", packet, header)
    is_reply = source == _SERVER_PORT and message[0] == _REPLY
    is_ours = message[28:34] == bytes.fromhex(mac.replace(":", ""))
    is_dhcp = message[_OPTIONS - 4 : _OPTIONS] == _COOKIE
    return is_reply and is_ours and is_dhcp and _message_type(message[_OPTIONS:]) == _ACK


def _message_type(options: bytes) -> bytes:
    at = 0
    while at + 1 < len(options) and options[at] != _END:
        if options[at] == _PAD:
            at += 1
            continue
        value = options[at + 2 : at + 2 + options[at + 1]]
        if options[at] == _MESSAGE_TYPE:
            return value
        at += 2 + options[at + 1]
    return b""
