"""ICMP echo requests and their answers, as bytes (RFC 792, RFC 4443)."""

from __future__ import annotations

import struct

_HEADER = struct.Struct("!BBHHH")
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_HEADERS = (4,)  # the versions whose raw sockets receive the header of IP, too
_TEXT = b"Tinkie: is this the right NIC?"


def request(version: int, identifier: int, number: int) -> bytes:
    """Return an echo request of this version of IP; the kernel fills in the sum of version 6."""
    kind = _REQUEST[version]
    checksum = _checksum(_HEADER.pack(kind, 0, 0, identifier, number) + _TEXT)
    return _HEADER.pack(kind, 0, checksum if version in _HEADERS else 0, identifier, number) + _TEXT


def is_reply(version: int, packet: bytes, identifier: int, number: int) -> bool:
    """Return whether a raw socket has received the answer to this request."""
    start = 4 * (packet[0] & 0xF) if packet and version in _HEADERS else 0
    header = packet[start : start + _HEADER.size]
    if len(header) < _HEADER.size:
        return False
    kind, _, _, *found = _HEADER.unpack(header)
    return kind == _REPLY[version] and found == [identifier, number]


def _checksum(packet: bytes) -> int:
    """Return the sum of RFC 1071; the packet has an even number of bytes."""
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)
