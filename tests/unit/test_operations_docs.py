"""docs/operations.md explains what a person may find on the console, and nothing else."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bootkit import policy as bootkit_policy
from network import policy as network_policy
from tink_docker import policy as tink_docker_policy
from tinkie import policy as tinkie_policy
from tinkie.error_kinds import ErrorKind
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

AGENTS = {"bootkit": "bootkit", "tink_docker": "tink-docker"}
NAME = r"[a-z_]+\.[a-z_]+"
TO_CONSOLE = {"info", "warning", "error", "exception"}
LEVELS = {*TO_CONSOLE, "debug"}
IN_SHELL = re.compile(rf"\b(?:say|announce|now|to_consoles)(?: (?:init|dhcp|ntp))? ({NAME})\b")
SEVERAL = "Several programs"
ROW = re.compile(r"^\| `([^`]+)` \| (\S.*) \| (\S.*) \|$", re.MULTILINE)
UNITS = {
    "s": 1,
    "min": 60,
    "bytes": 1,
    "KiB": 1024,
    "MiB": 1024**2,
    "lines": 1,
    "ends": 1,
    "files": 1,
    "times": 1,
    "": 1,
}


def calls(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Yield level and first argument of each call of a logger."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=logger, attr=level), args=[event, *_]):
                if level in LEVELS and re.search(r"\blog$|get_logger\(\)$", ast.unparse(logger)):
                    yield level, event


def logged(package: str) -> set[str]:
    """Return the events that a package's Python code puts on the console."""
    found = (call for path in (ROOT / package).rglob("*.py") for call in calls(path))
    return {
        event.value
        for level, event in found
        if level in TO_CONSOLE and isinstance(event, ast.Constant) and isinstance(event.value, str)
    }


def announced(image: str) -> set[str]:
    """Return the events that an image's shell scripts put on the console."""
    paths = (path for path in (ROOT / "images" / image).rglob("*") if path.is_file())
    return {name for path in paths for name in IN_SHELL.findall(path.read_text(encoding="utf-8"))}


def programs_by_event() -> dict[str, set[str]]:
    """Return event -> the programs that put it on the console."""
    by_program = {
        program: logged(package) | logged("tinkie") for package, program in AGENTS.items()
    }
    by_program |= {path.name: announced(path.name) for path in (ROOT / "images").glob("*/")}
    by_program["dhcp"] |= logged("network")
    found: dict[str, set[str]] = {}
    for program, events in by_program.items():
        for event in events:
            found.setdefault(event, set()).add(program)
    return found


def section(title: str, level: str = "##") -> str:
    """Return the text below a heading, up to the next one of its level."""
    _, _, rest = PAGE.partition(f"\n{level} {title}\n")
    return rest.partition(f"\n{level} ")[0]


def rows(text: str) -> list[str]:
    """Return the names in the first column of the tables."""
    return [name for name, _, _ in ROW.findall(text)]


def groups() -> dict[str, list[str]]:
    """Return program -> the events below its heading."""
    events = section("Events")
    titles = re.findall(r"^### (.+)$", events, re.MULTILINE)
    return {title: rows(section(title, "###").partition("\n## ")[0]) for title in titles}


def test_each_event_has_one_row_and_each_row_an_event() -> None:
    assert Counter(rows(section("Events"))) == Counter(programs_by_event().keys())


def test_each_row_stands_under_the_program_that_logs_it() -> None:
    expected: dict[str, set[str]] = {}
    for event, programs in programs_by_event().items():
        group = programs.pop() if len(programs) == 1 else SEVERAL
        expected.setdefault(group, set()).add(event)
    assert {title: set(events) for title, events in groups().items()} == expected


def test_a_row_says_what_an_event_means_and_what_to_do() -> None:
    events = section("Events")
    assert len(ROW.findall(events)) == events.count("\n| `")


def test_rows_are_sorted() -> None:
    for events in groups().values():
        assert events == sorted(events)


def test_each_event_is_a_literal() -> None:
    packages = (*AGENTS, "network", "tinkie")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    events = [event for path in paths for _, event in calls(path)]
    assert events
    for event in events:
        assert isinstance(event, ast.Constant), ast.unparse(event)
        assert re.fullmatch(NAME, str(event.value)), event.value


def test_python_and_shell_are_read() -> None:
    found = programs_by_event()
    assert {"worker.started", "boot.started", "host.unreachable", "reboot.failed"} <= found.keys()
    assert found["engine.ready"] == {"bootkit", "tink-docker"}
    assert "worker.log" not in found  # at level debug, which no console gets


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_no_document_names_an_event_that_there_is_not(path: Path) -> None:
    events = programs_by_event().keys()
    nouns = "|".join(sorted({event.partition(".")[0] for event in events}))
    named = re.compile(rf"`(?:[a-z-]+: )?((?:{nouns})\.(?!json|pem)[a-z_]+)`")
    assert set(named.findall(path.read_text(encoding="utf-8"))) <= events


def test_each_error_kind_has_one_row_and_each_row_a_kind() -> None:
    assert rows(section("Error kinds")) == sorted(kind.value for kind in ErrorKind)


def constants() -> list[tuple[str, str, str]]:
    """Return file, name and value of each constant that the page quotes."""
    found = ROW.findall(section("Waits and limits"))
    return [(*name.split(": "), value) for name, value, _ in found if ": " in name]


def test_constants_are_quoted() -> None:
    assert len(constants()) > 30


@pytest.mark.parametrize(("path", "name", "value"), constants())
def test_a_quoted_constant_is_what_the_code_has(path: str, name: str, value: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    unit = UNITS["MiB"] if name.endswith("_MEBIBYTES") else 1
    found = [unit * one for one in numbers(getattr(module, name))]
    assert [number(part) for part in value.split(" to ")] == found


def test_a_number_with_its_constant_in_brackets_is_what_the_code_has() -> None:
    """In any document: 120 s without an answer (`DOCKERD_HANGS_AFTER_SECONDS`)."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    quoted = re.findall(r"([0-9.]+) s\b[^|(]{0,60}\(`([A-Z_]+_SECONDS)`\)", text)
    policies = (bootkit_policy, tink_docker_policy, network_policy, tinkie_policy)
    found = {name: value for policy in policies for name, value in vars(policy).items()}
    assert quoted
    assert all(float(seconds) == found[name] for seconds, name in quoted), quoted


def number(text: str) -> float:
    count, _, unit = text.partition(" ")
    return float(count) * UNITS[unit]


def numbers(value: Any) -> list[float]:
    return [value.first, value.ceiling] if isinstance(value, Backoff) else [float(value)]
