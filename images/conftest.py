"""What the tests of the images' scripts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes import script_root
from tests.fakes.script_root import ScriptRoot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def applets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with busybox's programs."""
    return script_root.applets(tmp_path_factory.mktemp("applets"))


@pytest.fixture
def root(tmp_path: Path, applets: Path) -> ScriptRoot:
    """Return a root of this test's own."""
    return ScriptRoot(tmp_path / "root", applets)


@pytest.fixture(autouse=True)
def temporary_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Scripts of a build leave temporary files in its container; here pytest removes them."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
