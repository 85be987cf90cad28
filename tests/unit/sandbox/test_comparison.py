from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.comparison import Results, least, medians, table
from sandbox.figures import Figures, Moment

if TYPE_CHECKING:
    from collections.abc import Sequence

IDLE_SECONDS = 30.0


def boot(running: float) -> Figures:
    memory = {"total": 1900, "used": 200, "shared": 100, "cache": 300, "available": 1500}
    address, action = Moment(15.0, 14.0, 1.0), Moment(running, running - 1, 3.0)
    idle, end = Moment(running + 20, running + 5, 4.0), Moment(running + 80, running + 6.2, 5.0)
    return Figures(address, action, action, idle, end, memory, {}, "")


def results(name: str, *running: float, failures: Sequence[str] = ()) -> Results:
    return Results(name, 150.0, [boot(seconds) for seconds in running], list(failures))


def test_the_median_of_each_figure() -> None:
    found = medians(results("ours", 50.0, 90.0, 60.0), IDLE_SECONDS)
    assert found["action RUNNING: wall, s"] == 60.0
    assert found["action RUNNING: CPU, s"] == 59.0
    assert found["RAM used + shared, MiB"] == 300
    assert found["CPU in 30 idle s, s"] == pytest.approx(0.6)
    assert found["RUNNING to idle: CPU, s"] == 6.0
    assert "least RAM, MiB" not in found


def test_an_os_that_never_booted_still_has_a_size() -> None:
    assert medians(results("peer", failures=["panic"]), IDLE_SECONDS) == {
        "kernel + initramfs, MB": 150.0
    }


def row(title: str, *compared: Results) -> list[str]:
    lines = table(compared, IDLE_SECONDS).splitlines()
    return next(line[len(title) :].split() for line in lines if line.startswith(title))


def test_the_table_has_the_first_ones_share_of_the_others() -> None:
    ours, peer = results("ours", 50.0), results("peer", 100.0)
    assert row("action RUNNING: wall, s", ours, peer) == ["50.0", "100.0", "(0.50)"]


def test_the_table_says_how_many_boots_a_median_rests_on() -> None:
    ours, peer = results("ours", 50.0, 51.0), results("peer", failures=["panic", "panic"])
    assert row("boots that succeeded", ours, peer) == ["2", "of", "2", "0", "of", "2"]
    assert row("action RUNNING: wall, s", ours, peer) == ["50.5", "-"]


def test_a_figure_that_only_one_has_is_in_the_table() -> None:
    ours, peer = results("ours", failures=["panic"]), results("peer", 100.0)
    peer.least_memory = 440
    assert row("least RAM, MiB", ours, peer) == ["-", "440.0"]


@pytest.mark.parametrize("enough", [168, 169, 176, 400, 2041, 2048])
def test_the_least_memory_is_found_to_a_step(enough: int) -> None:
    tried: list[int] = []

    def succeeds(memory: int) -> bool:
        tried.append(memory)
        return memory >= enough

    found = least(161, 2048, 8, succeeds)
    assert found - 8 < enough <= found
    assert found % 8 == 0
    assert len(tried) <= 8


def test_the_least_memory_is_at_most_what_is_known_to_succeed() -> None:
    assert least(160, 1001, 8, lambda _memory: False) == 1001
