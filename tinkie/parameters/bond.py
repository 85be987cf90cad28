"""The parameter `bond`: several NICs as one.

    bond=NAME:NIC,NIC[:OPTION=VALUE,OPTION=VALUE[:MTU]]

As dracut has it, with three differences: a MAC may stand for a NIC, with hyphens; the mode without
`mode=` is 802.3ad; a link is looked at every 100 ms without `miimon=`. Options and values are those
of the kernel's Documentation/networking/bonding.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from tinkie.parameters.types import BadElements, Mac, elements, parse_mtu, parse_nic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PARTS = ("name", "NICs", "options", "MTU")

MODE = "mode"
PRIMARY = "primary"
_NONE = "none"  # instead of all parts: no bond, whatever the metadata asks for
_MODES = (
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)
_LACP = "802.3ad"
_MIIMON, _MIIMON_DEFAULT = "miimon", "100"
_ARP_INTERVAL = "arp_interval"
# Of the engine's interfaces, of VLANs, and of files in the kernel's folders of interfaces.
_TAKEN = r"lo|docker.*|br-.*|veth.*|vlan[0-9]+|all|default|bonding_masters"
_NUMBER = "[0-9]{1,9}"
_MEMBERS_MAXIMUM = 16


def _one_of(*words: str) -> Callable[[str], str]:
    """Return a parser of words, in the kernel's order: their numbers are taken, too."""

    def parse(text: str) -> str:
        if text in words:
            return text
        if re.fullmatch(_NUMBER, text) and int(text) < len(words):
            return words[int(text)]
        raise ValueError(f"not one of {', '.join(words)}")

    return parse


def _number(highest: int, lowest: int = 0) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(_NUMBER, text) or not lowest <= int(text) <= highest:
            raise ValueError(f"not a number from {lowest} to {highest}")
        return str(int(text))

    return parse


def _addresses(text: str) -> str:
    try:
        return ";".join(str(IPv4Address(one)) for one in text.split(";"))
    except ValueError:
        raise ValueError("not IPv4 addresses with semicolons in between") from None


def _nic(text: str) -> str:
    """Return a NIC's name, or its hardware address."""
    try:
        return Mac.parse(text)
    except ValueError:
        return parse_nic(text)


_MILLISECONDS = _number(3_600_000)
# In the order in which the kernel takes them: some need an earlier one.
_OPTIONS: dict[str, Callable[[str], str]] = {
    MODE: _one_of(*_MODES),
    _MIIMON: _MILLISECONDS,
    "updelay": _MILLISECONDS,
    "downdelay": _MILLISECONDS,
    _ARP_INTERVAL: _MILLISECONDS,
    "arp_ip_target": _addresses,
    "arp_validate": _one_of(
        "none", "active", "backup", "all", "filter", "filter_active", "filter_backup"
    ),
    "arp_all_targets": _one_of("any", "all"),
    "primary_reselect": _one_of("always", "better", "failure"),
    "fail_over_mac": _one_of("none", "active", "follow"),
    "xmit_hash_policy": _one_of(
        "layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"
    ),
    "resend_igmp": _number(255),
    "num_grat_arp": _number(255),
    "all_slaves_active": _number(1),
    "min_links": _number(255),
    "lp_interval": _number(3600, 1),
    "packets_per_slave": _number(65535),
    "lacp_rate": _one_of("slow", "fast"),
    "ad_select": _one_of("stable", "bandwidth", "count"),
    "tlb_dynamic_lb": _number(1),
    PRIMARY: _nic,
}


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond that is to be made; `str` gives what `parse` takes. It is false for `none`.

    `members` are names of NICs or their hardware addresses. `options` are in the kernel's order,
    the mode first. `mtu` is 0 if none is given.
    """

    name: str
    members: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    mtu: int = 0

    @classmethod
    def parse(cls, text: str) -> Bond:
        """Take the parameter's value apart.

        Raises:
            ValueError: no bond can be made of it.
            BadElements: some options are bad; `good` is the bond without them.
        """
        if text == _NONE:
            return cls("", ())
        parts = [part.strip() for part in text.split(":")]
        if len(parts) > len(PARTS):
            raise ValueError(
                f"more than {len(PARTS)} parts with colons in between (a MAC has hyphens)"
            )
        name, nics, options, mtu = parts + [""] * (len(PARTS) - len(parts))
        given, bad = _options(elements(options))
        size = 0
        if mtu:
            try:
                size = parse_mtu(mtu)
            except ValueError as error:
                bad.append(f"MTU: {error}")
        members = _members(nics)
        if PRIMARY in given and given[PRIMARY] not in members:
            bad.append(f"{PRIMARY}: not one of its NICs")
            del given[PRIMARY]
        made = cls.of(_name(name), members, given, size)
        if bad:
            raise BadElements(f"{'; '.join(bad)}; the bond is made without that", made)
        return made

    @classmethod
    def of(
        cls,
        name: str,
        members: Iterable[str],
        options: Mapping[str, str] | None = None,
        mtu: int = 0,
    ) -> Bond:
        """Return a bond of good values, with the options that every bond has."""
        given = {MODE: _LACP, **(options or {})}
        if _ARP_INTERVAL not in given:
            given.setdefault(_MIIMON, _MIIMON_DEFAULT)
        in_order = tuple((option, given[option]) for option in _OPTIONS if option in given)
        return cls(name, tuple(dict.fromkeys(members)), in_order, mtu)

    def option(self, name: str) -> str:
        """Return the value of an option; empty if it is not given."""
        return dict(self.options).get(name, "")

    def __bool__(self) -> bool:
        return bool(self.members)

    def __str__(self) -> str:
        if not self:
            return _NONE
        nics = ",".join(one.replace(":", "-") for one in self.members)
        options = ",".join(f"{name}={value.replace(':', '-')}" for name, value in self.options)
        return f"{self.name}:{nics}:{options}{f':{self.mtu}' if self.mtu else ''}"


def mode_of(number: object) -> str:
    """Return the name of a mode by the kernel's number; raises ValueError if there is none."""
    return _OPTIONS[MODE](str(number))


def _name(text: str) -> str:
    name = parse_nic(text)
    if re.fullmatch(_TAKEN, name):
        raise ValueError("its name is one that interfaces of another kind have")
    return name


def _members(text: str) -> tuple[str, ...]:
    found = elements(text)
    if not 0 < len(found) <= _MEMBERS_MAXIMUM:
        raise ValueError(f"it has no NICs, or more than {_MEMBERS_MAXIMUM}")
    try:
        return tuple(map(_nic, found))
    except ValueError:
        raise ValueError("one of its NICs is neither a name nor a MAC with hyphens") from None


def _options(texts: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the good options, and why the others are bad."""
    good: dict[str, str] = {}
    bad: list[str] = []
    for position, text in enumerate(texts, start=1):
        name, _, value = text.partition("=")
        parse = _OPTIONS.get(name)
        try:
            if parse is None:
                raise ValueError("no such option")  # noqa: TRY301 - as bad as a bad value
            good[name] = parse(value)
        except ValueError as error:
            shown = name if parse else f"option {position}"
            bad.append(f"{shown}: {error}")
    return good, bad
