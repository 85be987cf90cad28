"""Every port of a machine, as nmap sees it from the sandbox's network."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from release.process import run
from sandbox.network import BRIDGE, Namespace

SCAN_SECONDS = 240
QUICK = ("--min-rate", "4000", "--max-retries", "2")
THOROUGH = ("--max-retries", "6")
EVERY = 65535
KINDS = {"tcp": "-sS", "udp": "-sU"}


def open_ports(network: Namespace, address: str, protocol: str) -> set[int]:
    """Return the ports that are open, or that do not answer.

    A fast scan loses answers, so its suspects are scanned again, slowly.
    """
    suspects = set(range(1, EVERY + 1))
    for pace in (QUICK, THOROUGH):
        if suspects:
            suspects -= closed_ports(_scan(network, address, protocol, suspects, pace))
    return suspects


def _scan(
    network: Namespace, address: str, protocol: str, ports: set[int], pace: Sequence[str]
) -> str:
    family = ["-6", "-e", BRIDGE] if ":" in address else []
    # Many single numbers are longer than an argument of a program may be.
    numbers = f"1-{EVERY}" if len(ports) > EVERY // 8 else ",".join(map(str, sorted(ports)))
    command = ["nmap", "-n", "-Pn", *family, KINDS[protocol], *pace, "-p", numbers, "-oX", "-"]
    with network.inside():
        return run(f"scanning {address}", [*command, address], seconds=SCAN_SECONDS).text


def closed_ports(report: str) -> set[int]:
    """Return the ports that nmap's XML report has as closed, alone or as "1-21,23-80"."""
    root = ET.fromstring(report)  # noqa: S314 # nmap's own output
    alone = {
        int(port.get("portid", "0"))
        for port in root.iter("port")
        if port.find("state[@state='closed']") is not None
    }
    summed = root.iterfind(".//extraports[@state='closed']/extrareasons")
    return alone.union(*(_ports(reasons.get("ports", "")) for reasons in summed))


def _ports(ranges: str) -> set[int]:
    found: set[int] = set()
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found
