"""The programs do not load what they do not use: it is most of the time that they need to start."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen  # taken before unit tests are kept from starting any


@cache
def loaded(*modules: str) -> frozenset[str]:
    """Return the names of all modules that a new interpreter has after importing these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    with Process([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        found = frozenset(process.stdout.read().decode().split())
    assert found.issuperset(modules), "the import failed"
    return found


@pytest.mark.parametrize("program", [("bootkit.cli", "bootkit.boot"), ("tink_docker.cli",)])
@pytest.mark.parametrize("module", ["httpx", "docker", "requests", "tenacity", "pydantic"])
def test_a_program_does_not_load_this_before_it_needs_it(
    program: tuple[str, ...], module: str
) -> None:
    assert module not in loaded(*program)


@pytest.mark.parametrize("program", [("bootkit.cli", "bootkit.boot"), ("tink_docker.cli",)])
def test_structlog_does_not_load_what_is_for_coroutines(program: tuple[str, ...]) -> None:
    assert "asyncio.base_events" not in loaded(*program)


@pytest.mark.parametrize("module", ["_ssl", "_hashlib", "shutil", "tinkie.fetch.fetcher"])
def test_tink_docker_loads_no_tls_without_a_certificate_to_fetch(module: str) -> None:
    assert module not in loaded("tink_docker.cli", "tink_docker.keeper")


def test_the_network_service_loads_no_library() -> None:
    found = loaded("network.cli")
    assert not found & {
        "structlog",
        "argparse",
        "logging",
        "tempfile",
        "random",
        "traceback",
        "asyncio",
        "http",
        "ssl",
    }


def test_the_settings_load_next_to_nothing() -> None:
    assert not loaded("settings.files") & {"pydantic", "structlog", "argparse", "json", "ssl"}
