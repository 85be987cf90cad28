"""What dhcpcd has of its leases, as typed values.

A message is what dhcpcd gives its hooks, dhcpcd-run-hooks(8): `name=value`, each with a NUL byte
behind it. The values come from servers on any network, so each one has a type, and whatever does
not have it is left out: no text of a server goes anywhere as it is.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from network.policy import LEASE_LIST_CHARACTERS, LEASE_VALUES_MAXIMUM
from tinkie.parameters.types import Host, is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

DHCP, DHCP6, RA, STATIC = "dhcp", "dhcp6", "ra", "static"  # protocols; the last one is ours

_OPTION = r"(nd[0-9]+_(rdnss|dnssl)[0-9]+)_(servers|search)"
_RA_ADDRESS = r"nd[0-9]+_addr[0-9]+"
_DHCP6_ADDRESS = r"new_dhcp6_ia_[nt]a[0-9]+_ia_addr[0-9]+"
_REASON = "[A-Z0-9]{1,16}"
_INTERFACE = r"[A-Za-z0-9_.:@-]{1,15}"  # no path, no blank


class Lease(NamedTuple):
    """What an interface got by one protocol; an empty value is something that it did not get."""

    interface: str
    protocol: str
    address: str = ""
    server: str = ""
    hostname: str = ""
    name_servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    time_servers: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Return what it is known by."""
        return self.interface, self.protocol


class DhcpcdEvent(NamedTuple):
    """An event of dhcpcd: why it would run its hook."""

    interface: str
    protocol: str
    reason: str


def read_leases(messages: Iterable[bytes]) -> list[Lease]:
    """Return the leases among dhcpcd's messages, in their order; others tell of the link."""
    return _leases(map(_variables, messages))


def current_leases(
    messages: Iterable[bytes], before: Iterable[Lease], has_address: Callable[[Lease], bool]
) -> list[Lease]:
    """Return the leases in dhcpcd's messages, and those that it does not have again yet.

    A dhcpcd that has just started has no lease, but the kernel keeps the addresses (`persistent`).
    before: the last ones. has_address: whether the kernel has the address of a lease.
    """
    read = [_variables(message) for message in messages]
    known = {(_interface(variables), variables.get("protocol", "")) for variables in read}
    kept = [lease for lease in before if lease.key not in known and has_address(lease)]
    return [*_leases(read), *kept]


def read_event(message: bytes) -> DhcpcdEvent | None:
    """Return what a message is about; None if it is about no interface."""
    variables = _variables(message)
    reason, interface = variables.get("reason", ""), _interface(variables)
    if not interface or not re.fullmatch(_REASON, reason):
        return None
    return DhcpcdEvent(interface, variables.get("protocol", ""), reason)


def _leases(read: Iterable[Mapping[str, str]]) -> list[Lease]:
    return [lease for lease in map(_lease, read) if lease]


def _variables(message: bytes) -> dict[str, str]:
    """Return the variables; a byte that is not ASCII is in no value that has a type here."""
    pairs = (part.decode("ascii", "replace").partition("=") for part in message.split(b"\0"))
    return {name: value for name, _, value in pairs}


def _interface(variables: Mapping[str, str]) -> str:
    name = variables.get("interface", "")
    return name if re.fullmatch(_INTERFACE, name) and name not in (".", "..") else ""


def _lease(variables: Mapping[str, str]) -> Lease | None:
    read = _READERS.get(variables.get("protocol", ""))
    interface = _interface(variables)
    if read is None or not interface or variables.get("if_up") != "true":
        return None
    return read(interface, variables)


def _of_dhcp(interface: str, variables: Mapping[str, str]) -> Lease:
    domains = variables.get("new_domain_search") or variables.get("new_domain_name", "")
    return Lease(
        interface,
        DHCP,
        address=_first(_addresses(variables.get("new_ip_address", ""))),
        server=_first(_addresses(variables.get("new_dhcp_server_identifier", ""))),
        hostname=_first(_hosts(variables.get("new_host_name", ""))),
        name_servers=_addresses(variables.get("new_domain_name_servers", "")),
        search=_hosts(domains),
        time_servers=_addresses(variables.get("new_ntp_servers", "")),
    )


def _of_dhcp6(interface: str, variables: Mapping[str, str]) -> Lease:
    times = (variables.get(f"new_dhcp6_{name}", "") for name in ("ntp_server_addr", "sntp_servers"))
    return Lease(
        interface,
        DHCP6,
        address=_first(_addresses(_all_named(variables, _DHCP6_ADDRESS))),
        name_servers=_addresses(variables.get("new_dhcp6_name_servers", ""), interface),
        search=_hosts(variables.get("new_dhcp6_domain_search", "")),
        time_servers=_addresses(" ".join(times), interface),
    )


def _of_ra(interface: str, variables: Mapping[str, str]) -> Lease:
    prefixed = _all_named(variables, _RA_ADDRESS).split()
    return Lease(
        interface,
        RA,
        address=_first(_addresses(" ".join(word.partition("/")[0] for word in prefixed))),
        name_servers=_addresses(" ".join(_of_options(variables, "rdnss")), interface),
        search=_hosts(" ".join(_of_options(variables, "dnssl"))),
    )


_READERS = {DHCP: _of_dhcp, DHCP6: _of_dhcp6, RA: _of_ra}


def _all_named(variables: Mapping[str, str], name: str) -> str:
    """Return the values of the variables whose names match, with blanks in between."""
    return " ".join(value for key, value in variables.items() if re.fullmatch(name, key))


def _of_options(variables: Mapping[str, str], kind: str) -> Iterator[str]:
    """Yield the values of a router's options of this kind; a lifetime of 0 takes one back."""
    for name, value in variables.items():
        option = re.fullmatch(_OPTION, name)
        if option and option[2] == kind and variables.get(f"{option[1]}_lifetime") != "0":
            yield value


def _addresses(text: str, interface: str = "") -> tuple[str, ...]:
    """Return the addresses of a list; a link-local one gets its interface as zone, if given."""
    return _typed(text, lambda word: _address(word, interface))


def _address(word: str, interface: str) -> str:
    bare = word.partition("%")[0]
    if not is_address(bare):
        raise ValueError("not an address")
    is_local = interface and ip_address(bare).is_link_local
    return f"{bare}%{interface}" if is_local else bare


def _hosts(text: str) -> tuple[str, ...]:
    return _typed(text, lambda word: str(Host.parse(word)))


def _typed(text: str, parse: Callable[[str], T]) -> tuple[T, ...]:
    """Return the good values of a list with blanks in between; each once, in its order."""
    found: dict[T, None] = {}
    for word in text[:LEASE_LIST_CHARACTERS].split(" "):
        try:
            found[parse(word)] = None
        except ValueError:
            continue
    return tuple(found)[:LEASE_VALUES_MAXIMUM]


def _first(words: tuple[str, ...]) -> str:
    return words[0] if words else ""
