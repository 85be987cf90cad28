"""Figures of several OSes side by side: medians, and a table of them; no I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from sandbox.figures import Figures

TITLE_WIDTH = 30
COLUMN_WIDTH = 14
RATIO_WIDTH = 7


@dataclass
class Results:
    """All boots of one OS.

    megabytes: of kernel and initramfs. failures: why boots failed.
    least_memory: MiB with which a workflow succeeds; None: not measured, or none was enough.
    """

    name: str
    megabytes: float
    boots: list[Figures] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    least_memory: int | None = None


def rows(idle_seconds: float) -> dict[str, Callable[[Figures], float]]:
    """Return the figures of a boot that are compared: title -> how to get it."""
    return {
        "first DHCPACK: wall, s": lambda boot: boot.address.wall,
        "first DHCPACK: CPU, s": lambda boot: boot.address.cpu,
        "action RUNNING: wall, s": lambda boot: boot.running.wall,
        "action RUNNING: CPU, s": lambda boot: boot.running.cpu,
        "others' CPU until then, s": lambda boot: boot.running.others,
        "action's report: wall, s": lambda boot: boot.reported.wall,
        "action's report: CPU, s": lambda boot: boot.reported.cpu,
        "RUNNING to idle: CPU, s": lambda boot: boot.idle.cpu - boot.running.cpu,
        "RAM used, MiB": lambda boot: boot.memory["used"],
        "RAM shared, MiB": lambda boot: boot.memory["shared"],
        "RAM used + shared, MiB": lambda boot: boot.memory["used"] + boot.memory["shared"],
        "RAM available, MiB": lambda boot: boot.memory["available"],
        f"CPU in {idle_seconds:.0f} idle s, s": lambda boot: boot.idle_cpu(idle_seconds),
    }


def medians(results: Results, idle_seconds: float) -> dict[str, float]:
    """Return title -> median of the boots that succeeded; what has no figure is left out."""
    found = {"kernel + initramfs, MB": results.megabytes}
    if results.boots:
        for title, figure in rows(idle_seconds).items():
            found[title] = median(map(figure, results.boots))
    if results.least_memory is not None:
        found["least RAM, MiB"] = results.least_memory
    return found


def table(compared: Sequence[Results], idle_seconds: float) -> str:
    """Return the medians, a column for each OS.

    Every column but the first also has, in brackets, the first one's figure divided by its own.
    """
    columns = [medians(results, idle_seconds) for results in compared]
    titles = list(dict.fromkeys(title for column in columns for title in column))
    counts = [f"{len(one.boots)} of {len(one.boots) + len(one.failures)}" for one in compared]
    lines = [
        _line("", [(results.name, "") for results in compared]),
        _line("boots that succeeded", [(count, "") for count in counts]),
        *(_line(title, [_cell(title, columns[0], one) for one in columns]) for title in titles),
    ]
    return "\n".join(lines)


def _cell(title: str, first: Mapping[str, float], column: Mapping[str, float]) -> tuple[str, str]:
    figure = column.get(title)
    if figure is None:
        return "-", ""
    compares = column is not first and title in first and figure
    return f"{figure:.1f}", f"({first[title] / figure:.2f})" if compares else ""


def _line(title: str, cells: Sequence[tuple[str, str]]) -> str:
    columns = (f"{figure:>{COLUMN_WIDTH}} {ratio:<{RATIO_WIDTH}}" for figure, ratio in cells)
    return f"{title:<{TITLE_WIDTH}}{''.join(columns)}".rstrip()


def least(low: int, high: int, step: int, succeeds: Callable[[int], bool]) -> int:
    """Return the least multiple of step above low that succeeds, by bisection.

    high is known to succeed, low to fail; neither is tried.
    """
    below, above = low // step, -(-high // step)
    while above - below > 1:
        middle = (below + above) // 2
        if succeeds(middle * step):
            above = middle
        else:
            below = middle
    return min(above * step, high)
