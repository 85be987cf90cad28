"""The URL of a proxy, and the secrets in this and other URLs."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from tinkie.parameters.types import HostPort, encoded_user_info, percent_encoded

_SCHEMES = ("http", "https", "socks5")
_BAD = f"not the URL of a proxy: [{'|'.join(_SCHEMES)}://][user:password@]host[:port]"
_ANY_PORT = 1  # each scheme has its own default
_SHORTEST_SECRET = 6
_TOKEN = re.compile("auth|cred|key|pass|secret|sig|token", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


class ProxyUrl(str):
    """The URL of a proxy: a scheme, user and password percent-encoded, host and port.

    Go takes a URL with a bare `%`, a backslash or a blank in its user information for malformed,
    and then the scheme for the proxy's host.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> ProxyUrl:
        """Take a URL whose `http://` may be missing, with any character in its password.

        The last `@` ends the user information. What is percent-encoded already stays so.
        """
        if not text.isprintable():
            raise ValueError(_BAD)
        scheme, rest = _split_scheme(text)
        users, at, host = rest.rpartition("@")
        host = re.split("[/?#]", host, maxsplit=1)[0]
        try:
            HostPort.parse(host, default_port=_ANY_PORT)
        except ValueError:
            raise ValueError(_BAD) from None
        if scheme not in _SCHEMES:
            raise ValueError(_BAD)
        return cls(f"{scheme}://{encoded_user_info(users)}{at}{host}")


def _split_scheme(text: str) -> tuple[str, str]:
    found = _SCHEME.match(text)
    return (found[1].lower(), text[found.end() :]) if found else ("http", text)


def credentials_in(text: str) -> tuple[str, ...]:
    """Return the passwords in a proxy's URL, malformed or not: as written, encoded, decoded."""
    passwords = [user.partition(":")[2] or user for user in _users(text)]
    return tuple(
        filter(None, (*passwords, *map(percent_encoded, passwords), *map(unquote, passwords)))
    )


def secrets_in_url(text: str) -> tuple[str, ...]:
    """Return user name, password, and what is a token by its name in the query of a URL.

    Short ones are left out, since they are parts of many words. What stands as `user:password@` in
    a URL is masked anyway. Other values of a query are ordinary words, or the worker's id.
    """
    user = _users(text)[0].partition(":")[0]
    query = text.partition("#")[0].partition("?")[2]
    pairs = [pair.partition("=") for pair in query.split("&")]
    values = [value or name for name, _, value in pairs if not value or _TOKEN.search(name)]
    found = (*credentials_in(text), user, *values)
    decoded = (*map(unquote, found), *map(unquote_plus, found))
    return tuple(one for one in (*found, *decoded) if len(one) >= _SHORTEST_SECRET)


def _users(url: str) -> list[str]:
    """Return what may be user:password: up to the last `@` of the host's part, and of it all."""
    _, rest = _split_scheme(url)
    return [part.rpartition("@")[0] for part in (re.split("[/?#]", rest, maxsplit=1)[0], rest)]
