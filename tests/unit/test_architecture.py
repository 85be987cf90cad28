"""The rules of design, section 3, and style, section 6.4, that imports and calls can break."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
AGENTS = ("bootkit", "tink_docker")
LIBRARIES = {"httpx", "pydantic", "pydantic_core", "structlog", "tenacity"}
DOCKER = {"docker", "requests", "urllib3"}  # the library, and those below it


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
        place(path)
        for path in modules(*packages)
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }


def mentions(name: str, *packages: str) -> set[str]:
    """Return the modules that mention the attribute `name`, such as time.sleep."""
    return {
        place(path)
        for path in modules(*packages)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == name
    }


def test_the_packages_are_found() -> None:
    assert {"bootkit/cli.py", "bootkit/shared/cmdline.py", "tink_docker/cli.py"} <= {
        place(path) for path in modules(*AGENTS)
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


def test_processes_are_started_in_one_place() -> None:
    assert users_of("subprocess", *AGENTS) == {"tink_docker/child.py"}


def test_time_passes_in_the_programs_only() -> None:
    assert mentions("time.sleep", *AGENTS) == {"bootkit/cli.py"}
    waits = {"tink_docker/cli.py", "tink_docker/api.py", "tink_docker/remains.py"}
    assert mentions("select.select", *AGENTS) == waits


@pytest.mark.parametrize("library", ["asyncio", "threading", "multiprocessing", "concurrent"])
def test_one_thread_and_no_async(library: str) -> None:
    assert users_of(library, *AGENTS) == set()


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("bootkit/shared", LIBRARIES),
        ("bootkit", {*LIBRARIES, *DOCKER}),
        ("tink_docker", LIBRARIES),
    ],
)
def test_which_libraries_a_package_uses(package: str, allowed: set[str]) -> None:
    ours = {"bootkit", "tink_docker"}
    names = {name.partition(".")[0] for path in modules(package) for name in imports(path)}
    assert names - sys.stdlib_module_names - ours <= allowed


def test_shared_uses_nothing_of_the_programs() -> None:
    ours = {"bootkit", "tink_docker"}
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


LONGEST_MODULE = 200
LONGEST_FUNCTION = 15  # lines of code: neither docstring, comments nor blank lines
LONGER = {
    "bootkit/boot.py:run": "the phases of a boot, one after the other: the list is the point",
}


def test_modules_stay_small() -> None:
    lines = {place(path): path.read_text(encoding="utf-8").count("\n") for path in modules(*AGENTS)}
    assert {path: count for path, count in lines.items() if count > LONGEST_MODULE} == {}


def test_functions_stay_small() -> None:
    long = {
        f"{place(path)}:{function.name}"
        for path in modules(*AGENTS)
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and lines_of_code(path, function) > LONGEST_FUNCTION
    }
    assert long == LONGER.keys()


def lines_of_code(path: Path, function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    lines = path.read_text(encoding="utf-8").splitlines()[body[0].lineno - 1 : function.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))
