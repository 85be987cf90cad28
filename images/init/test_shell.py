"""shell under busybox: a root shell only if the command line has the word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from images.init.conftest import Console
    from tests.fakes.script_root import ScriptRoot

SHELL = "/usr/lib/tinkie/shell"


@pytest.mark.parametrize(
    "cmdline", ["quiet", "tinkie.shell=1", "no.tinkie.shell", "tinkie.shells x=tinkie.shell"]
)
def test_without_the_word_there_is_no_shell(
    root: ScriptRoot, add_console: Callable[[str], Console], cmdline: str
) -> None:
    add_console("ttyS0")
    root.write("/proc/cmdline", f"{cmdline}\n")
    root.stub("setsid")
    assert root.run(SHELL).returncode == 0
    assert root.calls == []


@pytest.mark.parametrize("cmdline", ["tinkie.shell", "quiet tinkie.shell panic=5"])
def test_with_the_word_every_console_has_one_that_comes_back(
    root: ScriptRoot, add_console: Callable[[str], Console], cmdline: str
) -> None:
    consoles = {name: add_console(name) for name in ("tty0", "ttyS0")}
    root.write("/proc/cmdline", f"{cmdline}\n")
    root.write("/proc/self/oom_score_adj", "-900\n")
    root.stub("setsid", 'echo "$* $HOME $PS1 $PWD"; busybox sleep 0.1')
    with root.running("sh", "-c", f"{SHELL}; exec tail -f /dev/null"):
        for console in consoles.values():
            root.wait_for("second shell", partial(console.has, 2))
            assert console.lines[0] == "-c sh -l /tmp tinkie#  /tmp"
    assert root.read("/proc/self/oom_score_adj") == "0\n"
