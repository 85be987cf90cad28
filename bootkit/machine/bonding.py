"""The bond that hegel's metadata asks for, and the file by which the network service gets it.

There are two styles. Packet's metadata has the bond itself:

    {"network": {"bonding": {"mode": 4}, "interfaces": [{"mac": "…", "bond": "bond0"}, …]}}

Tinkerbell's hardware record has a mode for all NICs, 0 for none:

    {"metadata": {"bonding_mode": 4}, "network": {"interfaces": [{"dhcp": {"mac": "…"}}, …]}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinkie.files import write_atomically
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from pathlib import Path

    from tinkie.parameters.bond import Bond

log = get_logger()

_NAME = "bond0"
_NO_BOND = "0"  # as JSON has 64-bit numbers of Protocol Buffers: as text
_FEWEST = 2


def bond_of(record: dict[str, Any]) -> Bond | None:
    """Return the bond of a record; None if it asks for none.

    Raises:
        ValueError: it asks for one that cannot be made.
    """
    network = _object(record.get("network"))
    interfaces = network.get("interfaces")
    nics = [_object(one) for one in interfaces] if isinstance(interfaces, list) else []
    bonding = _object(network.get("bonding"))
    if "mode" in bonding:
        name = next((one["bond"] for one in nics if one.get("bond")), _NAME)
        own = [nic.get("mac") for nic in nics if nic.get("bond") == name]
        return _made(name, own, bonding["mode"])
    mode = _object(record.get("metadata")).get("bonding_mode")
    if not mode or mode == _NO_BOND:
        return None
    return _made(_NAME, [_object(nic.get("dhcp")).get("mac") for nic in nics], mode)


def publish(bond: Bond, path: Path) -> None:
    """Write what the network service reads; what cannot be written is reported."""
    try:
        write_atomically(path, f"{bond}\n".encode())
    except OSError as error:
        log.warning("bond.unwritable", path=str(path), error=str(error), next="goes on without it")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _made(name: object, macs: list[object], mode: object) -> Bond:
    """Put it together as the kernel parameter has it, which has all the rules."""
    from tinkie.parameters.bond import Bond, mode_of  # noqa: PLC0415 - few machines have one

    given = list(dict.fromkeys(mac.lower() for mac in macs if isinstance(mac, str) and mac))
    if len(given) < _FEWEST:
        raise ValueError(f"it has {len(given)} NICs with a hardware address")
    nics = ",".join(mac.replace(":", "-") for mac in given)
    return Bond.parse(f"{name}:{nics}:mode={mode_of(mode)}")
