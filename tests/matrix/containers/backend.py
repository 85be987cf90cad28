"""The backend of containers: our two images as containers on the build host."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.waiting import wait_for
from sandbox.workflow import Run
from tests.engine.machine import WORKER, machine
from tests.matrix.backend import Limits, Running
from tests.matrix.case import Moment, Sign
from tests.matrix.containers.site import Site

LIMITS = Limits(named=90.0, reached=90.0, recovered=180.0)
LAST_EVENTS = 400
ACTION_PREFIX = "tinkerbell_"


@dataclass(frozen=True)
class Containers:
    """A machine of containers at a site of its own."""

    site: Site
    limits: Limits = LIMITS

    @contextmanager
    def power_on(self, parameters: Mapping[str, str]) -> Iterator[None]:
        """Start the machine for the with block."""
        site, words = self.site, {**self.site.parameters, **parameters}
        with machine(site.world, site.folder / "machine", site.identity, **words) as site.machine:
            yield

    def reach(self, moment: Moment) -> None:
        """Return when it is the moment."""
        _REACH[moment](self.site)

    def messages(self, sign: Sign) -> list[str]:
        """Return what has been logged with this sign until now, oldest first."""
        box = self.site.machine
        container = {"bootkit": box.bootkit, "tink-docker": box.tink_docker}[sign.program]
        events = box.events(container, sign.event)
        return [_message(event) for event in events if _matches(event, sign)]

    def start_workflow(self) -> Run:
        """Give the machine a workflow that does nothing."""
        site = self.site
        return site.world.start_workflow(site.identity, f"proof{site.number}", registry=site.host)

    def running(self) -> Running:
        """Count the containers of the machine's engine."""
        names = self.site.machine.running()
        return Running(names.count(WORKER), len(list(filter(_is_action, names))))

    def last_lines(self) -> str:
        """Return the last that the two programs logged."""
        box = self.site.machine
        ends = [
            box.events(container)[-LAST_EVENTS:] for container in (box.tink_docker, box.bootkit)
        ]
        return "\n".join(json.dumps(event) for events in ends for event in events)


def _matches(event: Mapping[str, Any], sign: Sign) -> bool:
    return event.get("kind", "").startswith(sign.kind) and sign.text in json.dumps(event)


def _message(event: Mapping[str, Any]) -> str:
    texts = (event.get(name) for name in ("error", "reason", "line"))
    sizes = [f"{name}={event[name]}" for name in ("done", "bytes") if name in event]
    return str(next(filter(None, texts), " ".join([event["event"], *sizes])))


def _wait_for_idle(site: Site) -> None:
    site.machine.wait_for_worker()


def _wait_for_pull(site: Site) -> None:
    site.machine.wait_for_event(site.machine.bootkit, "image.progress", count=2)


def _wait_for_action(site: Site) -> None:
    site.world.start_workflow(site.identity, f"busy{site.number}", "sleep 8", registry=site.host)
    found: Callable[[], bool] = lambda: any(map(_is_action, site.machine.running()))  # noqa: E731
    wait_for("the action", found, seconds=LIMITS.reached)


_REACH: Mapping[Moment, Callable[[Site], None]] = {
    Moment.IDLE: _wait_for_idle,
    Moment.PULL: _wait_for_pull,
    Moment.ACTION: _wait_for_action,
}


def _is_action(name: str) -> bool:
    return name.startswith(ACTION_PREFIX)
