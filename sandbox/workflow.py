"""One workflow of one machine, with the state that Tinkerbell reports."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from release.errors import ReportedError
from sandbox.kubernetes import Api, Object
from sandbox.waiting import wait_for

OFFER_SECONDS = 30.0
ENDS = ("SUCCESS", "FAILED", "TIMEOUT")


@dataclass(frozen=True)
class Status:
    """state: PENDING, RUNNING, SUCCESS, FAILED, TIMEOUT; actions: name -> state, in order."""

    state: str
    actions: dict[str, str]
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the workflow has ended."""
        return self.state in ENDS


@dataclass(frozen=True)
class Run(ABC):
    """A machine's workflow, of any server."""

    name: str

    @abstractmethod
    def status(self) -> Status:
        """Return the current state."""

    def end(self, seconds: float) -> Status:
        """Return its final state; ReportedError if it has not ended by then."""

        def over() -> Status | None:
            status = self.status()
            return status if status.is_over else None

        return wait_for(f"the end of workflow {self.name}", over, seconds=seconds)


@dataclass(frozen=True)
class WorkflowRun(Run):
    """A workflow that is a Kubernetes object."""

    api: Api

    def status(self) -> Status:
        """Return the current state."""
        status = self.api.get("workflows", self.name).get("status", {})
        actions = [action for task in status.get("tasks", []) for action in task["actions"]]
        states = {action["name"]: _state(action) for action in actions}
        messages = [action["message"] for action in actions if action.get("message")]
        return Status(_state(status), states, "; ".join(messages))

    def wait_until_offered(self) -> None:
        """Wait until the controller has rendered the template to a list of actions.

        Raises ReportedError with the controller's message if it cannot.
        """
        wait_for(f"the controller to take up {self.name}", self._offered, seconds=OFFER_SECONDS)

    def _offered(self) -> bool:
        status = self.api.get("workflows", self.name).get("status", {})
        if status.get("templateRendering") == "failed":
            messages = [condition.get("message", "") for condition in status.get("conditions", [])]
            raise ReportedError(
                f"rendering the template of {self.name} failed: {'; '.join(messages)}"
            )
        return bool(status.get("tasks"))


def _state(thing: Object) -> str:
    return plain_state(thing.get("state") or thing.get("status") or "")


def plain_state(state: str) -> str:
    """Return a state in the form of Tinkerbell v0.25; older ones have STATE_RUNNING."""
    return state.removeprefix("STATE_")
