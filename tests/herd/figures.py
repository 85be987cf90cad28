"""The load of a herd on its servers, in figures: read from the servers' own logs."""

import json
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from statistics import median
from typing import Any

from tests.herd.dockerd import USER_AGENT as ENGINE
from tests.herd.gate import ADDRESSES

METADATA_REQUESTS = 2  # of each machine: id and host name
REGISTRY_REQUESTS = 3  # dockerd's /v2/ and manifest; bootkit's /v2/, since there is a password
BOOTKIT = 'useragent="?bootkit"?(?: |$)'  # without blanks it has no quotes in the log
_OF_THE_HERD = re.compile(rf"{re.escape(ENGINE)}|{BOOTKIT}")
_REGISTRY_LINE = re.compile(r'time="([^"]+)" .* http\.request\.id=(\S+) ')


def bound(machines: int, late: float, requests_each: int) -> float:
    """Return the requests a second that a server may get (docs/reliability.md).

    After a minute of waiting the herd is spread over at least 20 s, before that over a third of
    the time that it waited; four standard deviations above that is what chance allows.
    """
    mean = machines / (min(late, 60.0) / 3)
    return requests_each * (mean + 4 * math.sqrt(mean))


@dataclass(frozen=True)
class Load:
    """The times (Unix) of the herd's requests at one server, in their order."""

    times: tuple[float, ...]

    @classmethod
    def of(cls, times: Iterable[float]) -> "Load":
        """Put them in order."""
        return cls(tuple(sorted(times)))

    @property
    def peak(self) -> int:
        """The most requests within any second, wherever it begins."""
        ends = (bisect_left(self.times, time + 1.0) for time in self.times)
        return max((end - begin for begin, end in enumerate(ends)), default=0)

    def by_second(self, since: float) -> list[int]:
        """Count the requests of each second."""
        counts = Counter(int(time - since) for time in self.times)
        return [counts[second] for second in range(max(counts, default=-1) + 1)]


@dataclass(frozen=True)
class Figures:
    """What came of it.

    up: when the servers were (Unix). recovered: seconds from there to each machine's worker.
    stranded: the last error of each machine that has none.
    """

    machines: int
    late: float
    up: float
    recovered: list[float]
    stranded: list[str]
    metadata: Load
    registry: Load
    memory_each: int

    def problems(self) -> list[str]:
        """Return the figures that are out of bounds, as messages."""
        loads = {
            "metadata service": (self.metadata, METADATA_REQUESTS),
            "registry": (self.registry, REGISTRY_REQUESTS),
        }
        return [f"a machine has no worker: {error}" for error in self.stranded] + [
            f"the {name} had {load.peak} requests in one second, more than {most:.0f}"
            for name, (load, each) in loads.items()
            if load.peak > (most := bound(self.machines, self.late, each))
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all of it; the shape of out/herd.json."""
        return {
            "machines": self.machines,
            "late_seconds": self.late,
            "recovered": len(self.recovered),
            "seconds_to_worker": {
                "median": round(median(self.recovered or [0.0]), 1),
                "last": round(max(self.recovered, default=0.0), 1),
            },
            "metadata": self._server(self.metadata, METADATA_REQUESTS),
            "registry": self._server(self.registry, REGISTRY_REQUESTS),
            "memory_bytes_each": self.memory_each,
        }

    def _server(self, load: Load, requests_each: int) -> dict[str, Any]:
        return {
            "requests": len(load.times),
            "bound_requests_per_second": round(bound(self.machines, self.late, requests_each)),
            "peak_requests_per_second": load.peak,
            "by_second": load.by_second(self.up),
        }


def metadata_load(log: Path) -> Load:
    """Read what Tinkerbell answered machines of the herd."""
    lines = (line for line in log.read_text().splitlines() if '"msg":"response"' in line)
    answers = map(json.loads, lines)
    return Load.of(_unix(one["time"]) for one in answers if _is_of_the_herd(one["client"]))


def registry_load(log: Path) -> Load:
    """Read what the registry was asked by machines: each request has several lines."""
    first: dict[str, float] = {}
    for line in log.read_text().splitlines():
        found = _REGISTRY_LINE.match(line)
        if found and _OF_THE_HERD.search(line):
            first.setdefault(found[2], _unix(found[1]))
    return Load.of(first.values())


def _is_of_the_herd(client: str) -> bool:
    return ip_address(client) in ip_network(ADDRESSES)


def _unix(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
