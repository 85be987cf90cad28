"""Which architecture a build is for, and which the host has."""

import platform
import re

import pytest

from release import arch
from release.errors import ReportedError
from release.version import PROJECT


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("", arch.X86_64), ("x86_64", arch.X86_64), ("aarch64", arch.AARCH64)],
)
def test_the_environment_names_it_and_x86_64_is_the_default_on_any_host(
    monkeypatch: pytest.MonkeyPatch, given: str, wanted: arch.Architecture
) -> None:
    monkeypatch.setenv("ARCH", given)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert arch.wanted() == wanted
    assert arch.own() == arch.AARCH64


@pytest.mark.parametrize("given", ["arm64", "amd64", "x86-64", "riscv64", "AARCH64"])
def test_another_name_is_an_error_that_lists_the_right_ones(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("ARCH", given)
    with pytest.raises(ReportedError, match=rf"^ARCH={given}: .* x86_64 and aarch64"):
        arch.wanted()


def test_a_host_of_another_architecture_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ReportedError, match="this machine's architecture is riscv64: "):
        arch.own()


def test_files_have_the_names_that_tinkerbell_asks_for() -> None:
    names = {(one.kernel, one.initramfs) for one in arch.ALL}
    assert names == {
        ("vmlinuz-x86_64", "initramfs-x86_64"),
        ("vmlinuz-aarch64", "initramfs-aarch64"),
    }


def test_no_other_file_knows_what_uefi_calls_an_architecture() -> None:
    names = re.compile("|".join(rf"\b{one.efi}\b|BOOT{one.efi.upper()}" for one in arch.ALL))
    assert names.search((PROJECT / "release/arch.py").read_text())
    files = [
        path
        for pattern in ("images/*/*", "release/*.py", "sandbox/**/*.py", "tests/compat/*.py")
        for path in PROJECT.glob(pattern)
        if path.is_file() and path.name != "arch.py"
    ]
    assert PROJECT / "images/iso/Dockerfile" in files
    assert [path for path in files if names.search(path.read_text())] == []
