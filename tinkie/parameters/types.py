"""The types of values that kernel parameters and URLs hold, each parsed once, at the edge.

`parse` takes a text as somebody wrote it and raises ValueError with a reason for people, which
repeats no part of the text: it may be a secret. No I/O, and only cheap imports: the settings of the
shell services are read with this module early in the boot.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # RFC 1035, 2.3.4
_LONGEST_NAME = 253
_ZONE = r"[A-Za-z0-9._-]{1,15}"  # a NIC's name: IFNAMSIZ is 16
_NIC = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}"
_DIGITS = "[0-9]{1,5}"
_HIGHEST_PORT = 65535
_HIGHEST_VLAN = 4094
_LOWEST_MTU, _HIGHEST_MTU = 576, 65535  # what every host must take (RFC 1122), and the IP header's
_CIDR = r"[0-9.]{7,15}/[0-9]{1,2}"
_SHORTEST_PREFIX, _LONGEST_PREFIX = 8, 29  # 6 hosts: the engine and five containers
# This network, loopback, link-local, multicast (RFC 6890)
_SPECIAL_NETWORKS = tuple(
    map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"))
)
_NO_HOST = "not a host name or an address"
_NO_CONTROL = "control characters and bytes that are not UTF-8 are not allowed"
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_BARE_PERCENT = "%(?![0-9A-Fa-f]{2})"
_PLAIN_IN_USER_INFO = "!$&'()*+,;="  # RFC 3986, 3.2.1
_PORTS = {"http": 80, "https": 443}
_VARIABLE = r"\$\{|\{\{|^<[^<>]*>$"  # of iPXE and shells, of templates, of a document
_GO_BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")

ETHERNET, INFINIBAND = 1, 0x20  # hardware types of ARP, as PXELINUX writes them before an address
ETHERNET_OCTETS = 6
_OCTETS = {ETHERNET: ETHERNET_OCTETS, INFINIBAND: 20}


class Host(str):
    """A host name or an IP address; an IPv6 address has no brackets here."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, zone: bool = False) -> Host:
        """Take a name or an address; an IPv6 address may have brackets.

        zone: it may also have a zone (`fe80::1%eth0`). Python, chrony and busybox take one, Go's
        URLs do not.
        """
        bare = without_brackets(text)
        if ":" in bare:
            return cls(_ipv6(bare, zone=zone))
        name = bare.removesuffix(".")
        labels = name.split(".")
        if len(name) > _LONGEST_NAME or not all(re.fullmatch(_LABEL, one) for one in labels):
            raise ValueError(_NO_HOST)
        if labels[-1].isdigit() and not is_address(name):
            raise ValueError(f"{_NO_HOST} (it looks like half an IPv4 address)")
        return cls(bare)

    @property
    def is_address(self) -> bool:
        """Return whether it is an address, so that nobody has to look it up."""
        return is_address(self)

    @property
    def in_url(self) -> str:
        """Return it as it stands in a URL: an IPv6 address in brackets."""
        return in_url(self)


def _ipv6(text: str, *, zone: bool) -> str:
    address, percent, name = text.partition("%")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise ValueError(_NO_HOST) from None
    if percent and not zone:
        raise ValueError("an IPv6 address with a zone (%) cannot be used here")
    if percent and not re.fullmatch(_ZONE, name):
        raise ValueError("not the name of a NIC behind the % of an IPv6 address")
    return text


