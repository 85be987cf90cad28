from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.file_systems import FileSystem, FileSystemsMonitor, file_systems

if TYPE_CHECKING:
    import os
    from collections.abc import MutableMapping

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]

MIB = 1024 * 1024
MOUNTS = r"""overlay / overlay rw,relatime,lowerdir=/x 0 0
proc /proc proc rw 0 0
dev /dev devtmpfs rw,nosuid,size=16384k,mode=755 0 0
/dev/loop0 /host_root squashfs ro,relatime 0 0
dev /host_root/dev devtmpfs rw,nosuid,size=16384k,mode=755 0 0
shm /host_root/dev/shm tmpfs rw,nosuid,nodev,size=100k 0 0
run /host_root/run tmpfs rw,nosuid,nodev,size=400000k,mode=755 0 0
worker /host_root/run/worker tmpfs rw,size=400000k 0 0
var /host_root/var tmpfs rw,size=400000k 0 0
docker /host_root/var/lib/docker tmpfs rw,size=400000k 0 0
shm /host_root/var/lib/docker/containers/0a/mounts/shm tmpfs rw,size=65536k 0 0
tmpfs /host_root/containers/services/tink-docker/tmp tmpfs rw,size=20% 0 0
tmpfs /host_root/a\040b tmpfs rw 0 0
tmpfs /host_root/fixed tmpfs ro,size=4k 0 0
tmpfs /host_rooted tmpfs rw 0 0
docker /var/lib/docker tmpfs rw,size=400000k 0 0
"""


def mountinfo(mounts: str) -> str:
    """Return the lines of /proc/self/mountinfo for those of /proc/self/mounts."""
    lines: list[str] = []
    points: list[tuple[str, int]] = []
    for number, line in enumerate(mounts.rstrip("\n").split("\n"), start=1):
        source, point, kind, options, *_ = line.split(" ")
        below = [one for one in points if f"{point}/".startswith(f"{one[0].rstrip('/')}/")]
        parent = max(below, key=lambda one: (len(one[0]), one[1]))[1] if below else 0
        points.append((point, number))
        lines.append(
            f"{number} {parent} 0:{number} / {point} {options} shared:1 - {kind} {source} {options}"
        )
    return "\n".join(lines) + "\n"


def test_the_os_has_these_file_systems(tmp_path: Path) -> None:
    path = tmp_path / "mounts"
    path.write_text(mountinfo(f"{MOUNTS}tmpfs /host_root/odd\x0cpath\x85 tmpfs rw 0 0"))
    found = {str(one.path): one.name for one in file_systems(path)}
    assert found == {
        "/var/lib/docker": "/var/lib/docker",
        "/host_root/dev": "/dev",
        "/host_root/dev/shm": "/dev/shm",
        "/host_root/run": "/run",
        "/host_root/run/worker": "/run/worker",
        "/host_root/var": "/var",
        "/host_root/containers/services/tink-docker/tmp": "/containers/services/tink-docker/tmp",
        "/host_root/a b": "/a b",
        "/host_root/odd\x0cpath\x85": "/odd\x0cpath\x85",
    }


@pytest.mark.parametrize(
    ("more", "hidden"),
    [
        ("nas:/x /host_root/run/nas nfs4 rw 0 0", []),
        ("nas:/x /host_root/run/nas nfs4 rw 0 0\nx /host_root/run/nas/x tmpfs rw 0 0", []),
        ("x /host_root/run/worker fuse.sshfs rw 0 0", ["/run/worker"]),
        ("x /host_root/run fuse rw 0 0", ["/run", "/run/worker"]),
        ("x /host_root/run tmpfs ro 0 0", ["/run", "/run/worker"]),
        ("nas:/x /host_root cifs rw 0 0", ["/run", "/run/worker", "/dev", "/dev/shm", "/a b"]),
    ],
)
def test_no_path_leads_to_a_server(tmp_path: Path, more: str, hidden: list[str]) -> None:
    def found(mounts: str) -> set[str]:
        (tmp_path / "mounts").write_text(mountinfo(mounts))
        return {one.name for one in file_systems(tmp_path / "mounts")}

    before, after = found(MOUNTS), found(MOUNTS + more)
    assert after <= before
    assert before - after >= set(hidden)
    assert hidden or after == before
    if "/host_root " in more:
        assert after == {str(DATA_ROOT)}


