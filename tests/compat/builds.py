"""Another Tinkie, built from a copy of this project as its README says."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from release import engine, images
from release.version import PROJECT
from sandbox.world import World
from tests.engine.docker import Docker
from tests.engine.world import BOOTKIT

BUILD_SECONDS = 1200.0
PYTHON = "python:latest"
LEFT_OUT = shutil.ignore_patterns(".venv", "out", "tinkie-*", "osie-*", "__pycache__")


def copied(folder: Path) -> Path:
    """Copy the project into a folder that is not there yet."""
    return Path(shutil.copytree(PROJECT, folder, ignore=LEFT_OUT))


def built(project: Path, here: World, *words: str) -> World:
    """Run `make quick` in a copy with these words; return the sandbox with what came of it."""
    command = ["make", "setup-venv", "quick", *words]
    subprocess.run(command, cwd=project, check=True, timeout=BUILD_SECONDS)
    return replace(here, ingredients=replace(here.ingredients, artifacts=project / "out"))


def push_python(here: World, folder: Path) -> None:
    """Push an image for actions that are Python programs, as PYTHON: that of bootkit."""
    archive = folder / "python.tar"
    with engine.running() as host, images.locked_names():
        images.build([])
        Docker(host)("save", "--output", str(archive), BOOTKIT)
    here.registry.push(archive, PYTHON)
