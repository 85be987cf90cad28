"""last-line under busybox: what a program logged last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

LOG = """\
Nov 27 21:00:01 tinkie user.notice ntp: starts
Nov 27 21:00:02 tinkie user.notice containerd: cannot start ntp: no such file
Nov 27 21:00:03 tinkie user.notice ntp: server "a" of ntp: not found
Nov 27 21:00:04 tinkie user.notice containerd: something else
Nov 27 21:00:05 tinkie user.notice sntp: not this one
"""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("ntp",), "server 'a' of ntp: not found"),
        (("containerd",), "something else"),
        (("containerd", "ntp"), "cannot start ntp: no such file"),
        (("containerd", "dhcp"), ""),
        (("rngd",), ""),
    ],
)
def test_last_line_of_a_program(root: ScriptRoot, arguments: tuple[str, ...], line: str) -> None:
    root.write("/var/log/messages", LOG)
    assert root.run("/usr/lib/tinkie/last-line", *arguments).stdout.rstrip("\n") == line
