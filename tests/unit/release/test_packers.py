"""The programs that pack: how they are started, and what a manifest says about them."""

import csv
from pathlib import Path

import pytest

from release import arch, base, packers
from release.arch import AARCH64, X86_64
from release.errors import ReportedError
from release.packers import Packers
from release.process import Finished
from release.progress import Progress

LAYOUTS = {
    "x86_64": ("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"),
    "aarch64": ("usr/lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"),
}


@pytest.mark.parametrize(("loader", "libraries"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_program_is_started_by_the_loader_of_its_root(
    tmp_path: Path, loader: str, libraries: str
) -> None:
    for path in (loader, f"{libraries}/libc.so.6", "usr/bin/cpio"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert Packers(tmp_path).command("cpio") == [
        *("env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C"),
        tmp_path / loader,
        "--inhibit-cache",
        "--library-path",
        str(tmp_path / libraries),
        tmp_path / "usr/bin/cpio",
    ]


def test_the_versions_are_those_of_its_packages(tmp_path: Path) -> None:
    written = tmp_path / packers.PACKAGES
    written.parent.mkdir(parents=True)
    written.write_text(
        "cpio 2.15+dfsg-2 cpio 2.15+dfsg-2 amd64 d8fa\n"
        "libzstd1 1.5.7+dfsg-1 libzstd 1.5.7+dfsg-1 amd64 23a6\n"
    )
    assert Packers(tmp_path).versions() == {"cpio": "2.15+dfsg-2", "libzstd1": "1.5.7+dfsg-1"}


class Engine:
    """It builds the programs, and knows the base image by a digest."""

    def __init__(self) -> None:
        self.builds = 0
        self.base = "sha256:1"

    def run(self, _what: str, command: list[str], **_options: object) -> Finished:
        """Stand for release.process.run."""
        if command[1:3] == ["image", "inspect"]:
            assert command[3] == base.NAME
            return Finished(0, self.base.encode())
        self.builds += 1
        (output,) = (word for word in command if word.startswith("--output="))
        (fields,) = csv.reader([output.removeprefix("--output=")])
        folder = Path(dict(field.split("=", 1) for field in fields)["dest"])
        folder.mkdir()
        (folder / "build").write_text(str(self.builds))
        return Finished(0)


@pytest.fixture
def an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(packers, "run", engine.run)
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(base, "identity", lambda: "ours")
    monkeypatch.delenv("BASE", raising=False)
    return engine


def _build() -> str:
    """Return which build the programs are of."""
    return (packers.provide({}, Progress()).root / "build").read_text()


def test_they_are_made_once_for_each_base_and_host(
    an_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [_build(), _build()] == ["1", "1"]
    monkeypatch.setattr(base, "identity", lambda: "ours, renewed")
    assert [_build(), _build()] == ["2", "2"]
    other = next(one for one in (X86_64, AARCH64) if one != arch.own())
    monkeypatch.setattr(arch, "own", lambda: other)
    assert [_build(), _build()] == ["3", "3"]
    assert an_engine.builds == 3


def test_they_are_made_again_when_the_image_on_another_base_was(
    an_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE", "debian:trixie")
    assert [_build(), _build()] == ["1", "1"]
    an_engine.base = "sha256:2"
    assert [_build(), _build()] == ["2", "2"]


@pytest.mark.parametrize("character", [":", ";", "="])
@pytest.mark.usefixtures("an_engine")
def test_a_folder_that_the_loader_or_env_would_take_for_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, character: str
) -> None:
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path / f"a{character}b"))
    with pytest.raises(ReportedError, match="give TINKIE_CACHE another folder"):
        _build()
