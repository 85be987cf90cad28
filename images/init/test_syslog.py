"""syslog under busybox: the log has a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot


def test_log_takes_four_megabytes_at_most(root: ScriptRoot) -> None:
    root.stub("syslogd")
    root.run("/usr/lib/tinkie/syslog")
    (call,) = root.calls
    words = call.split()
    assert words[:4] == ["syslogd", "-n", "-O", "/var/log/messages"]
    kilobytes, rotated = int(words[words.index("-s") + 1]), int(words[words.index("-b") + 1])
    assert kilobytes * (rotated + 1) == 4096
    assert not {"-R", "-L"} & set(words)  # -R leaves a port open
