"""The secrets in URLs: user information and queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from tinkie.parameters.types import percent_encoded, split_scheme, with_percents_encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST_SECRET = 6
_TOKEN = re.compile("auth|cred|key|pass|secret|sig|token", re.IGNORECASE)


def credentials_in(text: str) -> tuple[str, ...]:
    """Return the password in a proxy's URL, malformed or not: as written, encoded, decoded.

    As `ProxyUrl` reads it: any other reading gives a part of it, which may be one letter.
    """
    return _passwords(split_scheme(text)[1].rpartition("@")[0])


def secrets_in_url(text: str) -> tuple[str, ...]:
    """Return user name, password, and the secrets in the query of a URL.

    Short ones are left out, since they are parts of many words. What stands as `user:password@` in
    a URL is masked anyway.
    """
    users = _users(text)
    written = (*_passwords(*users), users[0].partition(":")[0], *_secrets_in_query(text))
    found = (form for one in written for form in _forms(one))
    return tuple(one for one in found if len(one) >= _SHORTEST_SECRET)


def _passwords(*users: str) -> tuple[str, ...]:
    found = [user.partition(":")[2] or user for user in users]
    return tuple(filter(None, (*found, *map(percent_encoded, found), *map(unquote, found))))


def _secrets_in_query(url: str) -> Iterator[str]:
    """Yield each pair, and the value or word that is a token by its name or has none.

    Other values are ordinary words or the worker's id, which stay readable elsewhere: so only the
    whole `name=value` is a secret. That holds for `name=`, too: it may be a token in base64. The
    whole query is one if a pair is too short to be.
    """
    query = url.partition("?")[2]
    pairs = re.split("[&#]", query)  # a token may hold a # that should have been encoded
    for pair in pairs:
        name, _, value = pair.partition("=")
        yield pair
        if _TOKEN.search(name):
            yield value
    if any(len(pair) < _SHORTEST_SECRET for pair in pairs):
        yield query


def _forms(text: str) -> tuple[str, ...]:
    """Return it as written, decoded, and as our own URLs have it."""
    encoded = with_percents_encoded(text)
    ours = (encoded, encoded.rstrip("/"))  # a path may be appended
    return (text, *ours, unquote(text), unquote_plus(text))


def _users(url: str) -> list[str]:
    """Return what may be user:password: up to the last `@` of the host's part, and of it all."""
    _, rest = split_scheme(url)
    return [part.rpartition("@")[0] for part in (re.split("[/?#]", rest, maxsplit=1)[0], rest)]
