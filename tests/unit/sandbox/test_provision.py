from __future__ import annotations

from pathlib import Path

import pytest

from release.arch import AARCH64, X86_64, Architecture
from sandbox.provision import DISK_BOOTS, DISK_IS_EMPTY, Request


@pytest.mark.parametrize(
    ("target", "proof", "direct", "steps"),
    [
        (X86_64, DISK_BOOTS, False, 2),  # the servers, the workflow
        (X86_64, DISK_BOOTS, True, 3),  # and a second power-on, from the disk
        (X86_64, DISK_IS_EMPTY, False, 3),  # the disk is filled first
        (X86_64, DISK_IS_EMPTY, True, 3),
        (X86_64, "", True, 2),
        (AARCH64, DISK_BOOTS, False, 3),
        (AARCH64, DISK_IS_EMPTY, False, 3),
    ],
)
def test_the_steps_to_come_are_counted(
    target: Architecture,
    proof: str,
    direct: bool,  # noqa: FBT001
    steps: int,
) -> None:
    request = Request(Path(), Path("install.yml"), proof, 2048, 64, "", direct, target)
    assert request.steps == steps
