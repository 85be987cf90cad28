"""VERSION sets the version of a release everywhere, and the changelog knows it."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from release import assemble, oci, pack, verify
from release.arch import X86_64
from release.errors import ReportedError
from release.filenames import Names
from release.version import PROJECT, check_changelog, commit, version

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = """# Changelog

## Unreleased

## 1.2.3 (2026-12-01)

### 1.3.0

## [1.2.2]
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("VERSION", raising=False)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


@pytest.mark.parametrize(
    "given", ["1.2.3", "0.0.0", "10.20.30", "1.2.3-rc.1", "1.2.3-a-b", "1.0.0-0"]
)
def test_a_version_is_everywhere(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = assemble._sources("quick", X86_64)
    monkeypatch.setenv("VERSION", given)
    assert version() == given
    names = Names(X86_64)
    for name in (names.flat, names.flat_lts, names.iso, names.oci, names.licences, names.osie):
        assert f"-{given}" in name
    os_release = str(assemble._version_file()["files"])
    assert f"VERSION_ID={given}\\n" in os_release
    assert f'PRETTY_NAME="Tinkie {given}"\\n' in os_release
    assert oci._config([], "amd64")["config"] == {
        "Labels": {
            "org.opencontainers.image.title": "tinkie",
            "org.opencontainers.image.version": given,
            "org.opencontainers.image.revision": commit(),
        }
    }
    assert assemble._sources("quick", X86_64) != before


@pytest.mark.parametrize(
    "given",
    [
        *("1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3+build", "1.2.3 ", "1.2.3/.."),
        *("a", "", "1.2.3\u0663", "1.\u0662.3", "1.2.3-\u0663"),
    ],
)
def test_what_is_no_version_ends_the_build(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", given)
    with pytest.raises(ReportedError, match=f"VERSION={re.escape(given)} is no version"):
        version()


@pytest.mark.parametrize("given", ["1.2.3", "1.2.3-rc.1", "10.20.30"])
def test_a_file_of_every_version_can_be_in_the_checksums(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSION", given)
    assert verify.LINE.fullmatch(f"{'0' * 128}  {Names(X86_64).iso}")


def test_every_version_can_be_the_tag_of_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", "1.2.3-rc.1")
    assert re.fullmatch(r"[\w][\w.-]{0,127}", version())


@pytest.mark.parametrize("given", ["1.2.3", "1.2.2", "1.2.4-rc.1", "2.0.0-rc.1"])
def test_the_changelog_has_each_version_that_is_final(
    given: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_changelog(project)  # without VERSION
    monkeypatch.setenv("VERSION", given)
    check_changelog(project)


@pytest.mark.parametrize("given", ["1.2.4", "1.3.0", "1.2.30", "2.3.0"])
def test_a_version_without_a_section_is_refused_before_anything_is_built(
    given: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSION", given)
    message = f"CHANGELOG.md has no section `## {given}`.*VERSION={given}-rc.1"
    with pytest.raises(ReportedError, match=message):
        check_changelog(project)
    with pytest.raises(ReportedError, match=message):
        pack.pack(project)


def test_without_a_variable_it_is_the_projects() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert version() == settings["project"]["version"]
