"""The boot servers of three generations, and the worker that each of them gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootkit.cli import main

DATA = Path(__file__).parents[2] / "data"
GENERATIONS = ["2021-boots", "2024-smee", "2026-tinkerbell"]


def dry_run(generation: str) -> int:
    folder = DATA / generation
    metadata = ["--metadata", str(folder / "metadata.json")]
    return main(["--dry-run", "--cmdline", str(folder / "cmdline"), *metadata])


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_worker_of_each_generation(generation: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(generation) == 0
    printed = capsys.readouterr()
    golden = DATA / generation
    assert json.loads(printed.out) == json.loads((golden / "worker.json").read_text())
    assert printed.err == (golden / "docker-run").read_text()


def test_the_password_of_2021_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Admin1" in (DATA / "2021-boots" / "cmdline").read_text()
    dry_run("2021-boots")
    printed = capsys.readouterr()
    assert "Admin1" not in printed.out + printed.err
