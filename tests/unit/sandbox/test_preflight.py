from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from release import setup
from release.arch import AARCH64, ALL, X86_64, Architecture
from release.errors import ReportedError
from sandbox import preflight
from sandbox.network import Namespace

MISSING_PACKAGES = preflight.missing_packages
NETWORK = Namespace("tinkie-unit-test-that-is-never-made")


@pytest.fixture(autouse=True)
def _good_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
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
    needed = set(_all_packages(monkeypatch, target))
    wanted = {
        X86_64: {"qemu-system-x86", "ovmf", "syslinux", "syslinux-common"},
        AARCH64: {"qemu-system-arm", "qemu-efi-aarch64"},
    }
    for of, packages in wanted.items():
        assert packages & needed == (packages if of == target else set())


@pytest.mark.parametrize("host", ALL)
@pytest.mark.parametrize("target", ALL)
def test_a_host_gets_what_the_sandbox_needs_or_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Architecture, target: Architecture
) -> None:
    installed = set(setup.wanted(host))
    needed = set(_all_packages(monkeypatch, target))
    monkeypatch.setattr(platform, "machine", lambda: host.name)
    monkeypatch.setattr(preflight, "missing_packages", lambda _: sorted(needed - installed))
    if (host, target) == (AARCH64, X86_64):
        assert needed - installed == {"syslinux", "syslinux-common"}
        with pytest.raises(ReportedError, match=r"aarch64 host .* x86_64: .* ARCH=aarch64"):
            preflight.check(tmp_path, 2048, NETWORK, target)
    else:
        preflight.check(tmp_path, 2048, NETWORK, target)


def _all_packages(monkeypatch: pytest.MonkeyPatch, target: Architecture) -> list[str]:
    """Return what is missing on a machine that has nothing."""
    with monkeypatch.context() as empty:
        empty.setattr(preflight, "missing_packages", MISSING_PACKAGES)
        empty.setattr(shutil, "which", lambda _name, **_: None)
        empty.setattr(Path, "exists", lambda _path: False)
        return preflight.missing_packages(target)


def test_programs_outside_of_a_users_path_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked: list[str] = []

    def which(name: str, path: str) -> str:
        asked.append(path)
        return f"/usr/sbin/{name}"

    monkeypatch.setattr(shutil, "which", which)
    preflight.missing_packages(X86_64)
    assert all(path.endswith(":/usr/sbin:/sbin") for path in asked)