def test_rubbish_is_no_mount(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("\n1\n1 1 0:1 / / rw - tmpfs x rw\n2 1 0:2 / /x rw -\n")
    assert [one.name for one in file_systems(tmp_path / "mounts")] == [str(DATA_ROOT)]


@dataclass
class Disks:
    """File systems whose measures a test sets: MiB that are free of 1000, files of 100,000."""

    clock: Clock
    folder: Path
    free: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    most_files: int = 100_000

    def __post_init__(self) -> None:
        self.listed = [FileSystem("/run", self.folder), FileSystem(str(DATA_ROOT), DATA_ROOT)]
        self.monitor = FileSystemsMonitor(self.clock.now, lambda: self.listed, self.measure)

    def measure(self, path: Path) -> os.statvfs_result:
        name = "/run" if path == self.folder else str(path)
        free = self.free.get(name, 900)
        if free < 0:
            raise FileNotFoundError(2, "gone")
        files = min(self.files.get(name, 90_000), self.most_files)
        state = SimpleNamespace(
            f_frsize=MIB, f_blocks=1000, f_bavail=free, f_files=self.most_files, f_favail=files
        )
        return cast("os.statvfs_result", state)

    def watch(self, *, free: int = 900, files: int = 90_000, name: str = "/run") -> None:
        """Set what is free, and let the longest time pass after which it is noticed."""
        self.free[name], self.files[name] = free, files
        for _ in range(10):
            self.clock.wait(policy.SPACE_OTHERS_POLL_SECONDS / 10)
            self.monitor.tick()


@pytest.fixture
def disks(clock: Clock, tmp_path: Path) -> Disks:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "big").write_bytes(b"x" * 400_000)
    return Disks(clock, tmp_path)


def test_a_full_file_system_is_named_with_who_fills_it(disks: Disks, events: Events) -> None:
    disks.watch()
    assert events == []
    disks.watch(free=63)
    (low,) = events
    assert low["event"] == "space.low"
    assert low["path"] == "/run"
    assert low["error"] == "only 66.1 MB of 1048.6 MB free on /run"
    assert low["largest"] == "/run/docker/big (0.4 MB)"
    assert low["kind"] == "out-of-space"
    assert low["next"] == "no container starts while it is full; Tinkie deletes nothing there"
    assert "largest=" in low["hint"]


def test_it_is_noticed_within_ten_seconds() -> None:
    assert policy.SPACE_OTHERS_POLL_SECONDS < 10


def test_it_is_logged_once_and_its_recovery_too(disks: Disks, events: Events) -> None:
    for free in (63, 0, 70, 127, 128, 900):
        disks.watch(free=free)
    assert [event["event"] for event in events] == ["space.low", "space.recovered"]
    assert (events[1]["path"], events[1]["free"], events[1]["lowest"]) == (
        "/run",
        "134.2 MB of 1048.6 MB",
        "0.0 MB",
    )
    disks.watch(free=0)
    assert len(events) == 3


def test_files_run_out_too(disks: Disks, events: Events) -> None:
    disks.watch(files=10)
    disks.watch()
    low, recovered = events
    assert low["error"] == "only 10 of 100000 files free on /run"
    assert (recovered["free"], recovered["lowest"]) == ("90000 of 100000 files", "10 files")


def test_a_file_system_without_a_bound_of_files_never_lacks_them(
    disks: Disks, events: Events
) -> None:
    disks.most_files = 0
    disks.watch()
    assert events == []


def test_of_the_engines_only_the_files_are_watched_here(
    disks: Disks, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tink_docker.engines_largest.engines_largest", lambda **_: "images")
    disks.watch(free=0, name=str(DATA_ROOT))
    assert events == []
    disks.watch(files=0, name=str(DATA_ROOT))
    (low,) = events
    assert (low["path"], low["largest"]) == ("/var/lib/docker", "images")


def test_one_that_goes_does_not_hide_the_others(disks: Disks, events: Events) -> None:
    disks.listed.insert(0, FileSystem("/gone", Path("/gone")))
    disks.free["/gone"] = -1
    disks.watch(free=0)
    assert {event["event"] for event in events} == {"space.unknown", "space.low"}
