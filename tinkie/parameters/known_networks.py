"""The IPv4 networks and addresses that a command line names: a machine with it must reach them.

Every parameter counts, whatever its type: an address that somebody wrote is one that somebody uses.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from tinkie.parameters.table import ENGINE_NETWORKS, IPAM, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinkie.parameters.parameter import Parameter, Parameters

_ADDRESS = r"(?a)(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\d.])"


def known_networks(parameters: Parameters) -> tuple[tuple[str, ipaddress.IPv4Network], ...]:
    """Return each with the name of its parameter, an address as a network of one host.

    Those of the engine itself are left out.
    """
    rows = (row for row in TABLE if row is not ENGINE_NETWORKS)
    found = [
        (row.name, network)
        for row in rows
        for network in _networks(_shown(row, parameters.texts.get(row.name, "")))
    ]
    static = parameters[IPAM]
    if static is not None and ":" not in static.address:
        found.append((IPAM.name, ipaddress.IPv4Interface(static.address).network))
    return tuple(dict.fromkeys(found))


def _shown(row: Parameter[object], text: str) -> str:
    """Return a text without its secrets: what is found is logged."""
    for secret in row.secrets(text) if row.secrets else ():
        text = text.replace(secret, " ")
    return text


def _networks(text: str) -> Iterator[ipaddress.IPv4Network]:
    for one in re.findall(_ADDRESS, text):
        try:
            yield ipaddress.IPv4Network(one, strict=False)
        except ValueError:
            continue  # 300.1.1.1, or a prefix of 99
