"""Which versions of its programs a build host has."""

from __future__ import annotations

import platform
import subprocess
from typing import TYPE_CHECKING

from release import packers

if TYPE_CHECKING:
    import pytest

PACKAGES = {"cpio": "cpio", "mksquashfs": "squashfs-tools", "zstd": "libzstd1"}


def test_versions_are_those_that_debian_names() -> None:
    found = packers.versions()
    assert found.keys() == {*PACKAGES, "python"}
    assert found["python"] == platform.python_version()
    for name, package in PACKAGES.items():
        command = ["dpkg-query", "-W", "-f", "${Version}", package]
        version = subprocess.check_output(command, text=True).rpartition(":")[2]
        assert found[name]
        assert version.startswith((f"{found[name]}-", f"{found[name]}+"))


def test_a_library_that_is_not_there_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packers, "ZSTD", "libno-such.so.1")
    assert packers.versions()["zstd"] == ""
