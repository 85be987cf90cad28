"""Which Debian packages a build host gets."""

import platform

import pytest

from release import setup
from release.arch import AARCH64, ALL, X86_64, Architecture
from release.errors import ReportedError


@pytest.mark.parametrize("tests", [False, True])
def test_an_aarch64_host_lacks_only_what_debian_has_for_x86_64(*, tests: bool) -> None:
    ours, others = (set(setup.wanted(host, tests=tests)) for host in (X86_64, AARCH64))
    assert ours - others == {"syslinux", "syslinux-common"}
    assert others < ours


@pytest.mark.parametrize("host", ALL)
def test_tests_need_more(host: Architecture) -> None:
    more = set(setup.wanted(host, tests=True)) - set(setup.wanted(host))
    assert more == set(setup.TESTING.split())


def test_a_host_of_another_architecture_is_refused_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(setup, "_apt", lambda *_: pytest.fail("it installs packages"))
    with pytest.raises(ReportedError, match="this machine's architecture is riscv64: "):
        setup.setup()
