"""Questions to name servers and their answers, as bytes (RFC 1035): addresses of names, no more.

A resolver asks by whichever NIC the routes prefer. Here each NIC's own servers are asked through
that NIC, so the socket must be ours, and a library for all of DNS would take more memory than the
rest of the program.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

A, AAAA = 1, 28

_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!2H")
_RECORD = struct.Struct("!2HIH")
_INTERNET = 1
_RECURSION = 0x0100
_RESPONSE = 0x8000
_OK, _NO_SUCH_NAME = 0, 3  # response codes
_POINTER = 0xC0
_FAMILIES = {A: (socket.AF_INET, 4), AAAA: (socket.AF_INET6, 16)}


class Question(NamedTuple):
    """For the addresses of a name, which is absolute, without a dot at its end."""

    name: str
    kind: int

    def packet(self, identifier: int) -> bytes:
        """Return what is sent to a name server."""
        return _HEADER.pack(identifier, _RECURSION, 1, 0, 0, 0) + self._encoded

    @property
    def _encoded(self) -> bytes:
        labels = [label.encode("ascii") for label in self.name.lower().split(".")]
        name = b"".join(bytes((len(label),)) + label for label in labels)
        return name + b"\0" + _QUESTION.pack(self.kind, _INTERNET)

    def answer(self, packet: bytes, identifier: int) -> list[str] | None:
        """Return the addresses in an answer to this question, none if the name has none.

        None: it is no answer to it.

        Raises:
            ValueError: the server could not say.
        """
        try:
            number, flags, questions, answers, _, _ = _HEADER.unpack_from(packet)
            echoed = packet[_HEADER.size : _HEADER.size + len(self._encoded)].lower()
            if (number, questions, flags & _RESPONSE) != (identifier, 1, _RESPONSE):
                return None
            if echoed != self._encoded.lower():
                return None
            if flags & 0xF not in (_OK, _NO_SUCH_NAME):
                raise ValueError("the server could not say")
            return self._addresses(packet, _HEADER.size + len(echoed), answers)
        except (struct.error, IndexError):
            return None

    def _addresses(self, packet: bytes, at: int, answers: int) -> list[str]:
        """Aliases stand in front of the addresses; their names do not matter."""
        family, size = _FAMILIES[self.kind]
        found = []
        for _ in range(answers):
            at = _behind_name(packet, at)
            kind, where, _, length = _RECORD.unpack_from(packet, at)
            at += _RECORD.size
            data = packet[at : at + length]
            if (kind, where, len(data)) == (self.kind, _INTERNET, size):
                found.append(socket.inet_ntop(family, data))
            at += length
        return found


def _behind_name(packet: bytes, at: int) -> int:
    """Return where a name ends: at a pointer, or at an empty label."""
    while packet[at]:
        if packet[at] >= _POINTER:
            return at + 2
        at += 1 + packet[at]
    return at + 1
