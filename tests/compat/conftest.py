"""The sandbox of tests/boot, and one CD for all tests in this folder."""

from pathlib import Path

import pytest

from release import images, iso
from sandbox.world import CD, World
from tests.boot.conftest import accelerator, lab, sandbox

__all__ = ["accelerator", "lab", "sandbox"]


@pytest.fixture(scope="session")
def cd(sandbox: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CD image of the OS in out/, served to smee."""
    image, parts = tmp_path_factory.mktemp("cd") / CD, sandbox.ingredients
    with images.locked_names():
        iso.write(image, {"vmlinuz": parts.kernel, "initramfs": parts.initramfs}, parts.target)
    sandbox.files.publish(image)
    return image
