"""Takes secrets out of whatever is about to be shown: log, console, state, dry run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from tinkie.parameters.table import TABLE

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tinkie.parameters.cmdline import Cmdline

    Event = MutableMapping[str, Any]

MASK = "********"

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/\s]+(?=@)")  # a password may hold an @ itself
_SECRET_NAMES = ("password", "secret", "token")
_SHORTEST_BASE64_FORM = 4


@dataclass(slots=True)
class Redactor:
    """Masks secrets in what is about to be shown: given ones, and credentials in URLs."""

    _forms: list[str] = field(default_factory=list, repr=False)

    def hide(self, *secrets: str | None) -> None:
        """Mask these strings from now on, also when they are base64 or URL-encoded."""
        forms = {form for secret in secrets if secret for form in _forms_of(secret)}
        self._forms = sorted(forms.union(self._forms), key=len, reverse=True)

    def reset(self) -> None:
        """Forget all given secrets."""
        self._forms = []

    def text(self, text: str) -> str:
        """Return `text` with every secret masked."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return _CREDENTIALS_IN_URL.sub(MASK, text)

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
            key: MASK if _is_secret(key, item) else self.value(item) for key, item in event.items()
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


def _forms_of(secret: str) -> set[str]:
    """Return the secret and how it looks in a URL, in JSON and, at any offset, in base64."""
    raw = secret.encode(errors="surrogateescape")  # a command line may hold any byte
    plain = {secret, quote(raw, safe=""), quote_plus(raw), json.dumps(secret)[1:-1]}
    encoded = (_base64_forms(form.encode(errors="surrogateescape")) for form in plain)
    # Stars are what a mask is made of: each mask would be masked again.
    return {form for form in plain.union(*encoded) if form.strip("*")}


def _base64_forms(secret: bytes) -> set[str]:
    """Return what the secret surely becomes in base64 with 0, 1 or 2 bytes in front of it."""
    import base64  # noqa: PLC0415 - only if there is a secret

    forms = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret).decode()
        first = -(-before * 8 // 6)
        last = (before + len(secret)) * 8 // 6
        forms |= {whole[first:last], whole[first:last].replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= _SHORTEST_BASE64_FORM}
