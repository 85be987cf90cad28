"""select-modules: the list decides, and dependencies come along."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.broken_program import BrokenProgram, all_calls_matter

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = Path(__file__).parent / "select-modules"
DEP = """\
kernel/drivers/net/ethernet/e1000.ko.xz:
kernel/drivers/net/wireless/ath.ko.xz: kernel/net/wireless/cfg80211.ko.xz kernel/net/rfkill.ko.xz
kernel/drivers/net/bonding.ko.xz: kernel/net/tls.ko.xz kernel/lib/crc.ko.xz
kernel/net/wireless/cfg80211.ko.xz: kernel/net/rfkill.ko.xz
kernel/net/rfkill.ko.xz:
kernel/net/tls.ko.xz: kernel/lib/crc.ko.xz
kernel/lib/crc.ko.xz:
kernel/sound/snd.ko.xz:
"""


@pytest.fixture
def select(tmp_path: Path) -> Callable[..., list[str]]:
    def run(rules: str, *sign: str) -> list[str]:
        (tmp_path / "list").write_text(rules)
        (tmp_path / "modules.dep").write_text(DEP)
        command = [str(SCRIPT), str(tmp_path / "list"), str(tmp_path / "modules.dep"), *sign]
        kept = subprocess.check_output(command, text=True).split()
        return [path.removeprefix("kernel/").removesuffix(".ko.xz") for path in kept]

    return run


def test_nothing_is_kept_without_a_line(select: Callable[..., list[str]]) -> None:
    assert select("# only a comment: + sound/\n") == []


def test_last_line_that_matches_decides(select: Callable[..., list[str]]) -> None:
    ethernet, bond = "drivers/net/ethernet/e1000", "drivers/net/bonding"
    needed = ["lib/crc", "net/tls"]
    assert select("+ drivers/net/\n- drivers/net/wireless/\n") == [bond, ethernet, *needed]
    assert select("- drivers/net/wireless/\n+ drivers/net/e\n") == [ethernet]
    assert select("+ drivers/net/\n- drivers/net/\n+ drivers/net/bond\n") == [bond, *needed]


def test_dependencies_are_kept_even_if_a_line_drops_them(
    select: Callable[..., list[str]],
) -> None:
    kept = select("+ drivers/net/wireless/\n- net/\n")
    assert kept == ["drivers/net/wireless/ath", "net/rfkill", "net/wireless/cfg80211"]


def test_line_is_the_beginning_of_a_path(select: Callable[..., list[str]]) -> None:
    assert select("+ snd\n+ net/wireless/cfg8\n") == ["net/rfkill", "net/wireless/cfg80211"]


def test_modules_of_one_sign_come_with_what_they_need(select: Callable[..., list[str]]) -> None:
    rules = (
        "+ drivers/net/\n- drivers/net/wireless/\n= drivers/net/bond\n= net/rfkill\n- net/rfkill\n"
    )
    bond = ["drivers/net/bonding", "lib/crc", "net/tls"]
    assert select(rules, "=") == bond
    assert select(rules) == [bond[0], "drivers/net/ethernet/e1000", *bond[1:]]


@pytest.mark.parametrize("program", ["awk", "sort"])
def test_program_that_fails_makes_it_fail(tmp_path: Path, program: str) -> None:
    for name in ("list", "modules.dep"):
        (tmp_path / name).write_text("")
    broken = BrokenProgram(tmp_path / "broken", program)

    def run_broken(call: int) -> int:
        environment = os.environ | {"PATH": f"{broken.at(call)}:{os.environ['PATH']}"}
        command = [SCRIPT, tmp_path / "list", tmp_path / "modules.dep"]
        return subprocess.run(command, env=environment, check=False).returncode

    assert all_calls_matter(broken, run_broken)
