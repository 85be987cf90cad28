"""Rules of docs/architecture.md: which module may import and call what."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SYSTEM = ("tinkie", "bootkit", "tink_docker", "network", "settings")  # what runs in the OS
LIBRARIES = {"httpx", "structlog", "tenacity"}
DOCKER = {"docker", "requests", "urllib3"}  # the library, and those below it


def modules(*packages: str) -> list[Path]:
    return [path for name in packages for path in sorted((ROOT / name).rglob("*.py"))]


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def users_of(library: str, *packages: str) -> set[str]:
    return {
        relative(path)
        for path in modules(*packages)
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }


def mentions(name: str, *packages: str) -> set[str]:
    """Return the modules that mention the attribute `name`, such as time.sleep."""
    return {
        relative(path)
        for path in modules(*packages)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == name
    }


def test_the_packages_are_found() -> None:
    assert {
        *("bootkit/cli.py", "tink_docker/cli.py", "network/cli.py", "settings/files.py"),
        "tinkie/paths.py",
    } <= {relative(path) for path in modules(*SYSTEM)}


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("docker", {"bootkit/engine/docker.py", "bootkit/engine/errors.py"}),
        ("requests", {"bootkit/engine/docker.py", "bootkit/engine/errors.py"}),
        ("urllib3", {"bootkit/engine/errors.py"}),
        ("httpx", {"tinkie/fetch/fetcher.py", "tinkie/fetch/http_errors.py"}),
        ("tenacity", {"tinkie/running/backoff.py"}),
        ("pydantic", {"bootkit/image/docker_config.py", "bootkit/image/manifest.py"}),
        ("structlog", {"tinkie/running/log.py"}),
    ],
)
def test_which_modules_use_a_library(library: str, users: set[str]) -> None:
    assert users_of(library, *SYSTEM) == users


def test_processes_are_started_in_one_place() -> None:
    assert users_of("subprocess", *SYSTEM) == {"tink_docker/engine/child.py", "network/kernel.py"}
    assert mentions("os.posix_spawn", *SYSTEM) == {"network/dhcpcd.py"}


def test_time_passes_in_the_programs_only() -> None:
    assert mentions("time.sleep", *SYSTEM) == {"bootkit/cli.py"}
    waits = {"tink_docker/cli.py", "tink_docker/engine/api.py", "tink_docker/repair/leftovers.py"}
    assert mentions("select.select", *SYSTEM) == waits


@pytest.mark.parametrize("library", ["asyncio", "multiprocessing", "concurrent"])
def test_no_async(library: str) -> None:
    assert users_of(library, *SYSTEM) == set()


def test_threads_look_up_names_and_do_nothing_else() -> None:
    assert users_of("threading", *SYSTEM) == {"tinkie/fetch/name_lookups.py"}


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("tinkie", LIBRARIES),
        ("bootkit", {*LIBRARIES, *DOCKER, "pydantic"}),
        ("tink_docker", LIBRARIES),
        ("network", set()),
        ("settings", set()),
    ],
)
def test_which_libraries_a_package_uses(package: str, allowed: set[str]) -> None:
    names = {name.partition(".")[0] for path in modules(package) for name in imports(path)}
    assert names - sys.stdlib_module_names - set(SYSTEM) <= allowed


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("tinkie", set()),
        ("bootkit", {"tinkie", "network", "settings"}),
        ("tink_docker", {"tinkie"}),
        ("network", {"tinkie"}),
        ("settings", {"tinkie"}),
    ],
)
def test_which_of_our_packages_a_package_uses(package: str, allowed: set[str]) -> None:
    names = {name.partition(".")[0] for path in modules(package) for name in imports(path)}
    assert names & set(SYSTEM) - {package} <= allowed


def test_only_the_dry_run_uses_another_program() -> None:
    assert users_of("settings", "bootkit") == {"bootkit/dryrun.py"}
    assert users_of("network", "bootkit") == {"bootkit/dryrun.py"}


def test_the_system_uses_nothing_of_the_build() -> None:
    assert users_of("release", *SYSTEM) | users_of("sandbox", *SYSTEM) == set()


def test_data_classes_make_no_comparison_that_nobody_uses() -> None:
    """dataclasses compiles each of its methods at each start of a program: see performance.md."""
    comparable = {
        node.name
        for path in modules(*SYSTEM)
        for node in nodes(path)
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if decorator.startswith("dataclass") and "eq=False" not in decorator
    }
    assert comparable == {"Bond", "Credentials", "DockerConfig", "ImageReference", "Nic", "Proxies"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
