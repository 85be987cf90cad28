"""What assemble builds anew, and what it takes for up to date; nothing is built here."""

from __future__ import annotations

import io
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from release import assemble, base, convert, embed, engine, gotools, images, needs, packers
from release.arch import X86_64
from release.progress import Progress
from tests.locks import is_held

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Builds = list["Callable[[], object]"]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of the build, which is all that LinuxKit's file has."""
    source = tmp_path / "source"
    source.write_text("one")
    (tmp_path / "x.yml").write_text(f"files: [{{path: etc/x, source: {source}}}]\n")
    monkeypatch.setenv("LINUXKIT_FILES", str(tmp_path / "x.yml"))
    return source


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    """What happens during each of the next builds, while the files are compressed."""
    events: Builds = []

    def compress(_tar: Path, *files: Path, **_: object) -> None:
        for path in files:
            path.write_text("built")
        events.pop(0)()

    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path / "cache"))
    for name in ("BASE", "SNAPSHOT", "SNAPSHOT_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    base._tar().write_text("a base")
    monkeypatch.setattr(assemble, "OUT", tmp_path / "out")
    monkeypatch.setattr(engine, "running", lambda: nullcontext("unix:///nowhere"))
    monkeypatch.setattr(convert, "convert", compress)
    for module, name in (
        (images, "build"),
        (packers, "provide"),
        (gotools, "build"),
        (assemble, "_linuxkit"),
        (needs, "check"),
    ):
        monkeypatch.setattr(module, name, lambda *_, **__: tmp_path)
    monkeypatch.setattr(embed, "may_have_changed", lambda: False)
    return events


def _assemble() -> bool:
    return assemble.assemble("quick", Progress(stream=io.StringIO()), target=X86_64)


@pytest.mark.usefixtures("source")
def test_nothing_is_built_twice(builds: Builds) -> None:
    builds.append(lambda: None)
    assert [_assemble(), _assemble()] == [True, False]


def test_a_source_that_changed_during_the_build_is_built_again(
    builds: Builds, source: Path
) -> None:
    builds += [lambda: source.write_text("two"), lambda: None]
    assert [_assemble(), _assemble(), _assemble()] == [True, True, False]


@pytest.mark.usefixtures("source")
def test_a_base_that_was_renewed_during_the_build_makes_another_one(builds: Builds) -> None:
    builds += [lambda: base._tar().write_text("another base"), lambda: None]
    assert [_assemble(), _assemble(), _assemble()] == [True, True, False]


def test_a_release_build_is_of_what_is_there_now(builds: Builds, source: Path) -> None:
    builds += [lambda: None, lambda: None]
    for level in ("release", "quick"):
        assemble.assemble(level, Progress(stream=io.StringIO()))
        assert assemble.built_level() == level
    source.write_text("two")
    assert not assemble.built_level()


@pytest.mark.usefixtures("source")
def test_a_build_that_failed_is_not_up_to_date(builds: Builds) -> None:
    builds += [lambda: 1 / 0, lambda: None]
    with pytest.raises(ZeroDivisionError):
        _assemble()
    assert _assemble()


@pytest.mark.usefixtures("source")
def test_one_build_of_a_folder_runs_at_a_time(builds: Builds) -> None:
    held: list[bool] = []
    builds.append(lambda: held.append(is_held(assemble.OUT / convert.LOCK)))
    assert _assemble()
    assert held == [True]
