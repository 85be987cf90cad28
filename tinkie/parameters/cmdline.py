"""The kernel's command line, split as the kernel splits it.

Source of the rules: `next_arg()` and `parse_args()` in the kernel's lib/cmdline.c and
kernel/params.c.

- Words are separated by white space; a double quote anywhere switches separation off until the
  next one.
- The first `=` that is not the word's first character separates name and value.
- One pair of quotes around a word or around a value is dropped; quotes elsewhere stay.
- A bare `--` ends the parameters: what follows belongs to init.

Two things are not copied: names are compared as they are written (the kernel takes `-` for `_`),
and only ASCII white space separates words.

This module imports nothing but a few cheap parts of the standard library, since the settings of the
system's services are read with it early in the boot.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

PROC_CMDLINE = Path("/proc/cmdline")
KEPT_BYTES = 2047  # COMMAND_LINE_SIZE of x86 and arm64 is 2048, and a zero takes one

_WHITE_SPACE = " \t\n\v\f\r"
_END_OF_PARAMETERS = ("--", None)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cmdline:
    """The parameters in their order: (name, value); the value of a bare word is None."""

    words: tuple[tuple[str, str | None], ...] = ()
    size: int = field(default=0, compare=False)  # of the file, in bytes
    open_quote: str | None = field(
        default=None, compare=False
    )  # the name whose quotes do not close

    @classmethod
    def parse(cls, text: str) -> Cmdline:
        """Split any text; there is no malformed command line."""
        words: list[tuple[str, str | None]] = []
        rest = text.split("\0", 1)[0].lstrip(_WHITE_SPACE)
        open_quote = None
        while rest:
            word, rest, is_open = _next_word(rest)
            if word == _END_OF_PARAMETERS:
                break
            words.append(word)
            open_quote = word[0] if is_open else None
        return cls(tuple(words), open_quote=open_quote)

    @classmethod
    def read(cls, path: Path = PROC_CMDLINE) -> Cmdline:
        """Read a file such as /proc/cmdline.

        Bytes that are no UTF-8 are kept as surrogates: the words around them stay what they are,
        and whoever reads the value can see that it is none.

        Raises:
            OSError: the file cannot be read.
        """
        data = path.read_bytes().removesuffix(b"\n")
        cmdline = cls.parse(data.decode(errors="surrogateescape"))
        return replace(cmdline, size=len(data))

    @property
    def truncated(self) -> str | None:
        """Return a message if the line is as long as the kernel lets one be."""
        if self.size < KEPT_BYTES:
            return None
        sizes = f"the command line has {self.size} characters, and the kernel keeps {KEPT_BYTES}"
        return f"{sizes}: the last parameters may be missing"

    @property
    def unclosed_quote(self) -> str | None:
        """Return a message if a double quote is not closed, which makes all behind it one value."""
        if self.open_quote is None:
            return None
        return "a double quote is not closed: all that follows it is part of this value"

    def get(self, name: str) -> str | None:
        """Return the last value given to `name`, or None if there is none or the last one is empty.

        A bare word has no value and changes none; `name=` removes an earlier value.
        """
        values = self._all(name)
        return (values[-1] or None) if values else None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value given to `name` that is not empty, in order."""
        return tuple(value for value in self._all(name) if value)

    def values(self) -> dict[str, str]:
        """Return what `get` returns, for every name that has a value."""
        last = {name: value for name, value in self.words if value is not None}
        return {name: value for name, value in last.items() if value}

    def _all(self, name: str) -> list[str]:
        return [value for key, value in self.words if key == name and value is not None]


def _next_word(text: str) -> tuple[tuple[str, str | None], str, bool]:
    """Take one word off the front of `text`, which does not start with white space.

    Returns also the rest, and whether a quote in the word is not closed.
    """
    quoted = text.startswith('"')
    body = text[1:] if quoted else text
    end, is_open = _end_of_word(body, in_quotes=quoted)
    word, rest = body[:end], body[end:].lstrip(_WHITE_SPACE)
    equals = word.find("=", 1)
    if equals < 0:
        return (_without_last_quote(word) if quoted else word, None), rest, is_open
    name, value = word[:equals], word[equals + 1 :]
    if value.startswith('"'):
        value = _without_last_quote(value[1:])
    elif quoted:
        value = _without_last_quote(value)
    return (name, value), rest, is_open


def _end_of_word(text: str, *, in_quotes: bool) -> tuple[int, bool]:
    for index, character in enumerate(text):
        if character == '"':
            in_quotes = not in_quotes
        elif character in _WHITE_SPACE and not in_quotes:
            return index, False
    return len(text), in_quotes


def _without_last_quote(text: str) -> str:
    return text.removesuffix('"')
