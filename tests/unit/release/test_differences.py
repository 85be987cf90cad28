"""`make reproduce` names the inputs that moved, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from release import clone, differences
from release.errors import ReportedError
from release.version import commit, version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUM, OTHER_SUM = "0" * 128, "1" * 128
IMAGE_SUM = f"sha256:{'2' * 64}"
BOOTKIT, KERNEL = "tinkie/bootkit:build", "tinkie/kernel:build"


def manifest() -> dict[str, Any]:
    libc = {"package": "libc6", "version": "1", "source": "glibc", "source_version": "1"}
    return {
        "version": version(),
        "commit": commit(),
        "time": 1,
        "arch": "x86_64",
        "debian": {"trixie": "20261121T091544Z", "trixie-security": "20261128T025301Z"},
        "files": {
            "vmlinuz-x86_64": {"size": 1, "sha256": "0" * 64, "sha512": SUM},
            "initramfs-x86_64": {"size": 1, "sha256": "0" * 64, "sha512": SUM},
        },
        "images": {
            BOOTKIT: {
                "content": f"sha256:{'1' * 64}",
                "debian": [libc],
                "linked": [{"source": "golang", "source_version": "1.24"}],
                "python": [{"package": "httpx", "version": "0.28"}],
                "go": [{"program": "dockerd", "module": "m", "version": "v1", "sum": "h1:a"}],
            },
            KERNEL: {"content": IMAGE_SUM, "debian": [libc]},
        },
        "embedded": [],
    }


def differing() -> dict[str, Any]:
    """Return one whose initramfs has other bytes, and that is else the same."""
    other = copy.deepcopy(manifest())
    other["files"]["initramfs-x86_64"]["sha512"] = OTHER_SUM
    return other


Change = tuple["Callable[[dict[str, Any]], object]", list[str]]
CHANGES: list[Change] = [
    (
        lambda m: m.update(packers={"mksquashfs": "4.6.1"}),
        ["packer mksquashfs: none -> 4.6.1"],
    ),
    (
        lambda m: m["debian"].update({"trixie-security": "20261130T000000Z"}),
        ["Debian suite trixie-security: 20261128T025301Z -> 20261130T000000Z"],
    ),
    (
        lambda m: m["images"][KERNEL]["debian"].append({"package": "new", "version": "2"}),
        ["Debian package new: none -> 2"],
    ),
    (
        lambda m: m["images"][KERNEL]["debian"].__setitem__(
            0, {"package": "libc6", "version": "2"}
        ),
        ["Debian package libc6: 1 -> 1, 2"],
    ),
    (
        lambda m: m["images"][BOOTKIT]["linked"].clear(),
        ["statically linked source golang: 1.24 -> none"],
    ),
    (
        lambda m: m["images"][BOOTKIT]["python"][0].update(version="0.29"),
        ["Python package httpx: 0.28 -> 0.29"],
    ),
    (
        lambda m: m["images"][BOOTKIT]["go"][0].update(sum="h1:b"),
        ["Go module m: v1 h1:a -> v1 h1:b"],
    ),
    (
        lambda m: m["images"][KERNEL].update(content="sha256:33"),
        [f"image {KERNEL}: {IMAGE_SUM} -> sha256:33 (of the same packages)"],
    ),
    (
        lambda m: (
            m["images"][BOOTKIT].update(content="sha256:33"),
            m["images"][BOOTKIT]["python"][0].update(version="0.29"),
        ),
        ["Python package httpx: 0.28 -> 0.29", f"image {BOOTKIT}: sha256:{'1' * 64} -> sha256:33"],
    ),
    (lambda m: m["images"].pop(KERNEL), [f"image {KERNEL}: {IMAGE_SUM} -> none"]),
    (lambda m: m.update(time=2), ["time: 1 -> 2"]),
]


@pytest.mark.parametrize(("change", "lines"), CHANGES, ids=[lines[0] for _, lines in CHANGES])
def test_what_moved_is_named(
    change: Callable[[dict[str, Any]], object],
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = differing()
    change(other)
    assert differences.inputs(manifest(), other) == lines
    assert not clone.compare(manifest(), other)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"{SUM}  vmlinuz-x86_64",
        "initramfs-x86_64 differs",
        *(f"  {line}" for line in lines),
    ]


def test_the_same_bytes_are_the_same_whatever_moved(capsys: pytest.CaptureFixture[str]) -> None:
    other = manifest()
    other["images"][KERNEL]["content"] = "sha256:33"
    assert clone.compare(manifest(), other)
    assert capsys.readouterr().out == f"{SUM}  vmlinuz-x86_64\n{SUM}  initramfs-x86_64\n"


def test_other_bytes_of_the_same_inputs_are_named_as_that(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not clone.compare(manifest(), differing())
    assert "no input moved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("commit", "0123456789ab", "git checkout 0123456789ab"),
        ("version", "9.9.9", "VERSION=9.9.9"),
        ("arch", "aarch64", "ARCH=aarch64"),
    ],
)
def test_a_release_that_this_clone_would_not_build_is_refused_before_half_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: str, remedy: str
) -> None:
    monkeypatch.delenv("ARCH", raising=False)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest()))
    assert clone.wanted(path) == manifest()
    path.write_text(json.dumps(manifest() | {field: value}))
    with pytest.raises(ReportedError, match=f"of another {field} .*: {remedy}$"):
        clone.wanted(path)
