"""An action as waitdaemon is: it ends, so that it can be reported, and then reboots the machine."""

import yaml

from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot.machines import Lab, booted
from tests.compat.builds import PYTHON, push_python
from tests.compat.cd_boot import REBOOT_SECONDS, WORKFLOW_SECONDS
from tests.engine.waitdaemon import waits

IDENTITY = MachineIdentity("waits", "52:54:00:00:01:13", "172.30.0.119", "172.30.0.1")
# The signal that busybox's `reboot` sends.
REBOOT = "os.kill(1, 15)"


def test_the_machine_reboots_after_the_workflows_end(lab: Lab) -> None:
    push_python(lab.sandbox, lab.folder)
    with booted(lab, IDENTITY) as box:
        run = lab.sandbox.start_workflow("waits", _template(), IDENTITY)
        assert run.end(WORKFLOW_SECONDS).state == "SUCCESS"
        assert not box.is_off()
        wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
        assert 'init: shutdown.started by="' in box.console.log.read_text(errors="replace")


def _template() -> str:
    action = {"name": "waits", "image": "{{ .registry }}/" + PYTHON, "timeout": 300}
    task = {"name": "waits", "worker": "{{ .device_1 }}", "actions": [action | waits(REBOOT)]}
    return yaml.safe_dump(
        {"version": "0.1", "name": "waits", "global_timeout": 600, "tasks": [task]}
    )
