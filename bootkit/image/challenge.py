"""The challenges of a registry that requires user and password: its WWW-Authenticate headers.

Sources: RFC 9110, 11.6.1, and what dockerd does (distribution's `registry/client/auth`). dockerd
reads one challenge of each header, the last value of a name, and stops where it does not understand
the header. Asked by a registry with several tokens in hand, it may use any of its Bearer
challenges. So nothing that either of the two could understand is left out here.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from bootkit.policy import CHALLENGE_CHARACTERS

if TYPE_CHECKING:
    from tinkie.fetch.fetcher import Answer

BASIC, BEARER = "basic", "bearer"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|({_WORD}))', re.DOTALL)
_SCHEME = re.compile(_WORD)
_SEPARATORS = re.compile(r"[\s,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Challenge(NamedTuple):
    """One challenge: its scheme and the names of its parameters are in lower case."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a parameter: a name that stands twice is read in two ways."""
        return tuple(value for key, value in self.parameters if key == name)

    def get(self, name: str) -> str:
        """Return the value of a parameter, the last one as dockerd does, empty without one."""
        return dict(self.parameters).get(name, "")


def challenges_in(answer: Answer) -> tuple[Challenge, ...]:
    """Return the challenges of a 401 answer; others have none, whatever their headers are."""
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return ()
    return tuple(one for header in answer.challenges for one in _challenges(header))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _challenges(header: str) -> list[Challenge]:
    if len(header) > CHALLENGE_CHARACTERS:
        return [Challenge(BEARER, (("realm", ""),))]  # it is safe for nothing
    found: list[tuple[str, list[tuple[str, str]]]] = []
    at = 0
    while (at := _end(_SEPARATORS, header, at)) < len(header):
        parameter = _PARAMETER.match(header, at) if found else None
        scheme = None if parameter else _SCHEME.match(header, at)
        if parameter:
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1][1].append((name.lower(), value))
            at = parameter.end()
        elif scheme:
            found.append((scheme[0].lower(), []))
            at = scheme.end()
        else:
            at += 1  # not understood: a challenge may follow
    return [Challenge(scheme, tuple(parameters)) for scheme, parameters in found]
