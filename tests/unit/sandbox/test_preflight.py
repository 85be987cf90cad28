from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from release.arch import AARCH64, ALL, X86_64, Architecture
from release.errors import ReportedError
from sandbox import preflight
from sandbox.network import Namespace

NETWORK = Namespace("tinkie-unit-test-that-is-never-made")


@pytest.fixture(autouse=True)
def _good_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(preflight, "missing_packages", lambda _target: [])
    monkeypatch.setattr(preflight, "_available_mib", lambda: 16384)
    usage = shutil.disk_usage("/")._replace(free=100 * 1024**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)


def test_a_good_machine_passes_and_nothing_is_made(tmp_path: Path) -> None:
    preflight.check(tmp_path / "not/yet", 2048, NETWORK, X86_64)
    assert list(tmp_path.iterdir()) == []


def test_root_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ReportedError, match="needs root"):
        preflight.check(tmp_path, 2048, NETWORK, X86_64)


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "missing_packages", lambda _target: ["mtools", "skopeo"])
    with pytest.raises(ReportedError, match="apt-get install mtools skopeo"):
        preflight.check(tmp_path, 2048, NETWORK, X86_64)


def test_too_little_memory_is_an_error_with_figures(tmp_path: Path) -> None:
    with pytest.raises(ReportedError, match=r"16384 MiB of memory are free; .* need 17408 MiB"):
        preflight.check(tmp_path, 16384, NETWORK, X86_64)


def test_too_little_space_is_an_error_with_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage("/")._replace(free=100 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    with pytest.raises(ReportedError, match="has 100 MiB free; the sandbox needs 2048 MiB"):
        preflight.check(tmp_path, 2048, NETWORK, X86_64)


@pytest.mark.parametrize("target", ALL)
def test_each_architecture_needs_its_emulator_and_firmware(
    monkeypatch: pytest.MonkeyPatch, target: Architecture
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "which", lambda _name, **_: None)
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    wanted = {
        X86_64: {"qemu-system-x86", "ovmf"},
        AARCH64: {"qemu-system-arm", "qemu-efi-aarch64"},
    }
    for of, packages in wanted.items():
        assert (packages <= set(preflight.missing_packages(target))) == (of == target)


def test_programs_outside_of_a_users_path_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked: list[str] = []

    def which(name: str, path: str) -> str:
        asked.append(path)
        return f"/usr/sbin/{name}"

    monkeypatch.setattr(shutil, "which", which)
    preflight.missing_packages(X86_64)
    assert all(path.endswith(":/usr/sbin:/sbin") for path in asked)
