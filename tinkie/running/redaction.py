"""Takes secrets out of whatever is about to be shown: log, console, state, dry run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from tinkie.parameters.table import TABLE
from tinkie.policy import CUT_TEXT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from tinkie.parameters.cmdline import Cmdline

    Event = MutableMapping[str, Any]

MASK = "********"

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s]+(?=@)")  # a password may hold an @ itself
_SECRET_NAMES = ("password", "secret", "token")
_SHORTEST_PART = 4  # of base64, or of a secret that was cut; shorter ones may be anything
_CUT = "…"  # what a shortened text ends with, ours and that of others
_CUTS = 8  # so many in one text are looked at
_GENERATIONS = 4  # of passwords that one source has had: containers and files may have older ones
_GO_IN_USERINFO = "$&+,;="  # what net/url does not escape there
_GO_ESCAPES_IN_JSON = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
# Our own words, which a secret may be too: masked, they would not be recognised any more.
_WORDS = frozenset({"event", "kind", "level", "phase", "program", "time"})


@dataclass(slots=True)
class Redactor:
    """Masks secrets in what is about to be shown: given ones, and credentials in URLs."""

    _forms: list[str] = field(default_factory=list, repr=False)  # the longest first
    _by_start: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _fixed: set[str] = field(default_factory=set, repr=False)
    _renewed: dict[str, list[set[str]]] = field(default_factory=dict, repr=False)

    def hide(self, *secrets: str | None) -> None:
        """Mask these strings from now on, also escaped or in base64."""
        self._fixed |= _forms_of_all(secrets)
        self._arrange()

    def renew(self, source: str, secrets: Iterable[str]) -> None:
        """Mask these strings, which a source has now, and the last ones that it had before.

        All that it ever had would make each line slower, for months.
        """
        forms = _forms_of_all(secrets)
        had = self._renewed.setdefault(source, [])
        if forms not in had[-1:]:
            had.append(forms)
        del had[:-_GENERATIONS]
        self._arrange()

    def _arrange(self) -> None:
        forms = self._fixed.union(*(one for had in self._renewed.values() for one in had))
        self._forms = sorted(forms, key=len, reverse=True)
        self._by_start = {}
        for form in self._forms:
            self._by_start.setdefault(form[:_SHORTEST_PART], []).append(form)

    def reset(self) -> None:
        """Forget all given secrets."""
        self._forms, self._by_start, self._fixed, self._renewed = [], {}, set(), {}

    @property
    def _longest(self) -> int:
        return len(self._forms[0])

    def text(self, text: str) -> str:
        """Return `text` with every secret masked, also one whose end was cut off."""
        for form in self._forms:
            text = text.replace(form, MASK)
        text = _CREDENTIALS_IN_URL.sub(MASK, text)
        if not self._forms or (_CUT not in text and len(text) < CUT_TEXT_CHARACTERS):
            return text
        *cut, last = text.split(_CUT, _CUTS)
        cut = [self._without_cut_secret(part) for part in cut]
        if len(last) >= CUT_TEXT_CHARACTERS:
            last = self._without_cut_secret(last)
        return _CUT.join((*cut, last))

    def _without_cut_secret(self, text: str) -> str:
        """Mask what the text ends with, if a secret begins with that."""
        for start in range(max(len(text) - self._longest, 0), len(text) - _SHORTEST_PART + 1):
            part = text[start:]
            if any(form.startswith(part) for form in self._by_start.get(part[:_SHORTEST_PART], ())):
                return text[:start] + MASK
        return text

    def value(self, value: object) -> object:
        """Return a copy of a value, mappings and sequences inside out, with every secret masked."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {
                    key: MASK if _is_secret(key, item) else self.value(item)
                    for key, item in value.items()
                }
            case list() | tuple():
                return [self.value(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return self.text(str(value))

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Mask one log event (a structlog processor)."""
        return {
            key: item if key in _WORDS else MASK if _is_secret(key, item) else self.value(item)
            for key, item in event.items()
        }


REDACTOR = Redactor()
"""The one of this process, for log, console, state and dry run."""


def secrets_in(cmdline: Cmdline) -> tuple[str, ...]:
    """Return every secret of the kernel's command line, also those that nobody uses."""
    secrets = [
        secret
        for parameter in TABLE
        if parameter.secrets
        for name in (parameter.name, *parameter.also)
        for text in cmdline.get_all(name)
        for secret in parameter.secrets(text)
    ]
    # Behind a quote that is not closed, a password is part of another parameter's value.
    swallowed = cmdline.get(cmdline.open_quote) if cmdline.open_quote else None
    return (*secrets, *filter(None, [swallowed]))


def _is_secret(key: object, value: object) -> bool:
    return isinstance(value, str) and any(name in str(key).lower() for name in _SECRET_NAMES)


def _forms_of_all(secrets: Iterable[str | None]) -> set[str]:
    return {form for secret in secrets if secret for form in _forms_of(secret)}


def _forms_of(secret: str) -> set[str]:
    """Return the secret and how it looks escaped, once or twice, and, at any offset, in base64."""
    once = set(_escaped(secret))
    plain = once.union(*map(_escaped, once))
    encoded = (_base64_forms(form.encode(errors="surrogateescape")) for form in plain)
    # Stars are what a mask is made of: each mask would be masked again.
    return {form for form in plain.union(*encoded) if form.strip("*")}


def _escaped(secret: str) -> Iterable[str]:
    """Yield the secret as it is, and as URLs, JSON and messages of Python and Go have it."""
    raw = secret.encode(errors="surrogateescape")  # a command line may hold any byte
    in_urls = [quote_plus(raw), *(quote(raw, safe=safe) for safe in ("", "/", _GO_IN_USERINFO))]
    in_json = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    yield secret
    yield from in_urls
    yield from (re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url) for url in in_urls)
    yield from in_json
    yield from (text.translate(_GO_ESCAPES_IN_JSON) for text in in_json)
    yield repr(secret)[1:-1]


def _base64_forms(secret: bytes) -> set[str]:
    """Return what the secret becomes in base64, and surely with 1 or 2 bytes in front of it."""
    import base64  # noqa: PLC0415 - only if there is a secret

    whole = base64.b64encode(secret).decode()
    forms = {whole} if secret else set()
    for before in range(3):
        padded = base64.b64encode(bytes(before) + secret).decode()
        first = -(-before * 8 // 6)
        last = (before + len(secret)) * 8 // 6
        forms.add(padded[first:last])
    url_safe = {form.replace("+", "-").replace("/", "_") for form in forms}
    return {form for form in forms | url_safe if len(form) >= _SHORTEST_PART}
