"""service-log under busybox: containerd's protocol for a service's logger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

STORY = """
    export CONTAINER_ID=ntp
    mkfifo /out /err /ready
    cat /ready && echo yes >/was_ready &
    /usr/lib/tinkie/service-log 3</out 4</err 5>/ready &
    exec 7>/out 8>/err
    until [ -e /was_ready ]; do busybox usleep 10000; done
    echo to stdout >&7
    echo to stderr >&8
    exec tail -f /dev/null
"""


def test_both_outputs_are_logged_under_the_name_of_the_service(root: ScriptRoot) -> None:
    with root.running("sh", "-c", STORY):
        lines = ["ntp: to stderr", "ntp: to stdout"]
        root.wait_for("the lines", lambda: sorted(root.log) == lines)
