"""watch-services under busybox: a service that ends or does not run is reported, once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.script_root import ScriptRoot

TASKS = "/run/containerd/io.containerd.runtime.v2.task/services.linuxkit"
LOG = """\
Nov 27 21:00:01 tinkie user.notice ntp: chronyd says "bye"
Nov 27 21:00:02 tinkie user.notice containerd: failed to start never: no such file
"""
# A service's process is a `tail`; each check waits until the test allows it.
STORY = """
    tail -f /dev/null & echo $! >/one
    tail -f /dev/null & echo $! >/two
    exec /usr/lib/tinkie/watch-services
"""
SLEEP = """
until [ -e /go ]; do busybox usleep 2000; done
rm /go
read -r uptime _ </proc/uptime
echo "$((${uptime%.*} + 5)).0 0" >/.uptime && mv /.uptime /proc/uptime
"""


class Watch:
    """The script, check by check."""

    def __init__(self, root: ScriptRoot) -> None:
        self.root = root
        self.checks = 0
        root.write("/var/log/messages", LOG)
        root.write("/proc/uptime", "100.0 0\n")
        root.stub("sleep", SLEEP)

    def starts(self, name: str, process: str) -> None:
        """Let `services` start a service, as the process that a file names."""
        self.root.write(f"/run/bundles/{name}/started", "")
        self.runs(name, process)

    def runs(self, name: str, process: str) -> None:
        number = self.root.read(f"/{process}").strip() if process else "99999"
        self.root.write(f"{TASKS}/{name}/init.pid", number)

    def check(self, times: int = 1) -> list[str]:
        """Let the script check so many times; return what it announced meanwhile."""
        before = len(self.root.announced)
        for _ in range(times):
            self.root.write("/go", "")
            self.checks += 1
            self.root.wait_for("a check", lambda: self._sleeps() > self.checks)
        return self.root.announced[before:]

    def _sleeps(self) -> int:
        return self.root.read(".calls").count("sleep 5")


@pytest.fixture
def watch(root: ScriptRoot) -> Iterator[Watch]:
    found = Watch(root)
    with root.running("sh", "-c", STORY):
        root.wait_for("processes", lambda: root.read("/two") and root.read(".calls"))
        yield found


def ended(times: int) -> str:
    line = "last_line=\"chronyd says 'bye'\""
    return f'init service.ended name=ntp times={times} {line} next="it runs again"'


def test_a_service_that_runs_is_no_report(watch: Watch) -> None:
    watch.starts("ntp", "one")
    assert watch.check(20) == []


def test_a_service_that_ended_and_runs_again_is_reported_with_its_last_line(watch: Watch) -> None:
    watch.starts("ntp", "one")
    watch.check()
    watch.runs("ntp", "two")
    assert watch.check() == [ended(1)]
    assert watch.check(5) == []


def test_a_service_is_reported_once_a_minute_with_the_number_of_its_ends(watch: Watch) -> None:
    watch.starts("ntp", "one")
    watch.check()
    reports = []
    for check in range(13):
        watch.runs("ntp", ("two", "one")[check % 2])
        reports.append(watch.check())
    assert [number for number, lines in enumerate(reports) if lines] == [0, 12]
    assert reports[0] == [ended(1)]
    assert reports[12] == [ended(12)]


def test_a_service_that_never_runs_is_late_with_containerds_reason(watch: Watch) -> None:
    watch.starts("never", "")
    assert watch.check() == []
    late = 'error="failed to start never: no such file" next="containerd tries every 3 s"'
    assert watch.check() == [f"init service.late name=never {late}"]
    assert watch.check(11) == []
    assert watch.check() == [f"init service.late name=never {late}"]


def test_a_service_that_is_down_for_two_checks_is_late_and_then_running(watch: Watch) -> None:
    watch.starts("ntp", "one")
    watch.check()
    watch.runs("ntp", "")
    assert watch.check() == []
    (late,) = watch.check()
    assert late.startswith("init service.late name=ntp error=\"chronyd says 'bye'\"")
    watch.runs("ntp", "two")
    assert watch.check() == ["init service.running name=ntp"]
    assert watch.check(5) == []


def test_services_are_watched_from_their_start_on_and_apart(watch: Watch) -> None:
    watch.starts("ntp", "one")
    watch.check(2)
    watch.starts("rngd", "one")
    watch.check()
    watch.runs("rngd", "two")
    (line,) = watch.check()
    assert line.startswith("init service.ended name=rngd times=1 ")
    watch.runs("ntp", "two")
    assert watch.check() == [ended(1)]


def test_a_file_without_a_number_is_no_process(watch: Watch) -> None:
    watch.starts("ntp", "one")
    watch.check()
    watch.root.write(f"{TASKS}/ntp/init.pid", "")
    watch.check()
    assert watch.check()[0].startswith("init service.late name=ntp")
