"""policy.py is the only place of the package's waiting times, bounds and sizes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tink_docker
from tink_docker import policy
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(tink_docker.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "policy.py")
UNITS = "SECONDS|BYTES|LINES?|CHARACTERS|CONNECTIONS|TRIES|TIMES|FAILURES|MAXIMUM|SHARE|FACTOR"
NUMBER = re.compile(rf"_?[A-Z][A-Z_]*_({UNITS})|_?({UNITS})")


def defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def policies_in(source: str) -> list[str]:
    """Return the policies that a module defines: constants with a unit, waits with back-off."""
    tree = ast.parse(source)
    constants = [name for name in defined(tree) if NUMBER.fullmatch(name)]
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return constants + [ast.unparse(call) for call in calls if _makes_backoff(call)]


def _makes_backoff(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] == "Backoff"


def numbers_in_defaults(source: str) -> list[str]:
    """Return the numbers other than 0 that are defaults of a function's parameters."""
    functions = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.Lambda)
    )
    defaults = (
        default
        for function in functions
        for default in (*function.args.defaults, *function.args.kw_defaults)
        if isinstance(default, ast.Constant)
    )
    return [ast.unparse(node) for node in defaults if type(node.value) in (int, float)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_has_a_policy(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert policies_in(source) == []
    assert [number for number in numbers_in_defaults(source) if number != "0o644"] == []


@pytest.mark.parametrize(
    "line",
    [
        "START_SECONDS = 3.0",
        "_LIMIT_BYTES: int = 4",
        "class A:\n    TAIL_LINES = 5",
        "SOON = Backoff(first=1.0, ceiling=2.0)",
        "x = backoff.Backoff(first=1.0, ceiling=2.0)",
    ],
)
def test_a_policy_is_found_wherever_it_stands(line: str) -> None:
    assert len(policies_in(line)) == 1


def test_a_default_is_found() -> None:
    assert numbers_in_defaults("def f(a, b=2.0, *, c=3, d=None): ...") == ["2.0", "3"]


def test_each_policy_has_a_unit_or_is_a_backoff_and_has_a_reason() -> None:
    lines = Path(policy.__file__).read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if re.match(r"[A-Z][A-Z_]+ = ", line)]
    assert len(found) > 30
    for line in found:
        name = line.partition(" = ")[0]
        assert NUMBER.fullmatch(name) or isinstance(getattr(policy, name), Backoff), name
        assert re.search(r"  # .{4}", line), f"{name} has no reason"
