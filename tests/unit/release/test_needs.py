"""A missing program and too little space are errors before anything is changed."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from release import needs
from release.errors import ReportedError, reported_errors
from release.roottar import RootTar


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, needs.ENGINE_MIB << 20))


def test_a_machine_with_all_of_it_passes() -> None:
    needs.check()


def test_all_missing_programs_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    present = ("git", "docker", "go", "cpio", "openssl")
    monkeypatch.setattr(shutil, "which", lambda name: name if name in present else None)
    with pytest.raises(ReportedError, match=r"\(mmdebstrap, sqfs2tar\): run `make setup`"):
        needs.check()


def test_too_little_space_is_an_error_with_folder_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1000 << 20))
    with pytest.raises(ReportedError, match=rf"{tmp_path} has 1000 MiB free .* needs 5120 MiB"):
        needs.check()


def test_too_little_space_for_gos_caches_names_their_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs.check_go([tmp_path / "not" / "yet"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1000 << 20))
    with pytest.raises(
        ReportedError, match=rf"{tmp_path} has 1000 MiB .* set GOCACHE and GOMODCACHE"
    ):
        needs.check_go([tmp_path / "not" / "yet"])


def test_a_later_build_needs_less_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base-0.tar").touch()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, needs.OUT_MIB << 20))
    needs.check()


def test_a_file_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(SystemExit, match=r"tinkie: /no/such\.tar: No such file"), reported_errors():
        RootTar(Path("/no/such.tar"))


def test_a_file_that_is_no_tar_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("text")
    with pytest.raises(ReportedError, match="is no tar"):
        RootTar(tmp_path / "x.tar")
