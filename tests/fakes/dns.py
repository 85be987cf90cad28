"""Answers of name servers."""

from __future__ import annotations

import struct
from ipaddress import ip_address


def answered(question: bytes, said: list[str] | int) -> bytes:
    """Return the answer to a question: addresses, none of them, or a response code."""
    code = said if isinstance(said, int) else (0 if said else 3)
    addresses = [] if isinstance(said, int) else [ip_address(one) for one in said]
    records = b"".join(
        b"\xc0\x0c"
        + struct.pack("!2HIH", 1 if one.version == 4 else 28, 1, 60, len(one.packed))
        + one.packed
        for one in addresses
    )
    counts = struct.pack("!4H", 1, len(addresses), 0, 0)
    return question[:2] + struct.pack("!H", 0x8180 | code) + counts + question[12:] + records
