"""The boot servers of three generations, all parameters at once, and the worker of each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootkit.cli import main
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.parameter import Reader
from tinkie.parameters.table import names_read_by

DATA = Path(__file__).parents[2] / "data"
LINES = ["2021-boots", "2024-smee", "2026-tinkerbell", "everything"]


def dry_run(line: str) -> int:
    folder = DATA / line
    metadata = ["--metadata", str(folder / "metadata.json")]
    return main(["--dry-run", "--cmdline", str(folder / "cmdline"), *metadata])


@pytest.mark.parametrize("line", LINES)
def test_the_worker_of_each_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(line) == 0
    printed = capsys.readouterr()
    golden = DATA / line
    assert json.loads(printed.out) == json.loads((golden / "worker.json").read_text())
    assert printed.err == (golden / "docker-run").read_text()


def test_everything_is_in_one_of_the_lines() -> None:
    everything = Cmdline.read(DATA / "everything" / "cmdline").values()
    assert set(names_read_by(Reader.BOOTKIT)) <= everything.keys()


@pytest.mark.parametrize(
    ("line", "secrets"),
    [("2021-boots", ["Admin1"]), ("everything", ["Sesam1", "Sesam2", "Sesam3"])],
)
def test_no_password_is_shown(
    line: str, secrets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    dry_run(line)
    printed = capsys.readouterr()
    for secret in secrets:
        assert secret in (DATA / line / "cmdline").read_text()
        assert secret not in printed.out + printed.err
