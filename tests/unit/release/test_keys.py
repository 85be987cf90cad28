"""No private key of a release lies where builds read, whichever way it is named."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from release import keys, signing, uki
from release.errors import ReportedError
from tests.keys import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ssh_key(folder: Path) -> Path:
    path = folder / "ssh"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def uki_key(folder: Path) -> Path:
    return signing_key(folder, "db")[0]


Key = tuple[str, "Callable[[], object]", "Callable[[Path], Path]"]
KEYS: list[Key] = [("SIGN", signing.wanted, ssh_key), ("UKI", uki.wanted, uki_key)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, which is named by a link."""
    folder, link = tmp_path / "folder", tmp_path / "project"
    (folder / "images").mkdir(parents=True)
    link.symlink_to(folder)
    monkeypatch.setattr(keys, "PROJECT", link)
    return folder


@pytest.mark.parametrize("how", ["absolute", "relative", "link", "home"])
@pytest.mark.parametrize(("variable", "wanted", "make"), KEYS, ids=["SIGN", "UKI"])
def test_a_private_key_in_the_project_is_refused(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    how: str,
    variable: str,
    wanted: Callable[[], object],
    make: Callable[[Path], Path],
) -> None:
    key = make(project / "images")
    link = project.parent / "link"
    link.symlink_to(key)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", str(project))
    names = {
        "absolute": str(key),
        "relative": f"images/../images/{key.name}",
        "link": str(link),
        "home": f"~/images/{key.name}",
    }
    monkeypatch.setenv(variable, names[how])
    with pytest.raises(ReportedError, match=f"{variable}=.* is in the project's folder"):
        wanted()


@pytest.mark.parametrize(("variable", "wanted", "make"), KEYS, ids=["SIGN", "UKI"])
def test_a_private_key_elsewhere_is_taken(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    wanted: Callable[[], object],
    make: Callable[[Path], Path],
) -> None:
    monkeypatch.setenv(variable, str(make(project.parent)))
    assert wanted()


def test_a_public_key_may_lie_in_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = ssh_key(project).with_name("ssh.pub")
    monkeypatch.setenv("SIGN", str(public))
    assert signing.wanted() == public
