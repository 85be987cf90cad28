"""What assemble builds anew, and what it takes for up to date; nothing is built here."""

from __future__ import annotations

import fcntl
import io
from typing import TYPE_CHECKING

import pytest

from release import assemble, embed, needs
from release.arch import X86_64
from release.progress import Progress

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
    """What each of the next builds does besides writing its files."""
    events: Builds = []

    def build(*_: object, **__: object) -> None:
        for path in (assemble.kernel(X86_64), assemble.initramfs(X86_64)):
            path.write_text("built")
        events.pop(0)()

    monkeypatch.setattr(assemble, "OUT", tmp_path / "out")
    monkeypatch.setattr(assemble, "_build", build)
    monkeypatch.setattr(needs, "check", lambda: None)
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
def test_a_build_that_failed_is_not_up_to_date(builds: Builds) -> None:
    builds += [lambda: 1 / 0, lambda: None]
    with pytest.raises(ZeroDivisionError):
        _assemble()
    assert _assemble()


@pytest.mark.usefixtures("source")
def test_one_build_of_a_folder_runs_at_a_time(builds: Builds) -> None:
    def another() -> None:
        with (assemble.OUT / "lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    builds.append(another)
    assert _assemble()
