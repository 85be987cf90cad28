from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.space import CALM_SECONDS, MOVING_SECONDS, SpaceMonitor, measure
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

MIB = 1024 * 1024
SIZE = 1024 * MIB


def look(path: Path, *free: int, size: int = SIZE) -> SpaceMonitor:
    """Tick once for each number of MiB that are left."""
    rooms = iter([Space(count * MIB, size) for count in free])
    watch = SpaceMonitor(lambda: next(rooms), path)
    for _ in free:
        watch.tick()
    return watch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.json"


def test_it_is_said_once_that_it_is_short_and_once_that_it_is_over(
    path: Path, events: Events
) -> None:
    look(path, 1000, 63, 40, 0, 65, 63, 127, 128, 900)
    short, back = events
    assert short["event"] == "space.low"
    assert short["error"] == "66.1 MB of 1073.7 MB are left for images and containers"
    assert short["kind"] == "out-of-space"
    assert short["hint"]
    assert short["next"]
    assert (back["event"], back["left"], back["least"]) == (
        "space.recovered",
        "134.2 MB of 1073.7 MB",
        "0.0 MB",
    )


def test_it_is_said_each_time(path: Path, events: Events) -> None:
    look(path, 10, 500, 10, 500)
    assert [event["event"] for event in events] == ["space.low", "space.recovered"] * 2


def test_a_small_machine_is_not_short_all_the_time(path: Path, events: Events) -> None:
    look(path, 60, 22, size=160 * MIB)
    assert events == []
    look(path, 19, size=160 * MIB)
    assert len(events) == 1


def test_bootkit_is_told_what_is_left(path: Path) -> None:
    look(path, 1000, 900)
    assert Space.read(path) == Space(900 * MIB, SIZE)


def test_nothing_is_written_while_nothing_happens(path: Path) -> None:
    watch = look(path, 1000)
    path.unlink()
    watch.measure = lambda: Space(1000 * MIB - 1, SIZE)
    watch.tick()
    assert not path.exists()
    for free in (1000 * MIB - MIB // 2, 999 * MIB):  # slowly is noticed too
        watch.measure = lambda free=free: Space(free, SIZE)  # type: ignore[misc]
        watch.tick()
    assert path.exists()


def test_it_looks_more_often_while_somebody_writes(path: Path) -> None:
    assert look(path, 1000, 999).pace == CALM_SECONDS
    assert look(path, 1000, 990).pace == MOVING_SECONDS
    assert look(path, 1000, 990, 989).pace == CALM_SECONDS
    assert look(path, 0, 990).pace == MOVING_SECONDS


def test_what_cannot_be_measured_or_written_stops_nothing(tmp_path: Path, events: Events) -> None:
    def fail() -> Space:
        raise PermissionError(13, "denied")

    SpaceMonitor(fail, tmp_path / "space.json").tick()
    (tmp_path / "file").touch()
    look(tmp_path / "file" / "space.json", 10)
    assert [event["event"] for event in events] == ["space.unknown", "space.low", "space.unknown"]


def test_memory_counts_as_room(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  9 kB\nMemAvailable:       4 kB\n")
    space = measure(tmp_path, meminfo)
    assert space.free == 4096
    assert space.size > space.free


def test_a_kernel_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    with pytest.raises(OSError, match="MemAvailable"):
        measure(tmp_path, tmp_path / "meminfo")
