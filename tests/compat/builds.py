"""Another Tinkie, built from a changed copy of this project as its README describes."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from release import engine, images
from release.version import PROJECT
from sandbox.world import World
from tests.boot.machines import Lab
from tests.engine.docker import Docker
from tests.engine.world import BOOTKIT

BUILD_SECONDS = 1200.0
PYTHON = "python:latest"
LEFT_OUT = shutil.ignore_patterns(".venv", "out", "tinkie-*", "osie-*", "__pycache__")


def copied(folder: Path) -> Path:
    """Copy the project into a folder that is not there yet."""
    return Path(shutil.copytree(PROJECT, folder, ignore=LEFT_OUT))


def built(project: Path, lab: Lab, *words: str) -> Lab:
    """Run `make quick` in a copy with these words; return a lab that boots the result."""
    command = ["make", "setup-venv", "quick", *words]
    subprocess.run(command, cwd=project, check=True, timeout=BUILD_SECONDS)
    ingredients = replace(lab.sandbox.ingredients, artifacts=project / "out")
    return replace(lab, sandbox=replace(lab.sandbox, ingredients=ingredients))


def push_python(sandbox: World, folder: Path) -> None:
    """Push bootkit's image as PYTHON, for actions that are Python programs."""
    archive = folder / "python.tar"
    with engine.running() as host, images.locked_names():
        images.build([])
        Docker(host)("save", "--output", str(archive), BOOTKIT)
    sandbox.registry.push(archive, PYTHON)
