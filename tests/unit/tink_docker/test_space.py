from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.policy import SPACE_FAST_POLL_SECONDS, SPACE_POLL_SECONDS
from tink_docker.space import SpaceMonitor, measure, who_takes_it
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

MIB = 1024 * 1024
SIZE = 1024 * MIB


def look(path: Path, *free: int, size: int = SIZE) -> SpaceMonitor:
    """Tick once for each number of MiB that are left."""
    spaces = iter([Space(count * MIB, size) for count in free])
    monitor = SpaceMonitor(lambda: next(spaces), path, lambda: "container action: /big (9.0 MB)")
    for _ in free:
        monitor.tick()
    return monitor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.json"


def test_low_space_and_recovery_are_logged_once(path: Path, events: Events) -> None:
    look(path, 1000, 63, 40, 0, 65, 63, 127, 128, 900)
    low, back = events
    assert low["event"] == "space.low"
    assert low["error"] == "only 66.1 MB of 1073.7 MB free for images and containers"
    assert low["kind"] == "out-of-space"
    assert low["path"] == "/var/lib/docker"
    assert low["largest"] == "container action: /big (9.0 MB)"
    assert low["hint"]
    assert low["next"]
    assert (back["event"], back["free"], back["lowest"]) == (
        "space.recovered",
        "134.2 MB of 1073.7 MB",
        "0.0 MB",
    )


def test_each_shortage_is_logged(path: Path, events: Events) -> None:
    look(path, 10, 500, 10, 500)
    assert [event["event"] for event in events] == ["space.low", "space.recovered"] * 2


def test_a_small_machine_is_not_short_all_the_time(path: Path, events: Events) -> None:
    look(path, 60, 22, size=160 * MIB)
    assert events == []
    look(path, 19, size=160 * MIB)
    assert len(events) == 1


def test_the_free_space_is_written_for_bootkit(path: Path) -> None:
    look(path, 1000, 900)
    assert Space.read(path) == Space(900 * MIB, SIZE)


def test_nothing_is_written_while_nothing_happens(path: Path) -> None:
    monitor = look(path, 1000)
    path.unlink()
    monitor.measure = lambda: Space(1000 * MIB - 1, SIZE)
    monitor.tick()
    assert not path.exists()
    for free in (1000 * MIB - MIB // 2, 999 * MIB):  # slowly is noticed too
        monitor.measure = lambda free=free: Space(free, SIZE)  # type: ignore[misc]
        monitor.tick()
    assert path.exists()


def test_it_measures_more_often_while_something_writes(path: Path) -> None:
    assert look(path, 1000, 999).pace == SPACE_POLL_SECONDS
    assert look(path, 1000, 990).pace == SPACE_FAST_POLL_SECONDS
    assert look(path, 1000, 990, 989).pace == SPACE_POLL_SECONDS
    assert look(path, 0, 990).pace == SPACE_FAST_POLL_SECONDS


def test_errors_while_measuring_or_writing_stop_nothing(tmp_path: Path, events: Events) -> None:
    def fail() -> Space:
        raise PermissionError(13, "denied")

    SpaceMonitor(fail, tmp_path / "space.json").tick()
    (tmp_path / "file").touch()
    look(tmp_path / "file" / "space.json", 10)
    assert [event["event"] for event in events] == ["space.unknown", "space.low", "space.unknown"]


def test_memory_counts_as_space(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  9 kB\nMemAvailable:       4 kB\n")
    space = measure(tmp_path, meminfo)
    assert space.free == 4096
    assert space.size > space.free


def test_a_kernel_without_that_line_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    with pytest.raises(OSError, match="MemAvailable"):
        measure(tmp_path, tmp_path / "meminfo")


def test_a_full_engine_that_cannot_be_searched_is_logged_all_the_same(
    path: Path, events: Events
) -> None:
    def fail() -> str:
        raise PermissionError(13, "denied")

    monitor = SpaceMonitor(lambda: Space(0, SIZE), path, fail)
    monitor.tick()
    assert [event["event"] for event in events] == ["space.low"]
    assert events[0]["largest"] == "unknown: denied"


@pytest.mark.parametrize(("kilobytes", "is_short"), [(1, True), (2**40, False)])
def test_memory_that_is_short_is_told_from_the_file_system(
    tmp_path: Path, kilobytes: int, *, is_short: bool
) -> None:
    (tmp_path / "meminfo").write_text(f"MemAvailable: {kilobytes} kB\n")
    found = who_takes_it(tmp_path, tmp_path / "meminfo")
    assert found.startswith("images (")
    assert (
        found.endswith("memory is short and not the file system: programs and other files take it")
        is is_short
    )
