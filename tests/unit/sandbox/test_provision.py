from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.provision import DISK_BOOTS, DISK_IS_EMPTY, Request


@pytest.mark.parametrize(
    ("proof", "direct", "steps"),
    [
        (DISK_BOOTS, False, 2),  # the servers, the workflow
        (DISK_BOOTS, True, 3),  # and a second power-on, from the disk
        (DISK_IS_EMPTY, False, 3),  # the disk is filled first
        (DISK_IS_EMPTY, True, 3),
        ("", True, 2),
    ],
)
def test_the_steps_to_come_are_counted(proof: str, direct: bool, steps: int) -> None:  # noqa: FBT001
    request = Request(Path(), Path("install.yml"), proof, 2048, 64, "", direct)
    assert request.steps == steps
