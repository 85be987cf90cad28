"""Every wait, bound and limit of a program is in its `policy.py`, with a unit and a reason."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAMS = ("bootkit", "tink_docker", "network", "tinkie")
WITHOUT = ("settings",)  # a program without policies
# Limits of other programs' formats (the kernel's command line, names), not policies of ours.
GRAMMAR = "tinkie/parameters"
UNITS = (
    *("_SECONDS", "_BYTES", "_MEBIBYTES", "_LINE", "_LINES", "_CHARACTERS", "_CONNECTIONS"),
    *("_SHARE", "_FACTOR", "_ATTEMPTS", "_TRIES", "_TIMES", "_FAILURES", "_MAXIMUM"),
    *("_LIMIT", "_FILES", "_ENDS"),
)
BOUNDS = ("seconds", "limit", "timeout", "first", "ceiling")  # keyword arguments


def modules(program: str) -> list[Path]:
    found = sorted((ROOT / program).rglob("*.py"))
    return [path for path in found if not str(path.relative_to(ROOT)).startswith(GRAMMAR)]


def constants(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield name and value of each constant, in a class, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_constant(name):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if is_constant(
                name
            ):
                yield name, value


def is_constant(name: str) -> bool:
    return name.isupper() and name not in ("_KIB", "_MIB")


def is_number(value: ast.expr) -> bool:
    parts = [node for node in ast.walk(value) if isinstance(node, ast.expr)]
    numbers = [one for one in parts if isinstance(one, ast.Constant)]
    return bool(numbers) and all(
        isinstance(one, ast.BinOp) or (one in numbers and type(one.value) in (int, float))
        for one in parts
    )


def default_numbers(tree: ast.AST) -> set[str]:
    """Return the numbers that are defaults of parameters, other than 0 and file modes."""
    defaults = (
        (argument.arg, default)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for arguments, values in (
            (node.args.args[-len(node.args.defaults) :], node.args.defaults),
            (node.args.kwonlyargs, node.args.kw_defaults),
        )
        for argument, default in zip(arguments, values, strict=False)
    )
    return {
        f"{name}={ast.unparse(default)}"
        for name, default in defaults
        if default is not None and is_number(default) and name != "mode"
    }


def policies_in(tree: ast.AST) -> set[str]:
    """Return what belongs into policy.py: constants with a unit, bounds as plain numbers."""
    named = {name for name, _ in constants(tree) if name.endswith(UNITS)}
    arguments = {
        f"{keyword.arg}={ast.unparse(keyword.value)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in BOUNDS and is_number(keyword.value)
    }
    return named | arguments | default_numbers(tree)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("program", [*PROGRAMS, *WITHOUT])
def test_no_other_module_has_a_policy(program: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {policy}"
        for path in modules(program)
        if path.name != "policy.py"
        for policy in policies_in(parsed(path))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("code", "policy"),
    [
        ("START_SECONDS = 3.0", "START_SECONDS"),
        ("_PIPE_BYTES: int = 64 * 1024", "_PIPE_BYTES"),
        ("class A:\n    TAIL_LINES = 5", "TAIL_LINES"),
        ("LATER = Backoff(first=5.0, ceiling=HIGH)", "first=5.0"),
        ("x = backoff.Backoff(first=1.0, ceiling=HIGH)", "first=1.0"),
        ("ask(url, limit=64 * 1024)", "limit=64 * 1024"),
        ("def f(a, b=2.0): ...", "b=2.0"),
        ("def f(*, c=3, d=None): ...", "c=3"),
    ],
)
def test_a_policy_is_recognised(code: str, policy: str) -> None:
    assert policies_in(ast.parse(code)) == {policy}


@pytest.mark.parametrize("code", ["HTTP_PORT = 80", "f(seconds=LONG)", "left_bytes = 3"])
def test_other_code_is_not_a_policy(code: str) -> None:
    assert policies_in(ast.parse(code)) == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_policy_has_a_unit_and_a_reason(program: str) -> None:
    path = ROOT / program / "policy.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in parsed(path).body:
        if not isinstance(node, ast.Assign):
            continue
        name = ast.unparse(node.targets[0])
        if not is_constant(name):
            continue
        if is_number(node.value):
            assert name.endswith(UNITS), f"{name}: which unit?"
        above = lines[: node.lineno - 1]
        paragraph = above[len(above) - above[::-1].index("") :]
        behind = lines[node.end_lineno - 1] if node.end_lineno else ""
        assert "  # " in behind or (paragraph and paragraph[0].startswith("# ")), f"{name}: why?"


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_policy_is_used(program: str) -> None:
    names = {name for name, _ in constants(parsed(ROOT / program / "policy.py"))}
    nodes = [
        node
        for package in PROGRAMS
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(parsed(path))
    ]
    imported = {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == f"{program}.policy"
        for alias in node.names
    }
    looked_up = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "policy"
    }
    assert names - imported - looked_up == set()


def test_no_name_stands_for_two_values() -> None:
    names = [
        name for program in PROGRAMS for name, _ in constants(parsed(ROOT / program / "policy.py"))
    ]
    assert len(names) == len(set(names))
