"""A service can only write what is its own: in linuxkit.yml and in the scripts of PID 1.

Root on the host opens files by name. Whoever can write the folder of such a file can put a symbolic
link in its place. And runc follows links in the source of a bind at each start of a service.
"""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest

from tests.fakes.script_root import IMAGES, LINUXKIT

PRIVILEGED = "tink-docker"  # it is root on the host: nothing keeps files from it
HOST = {PurePosixPath("/"), PurePosixPath("/dev")}  # PRIVILEGED's, for actions
# What scripts of PID 1 have to do with paths that a service can write, and why that is safe.
SAFE = {
    "/run/tinkie/tink-docker/shutdown-by": "read if it is a file and no link; tink-docker's reason",
    "/run/worker": "mounted before any service starts",
    "/run/worker/reboot": "created if nothing is there, with noclobber, which follows no link",
    "/run/resolvconf/resolv.conf": "created before any service starts; dhcp gets the file alone",
    "/run/tinkie/settings": "created before any service starts",
    "/run/tinkie/settings/syslog": "read if it is a file and no link",
    "/var/lib/docker": "mounted before any service starts",
}


class Bind(NamedTuple):
    """A bind of a container: its path on the host, and whether the container can write there."""

    source: PurePosixPath
    writable: bool


def binds(container: dict[str, Any]) -> list[Bind]:
    """Return the binds of a container, without those of the host's root for actions."""
    words = (bind.split(":") for bind in container.get("binds", ()))
    found = [Bind(PurePosixPath(source), "ro" not in more) for source, _, *more in words]
    return [bind for bind in found if container["name"] != PRIVILEGED or bind.source not in HOST]


def shared_writable(containers: list[dict[str, Any]]) -> list[str]:
    """Return what two containers can both write."""
    return [
        f"{one['name']}, {other['name']}: {mine.source}"
        for one, other in permutations(containers, 2)
        for mine in binds(one)
        for its in binds(other)
        if mine.writable and its.writable and mine.source.is_relative_to(its.source)
    ]


def void_readonly(containers: list[dict[str, Any]]) -> list[str]:
    """Return the read-only binds of what the same container can write by another bind."""
    return [
        f"{one['name']}: {bind.source}"
        for one in containers
        for bind in binds(one)
        for other in binds(one)
        if not bind.writable and other.writable and bind.source.is_relative_to(other.source)
    ]


def replaceable(containers: list[dict[str, Any]]) -> list[str]:
    """Return the sources of binds that another container can replace by a link."""
    return [
        f"{one['name']}: {bind.source}, by {other['name']}"
        for one, other in permutations(containers, 2)
        if other["name"] != PRIVILEGED
        for bind in binds(one)
        for its in binds(other)
        if its.writable and its.source in bind.source.parents
    ]


def paths_of_init() -> set[str]:
    """Return the paths below /run and /var that scripts of PID 1 name."""
    files = [path for path in (IMAGES / "init").rglob("*") if path.is_file()]
    texts = [path.read_text() for path in files if path.suffix != ".py"]
    return {
        name for text in texts for name in re.findall(r"(?<!\w)/(?:run|var)/[\w./-]*[\w]", text)
    }


def writable(path: str) -> bool:
    """Whether a service can write a path of the host."""
    found = [bind.source for one in CONTAINERS for bind in binds(one) if bind.writable]
    return any(PurePosixPath(path).is_relative_to(source) for source in found)


CONTAINERS: list[dict[str, Any]] = [*LINUXKIT["onboot"], *LINUXKIT["services"]]


@pytest.mark.parametrize("rule", [shared_writable, void_readonly, replaceable])
def test_each_container_writes_what_is_its_own_alone(rule: Any) -> None:
    assert rule(CONTAINERS) == []


def test_what_pid_1_writes_is_out_of_reach_of_every_service() -> None:
    paths = paths_of_init()
    assert {"/run/init/shutdown-by", "/run/init/console", "/run/init/started"} <= {
        path.rstrip("-") for path in paths
    }
    assert {path for path in paths if writable(path)} == set(SAFE)


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        (shared_writable, ["/run/x:/a"], ["/run/x:/b"]),
        (shared_writable, ["/run/x/y:/a"], ["/run/x:/b"]),
        (void_readonly, ["/run/x:/a", "/run/x:/b:ro"], []),
        (void_readonly, ["/run/x:/a", "/run/x/y:/b:ro"], []),
        (replaceable, ["/run/x/y:/a:ro"], ["/run/x:/b"]),
        (replaceable, ["/run/x/y:/a"], ["/run/x:/b"]),
    ],
)
def test_the_rules_find_what_they_are_for(rule: Any, one: list[str], other: list[str]) -> None:
    assert rule([{"name": "one", "binds": one}, {"name": "other", "binds": other}])


@pytest.mark.parametrize("rule", [shared_writable, void_readonly, replaceable])
def test_the_rules_accept_a_folder_of_one_that_others_read(rule: Any) -> None:
    mine, read = {"name": "one", "binds": ["/run/x:/a"]}, ["/run/x:/b:ro", "/run/xy:/c"]
    assert rule([mine, {"name": "other", "binds": read}]) == []


def test_the_announcements_of_every_service_go_to_the_pipe_that_it_has() -> None:
    announce = (IMAGES / "init/lib/announce").read_text()
    (pipe,) = re.findall(r"/run/\S+", announce)
    for container in CONTAINERS:
        if any("/announce:" in bind for bind in container.get("binds", ())):
            assert f"{pipe}:{pipe}:ro" in container["binds"], container["name"]
    assert Path(pipe).parent == Path("/run/init")
