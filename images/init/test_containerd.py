"""containerd's script under busybox: its output in the log, its process for `shutdown`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot


def test_output_is_logged_and_the_process_is_known(root: ScriptRoot) -> None:
    root.stub(
        "containerd", 'echo out; echo error >&2; [ $$ = "$(cat /run/containerd.pid)" ] && echo me'
    )
    root.run("/usr/lib/tinkie/containerd")
    assert root.log == ["containerd: out", "containerd: error", "containerd: me"]
