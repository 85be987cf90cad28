"""The programs do not load what they do not use: it is most of the time that they need to start."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen  # taken before unit tests are kept from starting any


BOOTKIT = ("bootkit.cli", "bootkit.boot")
TINK_DOCKER = ("tink_docker.cli", "tink_docker.keeper")
NETWORK = ("network.cli",)


@cache
def loaded(*modules: str, then: str = "pass") -> frozenset[str]:
    """Return the names of all modules that a new interpreter has after importing these.

    Those that wait for their first use do not count: see tinkie/running/late.py. then: a statement.
    """
    names = "name for name, module in sys.modules.items() if '_Lazy' not in type(module).__name__"
    code = f"import sys, {', '.join(modules)}; {then}; print(*({names}))"
    with Process([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        found = frozenset(process.stdout.read().decode().split())
    assert found.issuperset(modules), "the import failed"
    return found


@pytest.mark.parametrize("program", [BOOTKIT, TINK_DOCKER])
@pytest.mark.parametrize("module", ["httpx", "docker", "requests", "tenacity", "pydantic"])
def test_a_program_does_not_load_this_before_it_needs_it(
    program: tuple[str, ...], module: str
) -> None:
    assert module not in loaded(*program)


@pytest.mark.parametrize("program", [BOOTKIT, TINK_DOCKER])
@pytest.mark.parametrize("module", ["asyncio.base_events", "logging", "structlog.threadlocal"])
def test_structlog_does_not_load_what_is_for_coroutines_and_other_loggers(
    program: tuple[str, ...], module: str
) -> None:
    assert module not in loaded(*program)


@pytest.mark.parametrize("program", [BOOTKIT, TINK_DOCKER, NETWORK])
@pytest.mark.parametrize("module", ["tinkie.parameters.bond", "tinkie.parameters.ipam"])
def test_a_program_loads_nothing_for_few_machines(program: tuple[str, ...], module: str) -> None:
    assert module not in loaded(*program)


@pytest.mark.parametrize("program", [BOOTKIT, TINK_DOCKER])
def test_the_arguments_do_not_load_archive_formats(program: tuple[str, ...]) -> None:
    assert "shutil" not in loaded(*program, then=f"{program[0]}._options([])")


@pytest.mark.parametrize("module", ["_ssl", "_hashlib", "shutil", "tinkie.fetch.fetcher"])
def test_tink_docker_loads_no_tls_without_a_certificate_to_fetch(module: str) -> None:
    assert module not in loaded(*TINK_DOCKER)


def test_tink_docker_loads_nothing_for_low_space() -> None:
    assert "tink_docker.heaviest" not in loaded(*TINK_DOCKER)


def test_the_network_service_loads_no_library() -> None:
    found = loaded(*NETWORK)
    assert not found & {
        "structlog",
        "argparse",
        "logging",
        "tempfile",
        "random",
        "traceback",
        "asyncio",
        "http",
        "locale",
        "ssl",
    }


def test_the_settings_load_next_to_nothing() -> None:
    assert not loaded("settings.files") & {"pydantic", "structlog", "argparse", "json", "ssl"}
