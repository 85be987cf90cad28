"""Every port of a machine, as nmap sees it from the sandbox's network."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from sandbox.commands import run
from sandbox.network import BRIDGE, Namespace

SCAN_SECONDS = 150
QUICK = ("--min-rate", "4000", "--max-retries", "2")
THOROUGH = ("--max-retries", "6")
KINDS = {"tcp": "-sS", "udp": "-sU"}


def open_ports(network: Namespace, address: str, protocol: str) -> set[int]:
    """The ports that are open, or that do not say that they are closed.

    A fast scan loses answers, so that what it suspects is asked again, slowly.
    """
    suspects = _scan(network, address, protocol, "1-65535", QUICK)
    if not suspects:
        return set()
    return _scan(network, address, protocol, ",".join(map(str, sorted(suspects))), THOROUGH)


def _scan(
    network: Namespace, address: str, protocol: str, ports: str, pace: Sequence[str]
) -> set[int]:
    family = ["-6", "-e", BRIDGE] if ":" in address else []
    command = ["nmap", "-n", "-Pn", *family, KINDS[protocol], *pace, "-p", ports, "-oX", "-"]
    with network.inside():
        report = run(f"scanning {address}", [*command, address], seconds=SCAN_SECONDS)
    return not_closed(report)


def not_closed(report: str) -> set[int]:
    """The ports of nmap's XML report whose state is anything but closed."""
    root = ET.fromstring(report)  # noqa: S314 # nmap's own output
    found = set()
    for port in root.iter("port"):
        state = port.find("state")
        if state is None or state.get("state") != "closed":
            found.add(int(port.get("portid", "0")))
    for rest in root.iter("extraports"):
        assert rest.get("state") == "closed", f"ports that say nothing: {dict(rest.items())}"
    return found
