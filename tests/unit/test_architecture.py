"""The rules of design, section 3, and style, section 6.4, that imports and calls can break."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
AGENTS = ("bootkit", "tink_docker")
SHARED_MAY_USE = {"httpx", "pydantic", "pydantic_core", "structlog", "tenacity", "bootkit.shared"}


def modules(*packages: str) -> list[Path]:
    return [path for name in packages for path in sorted((ROOT / name).rglob("*.py"))]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def users_of(library: str, *packages: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in modules(*packages)
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }


def calls(name: str, *packages: str) -> set[str]:
    """Return the modules that mention the attribute `name`, such as time.sleep."""
    return {
        str(path.relative_to(ROOT))
        for path in modules(*packages)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == name
    }


def test_the_packages_are_found() -> None:
    assert {"bootkit/cli.py", "bootkit/shared/cmdline.py", "tink_docker/cli.py"} <= {
        str(path.relative_to(ROOT)) for path in modules(*AGENTS)
    }


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("docker", {"bootkit/engine.py", "bootkit/engine_errors.py"}),
        ("requests", {"bootkit/engine.py", "bootkit/engine_errors.py"}),
        ("httpx", {"bootkit/shared/fetch.py", "bootkit/shared/http_errors.py"}),
    ],
)
def test_who_uses_a_foreign_library(library: str, users: set[str]) -> None:
    assert users_of(library, *AGENTS) == users


def test_processes_are_started_in_tink_docker_only() -> None:
    assert users_of("subprocess", *AGENTS) <= {"tink_docker/child.py"}


def test_time_passes_in_the_two_programs_only() -> None:
    users = calls("time.sleep", *AGENTS)
    assert "bootkit/cli.py" in users
    assert users <= {"bootkit/cli.py", "tink_docker/cli.py"}


@pytest.mark.parametrize("library", ["asyncio", "threading", "multiprocessing", "concurrent"])
def test_one_thread_and_no_async(library: str) -> None:
    assert users_of(library, *AGENTS) == set()


def test_shared_uses_nothing_of_the_programs() -> None:
    ours = {"bootkit", "tink_docker", "release", "sandbox"}
    for path in modules("bootkit/shared"):
        for name in imports(path):
            if name.partition(".")[0] in ours:
                assert name.startswith("bootkit.shared"), f"{path} imports {name}"


def test_tink_docker_uses_only_the_shared_part_of_bootkit() -> None:
    for path in modules("tink_docker"):
        for name in imports(path):
            if name.startswith("bootkit"):
                assert name.startswith("bootkit.shared"), f"{path} imports {name}"


def test_bootkit_does_not_use_tink_docker() -> None:
    assert users_of("tink_docker", "bootkit") == set()


def test_the_system_uses_nothing_of_the_build() -> None:
    assert users_of("release", *AGENTS) | users_of("sandbox", *AGENTS) == set()


def test_importing_bootkit_imports_nothing() -> None:
    assert (ROOT / "bootkit/__init__.py").read_text(encoding="utf-8") == ""


def test_modules_stay_small() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*AGENTS)}
    assert {str(path): count for path, count in lines.items() if count > 300} == {}


def test_functions_stay_small() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in modules(*AGENTS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 40
    }
    assert long == set()
