from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import Mock

import pytest
import yaml

from release.errors import ReportedError
from sandbox.objects import MachineIdentity, hardware, template, workflow
from sandbox.provision import WORKFLOWS
from sandbox.tink_server_v06 import TinkServerRun
from sandbox.workflow import Status, WorkflowRun

MACHINE = MachineIdentity("machine1", "52:54:00:00:00:01", "172.30.0.10", "172.30.0.1")


@dataclass
class FakeApi:
    status: dict[str, Any]

    def get(self, plural: str, name: str) -> dict[str, Any]:
        assert (plural, name) == ("workflows", "install")
        return {"status": self.status} if self.status else {}


def run(status: dict[str, Any]) -> WorkflowRun:
    return WorkflowRun("install", cast("Any", FakeApi(status)))


def test_a_workflow_that_the_controller_has_not_seen_has_no_state() -> None:
    assert run({}).status() == Status("", {})


@pytest.mark.parametrize(
    ("action", "state", "index", "expected"),
    [
        ("", "STATE_PENDING", 0, Status("PENDING", {})),
        ("stream", "STATE_RUNNING", 0, Status("RUNNING", {"stream": "RUNNING"})),
        ("stream", "STATE_SUCCESS", 0, Status("RUNNING", {"stream": "SUCCESS"})),
        ("reboot", "STATE_SUCCESS", 1, Status("SUCCESS", {"reboot": "SUCCESS"})),
        ("stream", "STATE_FAILED", 0, Status("FAILED", {"stream": "FAILED"})),
        ("reboot", "STATE_TIMEOUT", 1, Status("TIMEOUT", {"reboot": "TIMEOUT"})),
    ],
)
def test_a_workflow_of_tink_v06_is_over_with_its_last_action_or_with_one_that_fails(
    action: str, state: str, index: int, expected: Status
) -> None:
    context = {
        "current_action": action,
        "current_action_state": state,
        "current_action_index": str(index),
        "total_number_of_actions": "2",
    }
    server = Mock(spec=["state"], state=lambda _id: context)
    assert TinkServerRun("install", server, "an-id").status() == expected


def test_actions_are_in_order_with_their_messages() -> None:
    actions = [
        {"name": "stream", "state": "FAILED", "message": "exit 1"},
        {"name": "reboot", "state": "PENDING"},
    ]
    status = run({"state": "FAILED", "tasks": [{"actions": actions}]}).status()
    assert status == Status("FAILED", {"stream": "FAILED", "reboot": "PENDING"}, "exit 1")
    assert status.is_over


@pytest.mark.parametrize("state", ["", "PENDING", "PREPARING", "RUNNING", "POST"])
def test_a_workflow_is_not_over_before_its_end(state: str) -> None:
    assert not Status(state, {}).is_over


def test_a_refused_template_is_an_error_with_the_controllers_message() -> None:
    conditions = [{"message": "invalid name: "}]
    refused = run({"templateRendering": "failed", "conditions": conditions})
    with pytest.raises(ReportedError, match="template of install failed: invalid name"):
        refused.wait_until_offered()


def test_hardware_may_netboot_and_has_its_address_reserved() -> None:
    (interface,) = hardware(MACHINE)["spec"]["interfaces"]
    assert interface["netboot"] == {"allowPXE": True, "allowWorkflow": True}
    assert interface["dhcp"]["mac"] == MACHINE.mac
    assert interface["dhcp"]["ip"]["address"] == MACHINE.address


def test_a_workflow_joins_template_hardware_and_values() -> None:
    spec = workflow("run", "install", "machine1", {"disk": "/dev/vda"})["spec"]
    assert (spec["templateRef"], spec["hardwareRef"]) == ("install", "machine1")
    assert spec["hardwareMap"] == {"disk": "/dev/vda"}
    assert spec["bootOptions"] == {"toggleAllowNetboot": True}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_our_templates_bound_every_action(path: Any) -> None:
    data = yaml.safe_load(path.read_text())
    assert template("x", path.read_text())["spec"]["data"].startswith("#")
    for task in data["tasks"]:
        for action in task["actions"]:
            assert action["timeout"] > 0, "0 would be over before it began"
