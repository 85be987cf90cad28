"""The URL of a proxy."""

from __future__ import annotations

import re

from tinkie.parameters.types import HostPort, encoded_user_info, split_scheme

_SCHEMES = ("http", "https", "socks5")
_BAD = f"not the URL of a proxy: [{'|'.join(_SCHEMES)}://][user:password@]host[:port]"
_ANY_PORT = 1  # each scheme has its own default


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
        scheme, rest = split_scheme(text)
        users, at, host = rest.rpartition("@")
        host = re.split("[/?#]", host, maxsplit=1)[0]
        try:
            HostPort.parse(host, default_port=_ANY_PORT)
        except ValueError:
            raise ValueError(_BAD) from None
        if scheme not in _SCHEMES:
            raise ValueError(_BAD)
        return cls(f"{scheme}://{encoded_user_info(users)}{at}{host}")
