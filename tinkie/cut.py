"""The beginning of a text, with a sign that there was more.

By that sign the redactor finds half a secret, whatever is put behind it later.
"""

from __future__ import annotations

import codecs

CUT = "…"

_DECODER = codecs.getincrementaldecoder("utf-8")


def cut_text(text: str, characters: int) -> str:
    """Return a text of so many characters at most, the sign included."""
    return text if len(text) <= characters else text[: characters - 1] + CUT


def cut_line(line: bytes, size: int) -> str:
    """Return the text of a line of so many bytes at most, the sign included.

    Of a letter that is cut within nothing is left: half of it would hide half a secret.
    """
    if len(line) <= size:
        return line.decode(errors="replace")
    return _DECODER(errors="replace").decode(line[: size - len(CUT.encode())]) + CUT
