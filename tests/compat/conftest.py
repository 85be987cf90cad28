"""The sandbox of tests/boot for what takes long to emulate, and one CD for all tests here."""

from pathlib import Path

import pytest

from release import images, iso
from sandbox.world import CD, World
from tests.boot.conftest import accelerator, here

__all__ = ["accelerator", "here"]


@pytest.fixture(scope="session")
def cd(here: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CD image of what is in out/, served to smee."""
    image, parts = tmp_path_factory.mktemp("cd") / CD, here.ingredients
    with images.locked_names():
        iso.write(image, {"vmlinuz": parts.kernel, "initramfs": parts.initramfs})
    here.files.publish(image)
    return image
