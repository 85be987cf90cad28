"""Takes secrets out of whatever is about to be shown: log, console, state, dry run."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from tinkie.cut import CUT
from tinkie.parameters.table import TABLE
from tinkie.policy import (
    CUT_TEXT_CHARACTERS,
    SECRET_HEAD_CHARACTERS,
    SECRET_HEADS_CHARACTERS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, MutableMapping

    from tinkie.parameters.cmdline import Cmdline

    Event = MutableMapping[str, Any]
    _Forms = dict[str, int]  # how a secret may look, and which of _RESTS follows

MASK = "********"

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s]+(?=@)")  # a password may hold an @ itself
_SECRET_NAMES = ("password", "secret", "token")
# Of a secret, cut or not, in any form. A shorter one is a part of many words: masked wherever it
# is, it would make the log unreadable.
_SHORTEST_PART = 4
_GENERATIONS = 2  # of a source's secrets: one that is replaced may be in use for a while
_GO_IN_USERINFO = "$&+,;="  # what net/url does not escape there
_GO_ESCAPES_IN_JSON = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
# What is masked behind the beginning of a secret: nothing, up to the end of a word, or all.
_WORD_END = f"[\\s{CUT}]"
_RESTS = tuple(map(re.compile, ("", f"[^\\s{CUT}]*", "(?s:.*)")))
_NOTHING, _WORD, _ALL = range(len(_RESTS))
_NOWHERE = re.compile("(?!)")
# Our own words, which a secret may be too: masked, they would not be recognised any more.
_WORDS = frozenset({"event", "kind", "level", "phase", "program", "time"})


@dataclass(slots=True, eq=False, repr=False)
class Redactor:
    """Masks secrets in what is about to be shown: given ones, and credentials in URLs."""

    _fixed: dict[str, _Forms] = field(default_factory=dict, repr=False)  # by secret
    _renewed: dict[str, list[dict[str, _Forms]]] = field(default_factory=dict, repr=False)
    _forms: _Forms = field(default_factory=dict, repr=False)
    _by_start: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _starts: re.Pattern[str] = field(default=_NOWHERE, repr=False)  # matches each of them

    def hide(self, *secrets: str | None) -> None:
        """Mask these strings from now on, also escaped or in base64."""
        new = {one: _forms_of(one) for one in secrets if one and one not in self._fixed}
        if new:
            self._fixed |= new
            self._arrange()

    def renew(self, source: str, secrets: Iterable[str]) -> None:
        """Mask these strings, which a source has now, and the last ones that it had before.

        All that it ever had would take more and more memory, for months. The more there are now,
        the less of each is compared.
        """
        had = self._renewed.setdefault(source, [])
        now = set(filter(None, secrets))
        if had and had[-1].keys() == now:
            return
        known = {secret: forms for one in had for secret, forms in one.items()}
        size = min(SECRET_HEAD_CHARACTERS, SECRET_HEADS_CHARACTERS // (len(now) or 1))
        had.append({secret: known.get(secret) or _forms_of(secret, size) for secret in now})
        del had[:-_GENERATIONS]
        self._arrange()

    def _arrange(self) -> None:
        renewed = (one for had in self._renewed.values() for one in had)
        self._forms, self._by_start = {}, {}
        for forms in (forms for one in (self._fixed, *renewed) for forms in one.values()):
            for form, rest in forms.items():
                self._forms[form] = max(rest, self._forms.get(form, rest))
        for form in self._forms:
            self._by_start.setdefault(form[:_SHORTEST_PART], []).append(form)
        self._starts = _pattern_of(self._by_start)

    def reset(self) -> None:
        """Forget all given secrets."""
        self._fixed, self._renewed = {}, {}
        self._arrange()

    def text(self, text: str) -> str:
        """Return `text` with every secret masked, also one whose end was cut off."""
        shown, end = [], 0
        in_urls = (found.span() for found in _CREDENTIALS_IN_URL.finditer(text))
        for start, stop in sorted((*self._places(text), *in_urls)):
            if start >= end:
                shown += [text[end:start], MASK]
            end = max(end, stop)
        # Behind a masked password that has a slash, the user name is found now.
        return _CREDENTIALS_IN_URL.sub(MASK, "".join((*shown, text[end:])))

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the secrets begin and end.

        One pass, whatever the number of secrets and of cuts: a server may send any text.
        """
        cut, last_cut = -1, len(text) if len(text) >= CUT_TEXT_CHARACTERS else sys.maxsize
        for at in (found.start() for found in self._starts.finditer(text)):
            if cut < at + _SHORTEST_PART:
                cut = text.find(CUT, at + _SHORTEST_PART)
                cut = last_cut if cut < 0 else cut
            for form in self._by_start.get(text[at : at + _SHORTEST_PART], ()):
                if end := self._end(form, text, at, cut):
                    yield at, end

    def _end(self, form: str, text: str, at: int, cut: int) -> int:
        """Return where a secret that begins here ends, 0 if there is none."""
        if text.startswith(form, at):
            rest = _RESTS[self._forms[form]].match(text, at + len(form))
            return rest.end() if rest else 0
        return cut if cut - at < len(form) and form.startswith(text[at:cut]) else 0

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


def _pattern_of(starts: Collection[str]) -> re.Pattern[str]:
    """Return what matches where a text may have one of them, without taking any of the text.

    They are equally long.
    """
    classes = [
        f"[{''.join(map(re.escape, sorted(set(column))))}]" for column in zip(*starts, strict=True)
    ]
    return re.compile(f"(?={''.join(classes)})") if starts else _NOWHERE


def _is_secret(key: object, value: object) -> bool:
    return isinstance(value, str) and any(name in str(key).lower() for name in _SECRET_NAMES)


def _forms_of(secret: str, size: int = SECRET_HEAD_CHARACTERS) -> _Forms:
    """Return the secret and how it looks escaped, once or twice, and, at any offset, in base64.

    Of a longer one than size, its beginning.
    """
    head = secret[:size]
    once = set(_escaped(head))
    plain = once.union(*map(_escaped, once))
    encoded = (_base64_forms(_raw(form)) for form in plain)
    rest = _NOTHING if head == secret else _ALL if re.search(_WORD_END, secret) else _WORD
    # Stars are what a mask is made of: each mask would be masked again.
    found = (form for form in plain.union(*encoded) if len(form) >= _SHORTEST_PART)
    return {form: rest for form in found if form.strip("*")}


def _escaped(secret: str) -> Iterable[str]:
    """Yield the secret as it is, and as URLs, JSON and messages of Python and Go have it."""
    raw = _raw(secret)
    in_urls = [quote_plus(raw), *(quote(raw, safe=safe) for safe in ("", "/", _GO_IN_USERINFO))]
    in_json = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    yield secret
    yield from in_urls
    yield from (re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url) for url in in_urls)
    yield from in_json
    yield from (text.translate(_GO_ESCAPES_IN_JSON) for text in in_json)
    yield repr(secret)[1:-1]
    yield repr(f"{secret}\"'")[1:-4]  # an apostrophe is escaped if a double quote follows anywhere


def _raw(text: str) -> bytes:
    """Return the bytes of any text: of a command line, which may hold any, and of JSON."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


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
    return forms | url_safe
