"""docs/cmdline.md says exactly which program reads which parameter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest

from bootkit import settings
from bootkit.params import WorkerParams
from bootkit.shared import proxy, tinkerbell
from bootkit.shared.cmdline import Cmdline
from tink_docker.params import EngineParams

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| `([\w.]+)` \| ([\w, -]+) \| ([^|]+) \| ([^|]+) \|")

READ = {
    "bootkit": {*WorkerParams.names(), *proxy.PARAMETERS},
    "tink-docker": {*EngineParams.names(), *proxy.PARAMETERS},
    "settings": set(settings.PARAMETERS),
    "init": {"tinkie.shell"},
    "kernel": {"console"},
}


def documented() -> dict[str, set[str]]:
    """Return the parameters by program, as the tables say."""
    rows = ROW.findall((ROOT / "docs" / "cmdline.md").read_text(encoding="utf-8"))
    programs: dict[str, set[str]] = {program: set() for program in READ}
    for name, readers, _, _ in rows:
        for program in readers.split(", "):
            programs[program].add(name)
    return programs


class Recording(Cmdline):
    """A command line that has no parameter but a log's host, and knows what it was asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, name: str) -> str | None:
        self.asked.add(name)
        return "h" if name == "syslog_host" else None


def test_each_row_is_read() -> None:
    text = (ROOT / "docs" / "cmdline.md").read_text(encoding="utf-8")
    assert text.count("\n| `") == len(ROW.findall(text))


@pytest.mark.parametrize("program", READ)
def test_the_tables_are_what_the_program_reads(program: str) -> None:
    assert documented()[program] == READ[program]


def test_settings_reads_what_it_says_it_does() -> None:
    cmdline = Recording()
    for content in settings.FILES.values():
        content(cmdline)
    assert cmdline.asked - set(tinkerbell.NAMING) == READ["settings"]
