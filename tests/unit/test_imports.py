"""The programs do not load what they do not use: it is most of the time that they need to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen  # taken before unit tests are kept from starting any


def run(code: str) -> str:
    with Process([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        return process.stdout.read().decode().strip()


def loaded(program: str, module: str) -> bool:
    return run(f"import {program}, sys; print('{module}' in sys.modules)") == "True"


@pytest.mark.parametrize("program", ["bootkit.cli, bootkit.boot", "tink_docker.cli"])
@pytest.mark.parametrize("module", ["httpx", "docker", "requests", "tenacity"])
def test_a_program_does_not_load_this_before_it_needs_it(program: str, module: str) -> None:
    assert not loaded(program, module)


def test_tink_docker_does_without_pydantic() -> None:
    assert not loaded("tink_docker.cli, tink_docker.keeper", "pydantic")


def test_the_settings_load_next_to_nothing() -> None:
    for module in ("pydantic", "structlog", "argparse", "json", "ssl"):
        assert not loaded("settings.files", module)
