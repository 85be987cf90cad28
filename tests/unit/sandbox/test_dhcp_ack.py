from __future__ import annotations

import struct

import pytest

from sandbox.dhcp_ack import is_ack

MAC = "52:54:00:00:00:01"
ACK, OFFER = 5, 2


def packet(kind: int = ACK, mac: str = MAC, source: int = 67, ip_options: bytes = b"") -> bytes:
    """Return what a DHCP server sends to a machine, from the IP header on."""
    options = bytes([0, 54, 4, 172, 30, 0, 1, 53, 1, kind, 255])
    hardware = bytes.fromhex(mac.replace(":", "")).ljust(208, b"\0")
    message = b"\2\1\6\0" + bytes(24) + hardware + b"\x63\x82\x53\x63" + options
    udp = struct.pack("!HHHH", source, 68, 8 + len(message), 0) + message
    header = bytes([0x45 + len(ip_options) // 4]) + bytes(8) + bytes([17]) + bytes(10)
    return header + ip_options + udp


@pytest.mark.parametrize("ip_options", [b"", bytes(4)])
def test_an_ack_for_this_machine_is_one(ip_options: bytes) -> None:
    assert is_ack(packet(ip_options=ip_options), MAC)


@pytest.mark.parametrize(
    "other",
    [
        packet(OFFER),
        packet(mac="52:54:00:00:00:02"),
        packet(source=68),
        packet()[:-6],  # the message type is cut off
        packet()[:100],
        b"\x60" + packet()[1:],  # IPv6
        b"",
    ],
)
def test_nothing_else_is_one(other: bytes) -> None:
    assert not is_ack(other, MAC)
