"""What hosts of other kinds than this one install, as far as a package index shows it."""

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from release import wheels
from release.arch import ALL, Architecture
from release.version import PROJECT


@pytest.mark.parametrize("host", ALL, ids=lambda host: host.name)
def test_a_host_with_the_newest_python_needs_no_compiler(
    tmp_path: Path, host: Architecture
) -> None:
    """Pip itself would apply the markers of the Python that runs it."""
    lock = tmp_path / "lock.txt"
    lock.write_text("\n".join(_locked(wheels.PYTHON)))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += [
        *wheels.for_image(host),
        f"--target={tmp_path / 'never'}",
        "--requirement",
        str(lock),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _locked(python: str) -> list[str]:
    """Return what dev.txt locks for Linux and a version of Python, without markers."""
    text = (PROJECT / "requirements" / "dev.txt").read_text()
    lines = [line.rstrip("\\") for line in text.splitlines() if line[:1].isalnum()]
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    return [
        f"{found.name}{found.specifier}"
        for found in map(Requirement, lines)
        if not found.marker or found.marker.evaluate(environment)
    ]
