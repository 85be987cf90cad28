"""LinuxKit's bundles become runnable ones: config.json, and a script that the OS runs first."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from release import bundles
from release.arch import ALL, X86_64
from release.bundles import Bundle
from release.errors import ReportedError
from release.roottar import RootTar
from tests.fakes.script_root import IMAGES, LINUXKIT

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = IMAGES / "init/lib/seccomp"
ALLOW = "SCMP_ACT_ALLOW"
RNDADDENTROPY = 0x40085203  # linux/random.h
ROOT_USER = {"uid": 0, "gid": 0}


def profile(*calls: dict[str, Any]) -> dict[str, Any]:
    """Return a profile as Docker writes it."""
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": None}],
        "syscalls": [{"action": ALLOW, "args": None, **call} for call in calls],
    }


def container(
    *, capabilities: list[str] | None = None, root: str = "rootfs", user: Any = ROOT_USER
) -> dict[str, Any]:
    """Return config.json as LinuxKit writes it."""
    process = {"capabilities": {"bounding": capabilities}, "user": user}
    return {"root": {"path": root}, "process": process, "linux": {"devices": []}}


def final(given: dict[str, Any], **container_fields: Any) -> dict[str, Any]:
    bundle = Bundle("containers/onboot/001-x", container(**container_fields), {})
    return bundles.final_config(bundle, {"docker": given}, X86_64)


def commands(*runtimes: dict[str, Any], **container_fields: Any) -> list[str]:
    found = bundles.script(
        Bundle(f"containers/services/{number}", container(**container_fields), runtime)
        for number, runtime in enumerate(runtimes)
    )
    return [line for line in found.splitlines() if not line.startswith("#")]


def mount(**values: object) -> dict[str, Any]:
    return {"mounts": [{"source": "from", "destination": "/to", **values}]}


def tar_of(folder: Path, files: dict[str, Any]) -> Path:
    """Write a tar with JSON, or what is bytes already."""
    path = folder / "linuxkit.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def finished(folder: Path, files: dict[str, Any]) -> dict[str, bytes]:
    with RootTar(tar_of(folder, files)) as root:
        bundles.finish(root, X86_64)
        return {path: root.read(path) for path in root.paths}


@pytest.mark.parametrize(
    ("runtime", "lines"),
    [
        ({}, []),
        ({"mkdir": [], "mounts": None, "cgroups": [], "namespace": ""}, []),
        ({"mkdir": ["/run/a", "/run/b c"]}, ["mkdir -p /run/a '/run/b c'"]),
        (mount(options=["bind", "private"]), ["mount --make-private /to"]),
        (mount(options=["bind"]), ["mount -o bind from /to"]),
        (mount(type="tmpfs"), ["mount -t tmpfs -o size=20% from /to"]),
        (
            mount(type="tmpfs", options=["size=1%", "nosuid"]),
            ["mount -t tmpfs -o size=1%,nosuid from /to"],
        ),
        (
            mount(type="overlay", options=["lowerdir=/l", "upperdir=/u/1", "workdir=/w/1"]),
            [
                "mkdir -p /u/1 /w/1",
                "mount -t overlay -o lowerdir=/l,upperdir=/u/1,workdir=/w/1 from /to",
            ],
        ),
        ({"mkdir": ["/it's; rm *"]}, ["mkdir -p '/it'\"'\"'s; rm *'"]),
    ],
)
def test_bundle_becomes_commands(runtime: dict[str, Any], lines: list[str]) -> None:
    assert commands(runtime) == lines


def test_every_bundle_gets_its_folders_in_order() -> None:
    third = {"mkdir": ["/b", "/a"], **mount()}
    found = commands({"mkdir": ["/a"]}, {}, third, {"mkdir": ["/to/c"]})
    assert found == ["mkdir -p /a /b", "mount from /to", "mkdir -p /to/c"]


@pytest.mark.parametrize(
    ("user", "lines"),
    [
        ({"uid": 5, "gid": 6}, ["[ ! -d /run/tinkie/0 ] || chown 5:6 /run/tinkie/0"]),
        ({"uid": 0, "gid": 6}, ["[ ! -d /run/tinkie/0 ] || chown 0:6 /run/tinkie/0"]),
        (ROOT_USER, []),
    ],
)
def test_a_service_owns_its_folder(user: dict[str, int], lines: list[str]) -> None:
    assert commands({}, user=user) == lines


def test_the_shell_makes_folders_of_any_name(tmp_path: Path) -> None:
    names = ["a b", "it's", '"$HOME"', "new\nline", "-*"]
    text = bundles.script(
        [Bundle("c/s/x", container(), {"mkdir": [f"{tmp_path}/{name}/sub" for name in names]})]
    )
    subprocess.run(["sh"], input=text, text=True, check=True, cwd=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)


@pytest.mark.parametrize(
    ("folder", "chosen"), [("000-own", "own"), ("own", "own"), ("other", "docker")]
)
def test_a_container_gets_the_profile_of_its_name_or_dockers(folder: str, chosen: str) -> None:
    profiles = {name: profile({"names": [name]}) for name in ("docker", "own")}
    bundle = Bundle(f"containers/services/{folder}", container(), {})
    (call,) = bundles.final_config(bundle, profiles, X86_64)["linux"]["seccomp"]["syscalls"]
    assert call["names"] == [chosen]


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
    condition: dict[str, Any], *, applies: bool
) -> None:
    given = profile({"names": ["read"]}, {"names": ["mount"], **condition})
    made = final(given, capabilities=["CAP_A", "CAP_B"])["linux"]["seccomp"]
    permitted = [name for call in made["syscalls"] for name in call["names"]]
    assert permitted == (["read", "mount"] if applies else ["read"])


def test_conditions_are_those_of_the_architecture() -> None:
    given = profile(
        *({"names": [name], "includes": {"arches": [name]}} for name in ("amd64", "arm64"))
    )
    for target in ALL:
        made = bundles.resolved(given, set(), target)
        assert [call["names"] for call in made["syscalls"]] == [[target.debian]]
        assert made["architectures"] == [f"SCMP_ARCH_{target.name.upper()}"]


def test_the_runtime_gets_what_it_knows_of_the_profile() -> None:
    argument = {"index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ"}
    given = profile(
        {"names": ["personality"], "args": [argument], "comment": "x", "excludes": {}},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    )
    config = final(given)
    assert config["root"] == {"path": "/containers/onboot/001-x/rootfs"}
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


def test_a_root_that_is_absolute_already_stays() -> None:
    assert final(profile(), root="/x")["root"] == {"path": "/x"}


def test_a_container_that_may_load_kernel_modules_has_no_profile() -> None:
    config = final(profile(), capabilities=["CAP_A", "CAP_SYS_MODULE"])
    assert config["linux"] == {"devices": []}


def test_rngd_may_add_entropy_and_neither_mount_nor_change_its_namespaces() -> None:
    given = json.loads((PROFILES / "rngd.json").read_text())
    made = bundles.resolved(given, {"CAP_SYS_ADMIN"}, X86_64)
    assert made["defaultAction"] == "SCMP_ACT_ERRNO"
    calls = {name: call for call in made["syscalls"] for name in call["names"]}
    assert calls["ioctl"]["args"] == [{"index": 1, "value": RNDADDENTROPY, "op": "SCMP_CMP_EQ"}]
    assert calls["clone"]["args"][0]["op"] == "SCMP_CMP_MASKED_EQ"
    forbidden = {"mount", "umount2", "fsopen", "move_mount", "open_tree", "fsconfig", "pivot_root"}
    forbidden |= {"unshare", "setns", "clone3", "bpf", "chroot", "socket", "ptrace", "sethostname"}
    assert not forbidden & set(calls)


def test_each_profile_is_of_a_container_of_linuxkit_yml() -> None:
    names = {one["name"] for one in (*LINUXKIT["onboot"], *LINUXKIT["services"])}
    assert {path.stem for path in PROFILES.iterdir()} <= names


X = "containers/services/x"
DOCKERS = f"{bundles.PROFILES}/docker.json"
GOOD = {
    f"{X}/config.json": container(user={"uid": 5, "gid": 6}),
    f"{X}/runtime.json": {"mkdir": ["/run/x"]},
    DOCKERS: profile({"names": ["read"]}),
}


def test_the_root_has_the_result_and_not_what_it_was_made_from(tmp_path: Path) -> None:
    inner = f"{X}/rootfs/containers/services/y/config.json"
    found = finished(tmp_path, {**GOOD, inner: b"no bundle of ours"})
    assert found.keys() == {f"{X}/config.json", inner, bundles.SCRIPT}
    config = json.loads(found[f"{X}/config.json"])
    assert config["root"] == {"path": f"/{X}/rootfs"}
    assert config["linux"]["seccomp"]["syscalls"] == [{"names": ["read"], "action": ALLOW}]
    owned = "[ ! -d /run/tinkie/x ] || chown 5:6 /run/tinkie/x\n"
    assert found[bundles.SCRIPT].decode().endswith(f"\nmkdir -p /run/x\n{owned}")


def test_a_tar_without_containers_needs_no_profile(tmp_path: Path) -> None:
    assert finished(tmp_path, {}).keys() == {bundles.SCRIPT}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({f"{X}/config.json": b"{"}, f"{X}/config.json in LinuxKit's tar is not JSON"),
        ({f"{X}/config.json": b"\xff"}, f"{X}/config.json in LinuxKit's tar is not JSON"),
        ({f"{X}/config.json": []}, f"{X}/config.json in LinuxKit's tar is not a JSON object"),
        ({f"{X}/config.json": {}}, f"{X}/config.json in LinuxKit's tar has no 'root'"),
        ({f"{X}/config.json": {"root": {"path": "/"}}}, "config.json .* has no 'process'"),
        ({f"{X}/config.json": container(user={})}, f"{X}/config.json .* has no 'uid'"),
        ({f"{X}/config.json": container(user={"uid": "x"})}, f"{X}/config.json .* wrong type"),
        ({f"{X}/config.json": {"root": 1}}, f"{X}/config.json .* wrong type"),
        ({f"{X}/config.json": None}, f"LinuxKit's tar has no {X}/config.json"),
        ({f"{X}/runtime.json": None}, f"LinuxKit's tar has no {X}/runtime.json"),
        ({f"{X}/runtime.json": b""}, f"{X}/runtime.json in LinuxKit's tar is not JSON"),
        ({f"{X}/runtime.json": {"mkdir": [5]}}, f"{X}/runtime.json .* wrong type"),
        ({f"{X}/runtime.json": {"mounts": [{}]}}, f"{X}/runtime.json .* has no 'source'"),
        ({DOCKERS: None}, f"LinuxKit's tar has no {DOCKERS} for x"),
        ({DOCKERS: {"defaultAction": "x"}}, f"{DOCKERS} .* has no 'syscalls'"),
        ({DOCKERS: {"syscalls": []}}, f"{DOCKERS} .* has no 'defaultAction'"),
        ({DOCKERS: profile({})}, f"{DOCKERS} .* has no 'names'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, changed: dict[str, Any], error: str
) -> None:
    missing = {name for name, content in changed.items() if content is None}
    files = {name: content for name, content in (GOOD | changed).items() if name not in missing}
    with pytest.raises(ReportedError, match=error):
        finished(tmp_path, files)
