"""config.jq, by the host's jq: an absolute root, and a seccomp profile for the capabilities."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.script_root import LINUXKIT

LIBRARY = Path(__file__).parent / "lib"
ALLOW = "SCMP_ACT_ALLOW"
RNDADDENTROPY = 0x40085203  # linux/random.h


def profile(*calls: dict[str, Any]) -> dict[str, Any]:
    """Return a profile as Docker writes it."""
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": None}],
        "syscalls": [{"action": ALLOW, "args": None, **call} for call in calls],
    }


def converted(
    folder: Path, given: dict[str, Any], *, capabilities: list[str] | None, root: str = "rootfs"
) -> dict[str, Any]:
    """Return config.json of a bundle, whose container has the folder 001-x."""
    process = {"capabilities": {"bounding": capabilities}, "user": {"uid": 5, "gid": 6}}
    config = {"root": {"path": root}, "process": process, "linux": {"devices": []}}
    ((*names, made),) = lines(folder, {"docker": given}, {"001-x": config})
    assert names == ["001-x", "x", "5:6"]
    found: dict[str, Any] = json.loads(made.replace(f"{folder}/", "/"))
    return found


def lines(folder: Path, profiles: dict[str, Any], containers: dict[str, Any]) -> list[list[str]]:
    """Return the fields of each line, for profiles by name and configurations by folder."""
    given = {folder / f"{name}.json": content for name, content in profiles.items()}
    given |= {folder / name / "config.json": content for name, content in containers.items()}
    for path, content in given.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    command = ["jq", "-rn", "-f", str(LIBRARY / "config.jq"), *map(str, given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_container_gets_the_profile_of_its_name_or_dockers(tmp_path: Path) -> None:
    profiles = {name: profile({"names": [name]}) for name in ("docker", "own")}
    container = {"root": {"path": "rootfs"}, "process": {"user": {"uid": 0, "gid": 0}}}
    found = lines(tmp_path, profiles, {"000-own": container, "other": container, "own": container})
    calls = {
        folder: json.loads(made)["linux"]["seccomp"]["syscalls"][0]["names"]
        for folder, _, _, made in found
    }
    assert calls == {"000-own": ["own"], "other": ["docker"], "own": ["own"]}


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({}, True),
        ({"includes": None, "excludes": {}}, True),
        ({"includes": {"caps": ["CAP_A"]}}, True),
        ({"includes": {"caps": ["CAP_A", "CAP_B"]}}, True),
        ({"includes": {"caps": ["CAP_A", "CAP_C"]}}, False),
        ({"includes": {"arches": ["arm64", "amd64"]}}, True),
        ({"includes": {"arches": ["arm64"]}}, False),
        ({"includes": {"minKernel": "4.8"}}, True),
        ({"excludes": {"caps": ["CAP_C"]}}, True),
        ({"excludes": {"caps": ["CAP_C", "CAP_A"]}}, False),
        ({"excludes": {"arches": ["s390x"]}}, True),
        ({"excludes": {"arches": ["amd64"]}}, False),
        ({"excludes": {"minKernel": "4.8"}}, False),
        ({"includes": {"caps": ["CAP_A"]}, "excludes": {"caps": ["CAP_B"]}}, False),
    ],
)
def test_system_calls_are_permitted_under_their_conditions(
    tmp_path: Path, condition: dict[str, Any], *, applies: bool
) -> None:
    given = profile({"names": ["read"]}, {"names": ["mount"], **condition})
    made = converted(tmp_path, given, capabilities=["CAP_A", "CAP_B"])["linux"]["seccomp"]
    permitted = [name for call in made["syscalls"] for name in call["names"]]
    assert permitted == (["read", "mount"] if applies else ["read"])


def test_runc_gets_what_it_knows_of_the_profile(tmp_path: Path) -> None:
    argument = {"index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ"}
    given = profile(
        {"names": ["personality"], "args": [argument], "comment": "x", "excludes": {}},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    )
    config = converted(tmp_path, given, capabilities=None)
    assert config["root"] == {"path": "/001-x/rootfs"}
    assert config["linux"] == {
        "devices": [],
        "seccomp": {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 1,
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [
                {"names": ["personality"], "action": ALLOW, "args": [argument]},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            ],
        },
    }


def test_a_root_that_is_absolute_already_stays(tmp_path: Path) -> None:
    assert converted(tmp_path, profile(), capabilities=[], root="/x")["root"] == {"path": "/x"}


def test_a_container_that_may_load_kernel_modules_has_no_profile(tmp_path: Path) -> None:
    config = converted(tmp_path, profile(), capabilities=["CAP_A", "CAP_SYS_MODULE"])
    assert config["linux"] == {"devices": []}


def test_rngd_may_add_entropy_and_neither_mount_nor_change_its_namespaces(tmp_path: Path) -> None:
    given = json.loads((LIBRARY / "seccomp/rngd.json").read_text())
    made = converted(tmp_path, given, capabilities=["CAP_SYS_ADMIN"])["linux"]["seccomp"]
    assert made["defaultAction"] == "SCMP_ACT_ERRNO"
    calls = {name: call for call in made["syscalls"] for name in call["names"]}
    assert calls["ioctl"]["args"] == [{"index": 1, "value": RNDADDENTROPY, "op": "SCMP_CMP_EQ"}]
    assert calls["clone"]["args"][0]["op"] == "SCMP_CMP_MASKED_EQ"
    forbidden = {"mount", "umount2", "fsopen", "move_mount", "open_tree", "fsconfig", "pivot_root"}
    forbidden |= {"unshare", "setns", "clone3", "bpf", "chroot", "socket", "ptrace", "sethostname"}
    assert not forbidden & set(calls)


def test_each_profile_is_of_a_container_of_linuxkit_yml() -> None:
    names = {one["name"] for one in (*LINUXKIT["onboot"], *LINUXKIT["services"])}
    assert {path.stem for path in (LIBRARY / "seccomp").iterdir()} <= names
