"""The names of architectures in images."""

import pytest

from tinkie import platform


@pytest.mark.parametrize(
    ("machine", "name"),
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("riscv64", "riscv64")],
)
def test_an_architecture_has_the_name_that_images_give_it(machine: str, name: str) -> None:
    assert platform.architecture(machine) == name


def test_this_machine_has_a_platform() -> None:
    assert platform.NAME in {"linux/amd64", "linux/arm64"}
