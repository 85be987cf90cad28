"""How the engine's programs are built: what is replaced, the toolchain, the licences."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from release import gotools, programs
from release.arch import AARCH64, X86_64
from release.errors import ReportedError
from release.version import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "example.org/engine/logs"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a module with the vendored package PACKAGE of two files."""
    package = tmp_path / "vendor" / PACKAGE
    package.mkdir(parents=True)
    for name in ("list.go", "cloud.go"):
        (package / name).write_text(f"package logs // {name}")
    return tmp_path


def replace(source: Path, name: str, package: str = PACKAGE) -> list[str]:
    """Replace a file; return the names of the package's files with ours marked."""
    path = source / programs.REPLACED / package / name
    path.parent.mkdir(parents=True)
    path.write_text("package logs // ours")
    programs.replace(source / programs.REPLACED, source / "vendor")
    files = sorted((source / "vendor" / PACKAGE).iterdir())
    return [f"{'our ' * ('ours' in file.read_text())}{file.name}" for file in files]


def test_a_file_takes_the_place_of_the_one_of_its_name(source: Path) -> None:
    assert replace(source, "list.go") == ["cloud.go", "our list.go"]


def test_package_takes_the_place_of_every_file(source: Path) -> None:
    assert replace(source, "package.go") == ["our package.go"]


def test_tinkie_is_added(source: Path) -> None:
    assert replace(source, "tinkie.go") == ["cloud.go", "list.go", "our tinkie.go"]


@pytest.mark.parametrize(
    ("name", "package"),
    [("other.go", PACKAGE), ("package.go", "example.org/gone"), ("tinkie.go", "example.org/gone")],
)
def test_what_an_update_has_renamed_is_an_error(source: Path, name: str, package: str) -> None:
    with pytest.raises(ReportedError, match=rf"{name} replaces nothing"):
        replace(source, name, package)


def test_another_way_to_build_makes_programs_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []

    def keep(partial: Path, folder: Path) -> None:
        shutil.move(partial, folder)
        built.append(folder)

    @contextmanager
    def source(_module: str, _target: object) -> Iterator[Path]:
        (tmp_path / "programs").mkdir(exist_ok=True)
        yield tmp_path

    def compiled(_program: object, _target: object, _source: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    monkeypatch.setattr(programs, "OUT", tmp_path / "out")
    monkeypatch.setattr(programs, "HOW", (tmp_path / "how",))
    monkeypatch.setattr(programs, "keep", keep)
    monkeypatch.setattr(programs, "source", source)
    monkeypatch.setattr(programs, "_compile", compiled)
    monkeypatch.setattr(programs, "_describe", lambda *_: None)
    monkeypatch.setattr(gotools, "check", lambda: None)
    states = (("one way", X86_64, 2), ("one way", AARCH64, 1), ("another", X86_64, 1))
    for text, target, times in states:
        (tmp_path / "how").write_text(text)
        for _ in range(times):
            programs.build(target)
    assert len(built) == len(set(built)) == len(states) * len(programs.PROGRAMS)


@pytest.mark.parametrize("module", programs.PROGRAMS)
def test_each_module_names_its_toolchain(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    environment = programs.environment(PROJECT / "programs" / module / "go.mod", AARCH64)
    assert environment["GOARCH"] == "arm64"
    assert environment["GOTOOLCHAIN"].startswith("go1.")
    assert environment["GOFLAGS"] == ""


def test_a_licence_is_there_once_with_what_has_it(tmp_path: Path) -> None:
    for package, name, text in (
        ("a.org/x", "LICENSE", "be nice"),
        ("a.org/x/borrowed", "COPYING", "be kind"),
        ("a.org/x/module", "LICENSE", "of another module"),
        ("a.org/y/v2", "LICENSE.txt", "be nice"),
        ("a.org/y/v2", "NOTICE", "y"),
        ("a.org/unused", "LICENSE", "no"),
    ):
        (tmp_path / package).mkdir(parents=True, exist_ok=True)
        (tmp_path / package / name).write_text(text)
    (tmp_path / "a.org/x/license.go").write_text("package x")
    modules = ("a.org/x", "a.org/x/module", "a.org/y/v2", "a.org/unused")
    lines = [f"# {module} v1.0.0\n## explicit\n{module}/package\n" for module in modules]
    (tmp_path / "modules.txt").write_text("".join(lines))
    found = programs.licences(tmp_path, {"a.org/x", "a.org/y/v2", "go"})
    assert found.split("\n") == [
        *("a.org/x, a.org/y/v2:", "", "be nice"),
        *("a.org/x/borrowed:", "", "be kind"),
        *("a.org/y/v2:", "", "y"),
    ]