def in_url(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else str(host)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, so that nobody has to look it up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def without_brackets(host: str) -> str:
    """Return a host without the brackets that a URL has around an IPv6 address."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") and ":" in host else host


class HostPort(NamedTuple):
    """A host and a TCP or UDP port; `str` gives `host:port`, an IPv6 address in brackets."""

    host: Host
    port: int

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None, zone: bool = False) -> HostPort:
        """Take `host:port`, and a host alone if there is a default port; zone: as Host.parse."""
        if text.count(":") > 1 and not text.startswith("["):
            raise ValueError("not host:port (an IPv6 address stands in brackets)")
        name, colon, port = text.rpartition(":")
        if not colon or text.endswith("]"):
            name, port = text, "" if default_port is None else str(default_port)
        if not port:
            raise ValueError("not host:port")
        return cls(Host.parse(name, zone=zone), parse_port(port))

    def __str__(self) -> str:
        return f"{self.host.in_url}:{self.port}"


class Url(str):
    """An absolute http:// or https:// URL; it may hold user and password.

    It is as it was written, but for what Go's net/url takes for malformed: a bare `%`, and
    characters in the user information that must be percent-encoded there.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Url:
        """Take a URL with a legal host and port."""
        if not text.isprintable() or " " in text:
            raise ValueError("blanks and control characters are not allowed")
        try:
            parts = urlsplit(text)
            hostname = parts.hostname
        except ValueError:  # its message has the password
            raise ValueError("not an http:// or https:// URL") from None
        if parts.scheme not in ("http", "https") or not hostname:
            raise ValueError("not an http:// or https:// URL")
        users, at, host = parts.netloc.rpartition("@")
        HostPort.parse(host, default_port=_PORTS[parts.scheme], zone=True)
        before, _, behind = text.partition(parts.netloc)
        netloc = f"{encoded_user_info(users)}{at}{host}"
        return cls(f"{before}{netloc}{with_percents_encoded(behind)}")

    @classmethod
    def parse_base(cls, text: str) -> Url:
        """Take a URL whose `http://` may be missing."""
        return cls.parse(text if "://" in text else f"http://{text}")

    @property
    def scheme(self) -> str:
        """Return `http` or `https`."""
        return urlsplit(self).scheme

    @property
    def host(self) -> str:
        """Return host[:port] as it was written."""
        return urlsplit(self).netloc.rpartition("@")[2]

    @property
    def endpoint(self) -> HostPort:
        """Return host and port, the scheme's own port if the URL has none."""
        parts = urlsplit(self)
        return HostPort(Host(parts.hostname or ""), parts.port or _PORTS[parts.scheme])


def split_scheme(text: str) -> tuple[str, str]:
    """Return the scheme of a URL in lower case, `http` if it is missing, and what follows `://`."""
    found = re.match(_SCHEME, text)
    return (found[1].lower(), text[found.end() :]) if found else ("http", text)


def encoded_user_info(text: str) -> str:
    """Return the `user:password` of a URL percent-encoded; what is encoded already stays so."""
    user, colon, password = text.partition(":")
    return percent_encoded(user) + colon + percent_encoded(password)


def percent_encoded(text: str) -> str:
    """Return a part of the user information of a URL percent-encoded, where it is not yet.

    It may hold bytes that are not UTF-8: the secrets of malformed URLs are encoded too.
    """
    plain = f"%{_PLAIN_IN_USER_INFO}"
    return quote(with_percents_encoded(text), safe=plain, errors="surrogateescape")


def with_percents_encoded(text: str) -> str:
    """Return a part of a URL with each `%` encoded that encodes nothing."""
    return re.sub(_BARE_PERCENT, "%25", text)


def shown(url: str) -> str:
    """Return the URL without user, password and query, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


class Mac(str):
    """A NIC's hardware address, in lower case with colons: 6 octets, or 20 of InfiniBand."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Mac:
        """Take colons, dashes, dots (`0200.0000.0001`) or nothing in between.

        A hardware type may stand in front, as PXELINUX writes it into BOOTIF: `01-` for Ethernet,
        `20-` for InfiniBand.
        """
        groups = re.split("[:.-]", text.lower())
        kind = _hardware_type(groups)
        digits = "".join(groups[1:] if kind else groups)
        octets = {len(digits) // 2} & ({_OCTETS[kind]} if kind else set(_OCTETS.values()))
        if not octets or not re.fullmatch("([0-9a-f]{2})+", digits) or not _is_grouped(groups):
            raise ValueError("not a hardware address")
        return cls(":".join(re.findall("..", digits)))


def _hardware_type(groups: list[str]) -> int:
    """Return the type in front of the octets, 0 without one."""
    pairs = all(len(group) == 2 for group in groups)  # noqa: PLR2004 - digits of an octet
    with_type = {octets + 1: kind for kind, octets in _OCTETS.items()}
    kind = with_type.get(len(groups), 0) if pairs else 0
    return kind if kind and groups[0] == f"{kind:02x}" else 0


def _is_grouped(groups: list[str]) -> bool:
    """Return whether the digits stand in pairs, in fours, or all together."""
    return len(groups) == 1 or {len(group) for group in groups} in ({2}, {4})


class Secret:
    """A secret text: `repr` and `str` mask it; `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def parse(cls, text: str) -> Secret:
        """Take what HTTP lets a password be (RFC 7617)."""
        return cls(parse_text(text))


class BadElements(ValueError):
    """Some elements of a value are bad; `good` is the value without them, parsed."""

    def __init__(self, reason: str, good: object) -> None:
        super().__init__(reason)
        self.good = good


def elements(text: str) -> list[str]:
    """Split a list at its commas; empty elements are left out."""
    return [part.strip() for part in text.split(",") if part.strip()]


def check_text(text: str, *, free: bool = False) -> None:
    """Raise ValueError for what no value may be: not UTF-8, or a variable that nothing replaced.

    free: it may look like such a variable.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("not UTF-8")
    if not free and re.search(_VARIABLE, text):
        raise ValueError("it has a variable in it that nothing replaced (${…}, {{…}} or <…>)")


def list_of(
    parse: Callable[[str], T],
    *,
    free: bool = False,
    overlap: Callable[[T, T], bool] = lambda _one, _other: False,
) -> Callable[[str], tuple[T, ...]]:
    """Return a parser of lists that judges each element by itself.

    It raises BadElements with the position (from 1) of each bad element and its reason. free: as
    check_text. overlap: of two elements for which it is true, the first is used.
    """

    def parse_list(text: str) -> tuple[T, ...]:
        good: dict[int, T] = {}
        bad: list[str] = []
        for position, part in enumerate(text.split(","), start=1):
            element = part.strip()
            if not element:
                continue
            try:
                check_text(element, free=free)
                value = parse(element)
                if at := next((at for at, one in good.items() if overlap(one, value)), 0):
                    raise ValueError(f"it overlaps element {at}")  # noqa: TRY301 - as bad as others
                good[position] = value
            except ValueError as error:
                bad.append(f"element {position}: {error}")
        if bad:
            others = f"; using the others ({len(good)})" if good else ""
            raise BadElements("; ".join(bad) + others, tuple(good.values()))
        return tuple(good.values())

    return parse_list


def parse_port(text: str) -> int:
    """Return the number of a port."""
    if not re.fullmatch(_DIGITS, text) or not 0 < int(text) <= _HIGHEST_PORT:
        raise ValueError(f"not a port number from 1 to {_HIGHEST_PORT}")
    return int(text)


def parse_ipv4_network(text: str) -> ipaddress.IPv4Network:
    """Return an IPv4 network in CIDR form, in which hosts can have addresses."""
    if not re.fullmatch(_CIDR, text):
        raise ValueError("not an IPv4 network in CIDR form, such as 10.1.2.0/24")
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise ValueError("not an IPv4 network: the bits behind its prefix must be 0") from None
    if not _SHORTEST_PREFIX <= network.prefixlen <= _LONGEST_PREFIX:
        raise ValueError(f"its prefix length is not from {_SHORTEST_PREFIX} to {_LONGEST_PREFIX}")
    if any(network.overlaps(special) for special in _SPECIAL_NETWORKS):
        raise ValueError("hosts have no addresses in this network")
    return network


def parse_vlan(text: str) -> int:
    """Return a VLAN's number, 0 for none."""
    if not re.fullmatch(_DIGITS, text) or int(text) > _HIGHEST_VLAN:
        raise ValueError(f"not a VLAN from 1 to {_HIGHEST_VLAN}")
    return int(text)


def parse_mtu(text: str) -> int:
    """Return the size of the largest packet of a link, in bytes."""
    if not re.fullmatch(_DIGITS, text) or not _LOWEST_MTU <= int(text) <= _HIGHEST_MTU:
        raise ValueError(f"not an MTU from {_LOWEST_MTU} to {_HIGHEST_MTU}")
    return int(text)


def parse_nic(text: str) -> str:
    """Return the name of a network interface."""
    if not re.fullmatch(_NIC, text):
        raise ValueError("not a name of a network interface")
    return text


def parse_word(text: str) -> str:
    """Return a text without blanks."""
    if not text.isprintable() or " " in text:
        raise ValueError("blanks and control characters are not allowed")
    return text


def parse_text(text: str) -> str:
    """Return a printable text."""
    if not text.isprintable():
        raise ValueError(_NO_CONTROL)
    return text


def parse_go_boolean(text: str) -> str:
    """Return a text that Go's strconv.ParseBool takes, as it was written."""
    if text not in _GO_BOOLEANS:
        raise ValueError("neither true nor false")
    return text
