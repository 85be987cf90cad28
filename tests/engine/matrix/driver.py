"""Runs one case: the fault comes, is named, heals, and the machine works again."""

import json
import time
from collections.abc import Callable, Generator
from typing import Any

from release.errors import ReportedError
from sandbox.waiting import wait_for
from tests.engine.machine import WORKER, Machine, machine
from tests.engine.matrix.case import Case, Moment, Sign
from tests.engine.matrix.report import Row
from tests.engine.matrix.site import Site

NAMED_SECONDS = 90.0
MOMENT_SECONDS = 90.0
RECOVERED_SECONDS = 180.0
LAST_EVENTS = 400
ACTION_PREFIX = "tinkerbell_"


def run(case: Case, site: Site) -> Row:
    """Return what came of it; AssertionError or ReportedError if it is not as the table says."""
    happening = case.happens(site)
    try:
        next(happening)
        if case.when is Moment.BEFORE_BOOT:
            next(happening)
        parameters = {**site.parameters, **case.parameters(site)}
        with machine(site.world, site.folder / "machine", site.identity, **parameters) as box:
            site.machine = box
            try:
                return _run_on(site, case, happening)
            except (AssertionError, ReportedError) as error:
                error.add_note(_said_last(box))
                raise
    finally:
        happening.close()


def _run_on(site: Site, case: Case, happening: Generator[None]) -> Row:
    """Let the fault come and go on a machine that is on."""
    before = 0
    if case.when is not Moment.BEFORE_BOOT:
        _REACH[case.when](site)
        before = len(_events(site.machine, case.sign))
        next(happening)
    said = _wait_for_sign(site.machine, case.sign, before)
    healed = time.monotonic()
    next(happening)
    prove(site)
    return Row(case.name, str(case.when), said, time.monotonic() - healed)


def _events(box: Machine, sign: Sign) -> list[str]:
    """Return what has been said of the fault, oldest first."""
    container = {"bootkit": box.bootkit, "tink-docker": box.tink_docker}[sign.program]
    return [_line(event) for event in box.events(container, sign.event) if _is(event, sign)]


def _is(event: dict[str, Any], sign: Sign) -> bool:
    return event.get("fault", "").startswith(sign.fault) and sign.text in json.dumps(event)


def _line(event: dict[str, Any]) -> str:
    told = (event.get(name) for name in ("error", "reason", "line"))
    sizes = [f"{name}={event[name]}" for name in ("done", "bytes") if name in event]
    return str(next(filter(None, told), " ".join([event["event"], *sizes])))


def _wait_for_sign(box: Machine, sign: Sign, before: int) -> str:
    def said() -> str | None:
        events = _events(box, sign)
        return events[before] if len(events) > before else None

    return wait_for(f"{box.identity.name}: {sign}", said, seconds=NAMED_SECONDS)


def _said_last(box: Machine) -> str:
    """Return the last that the two programs told, for a person who reads a failed test."""
    told = [box.events(container)[-LAST_EVENTS:] for container in (box.tink_docker, box.bootkit)]
    return "\n".join(json.dumps(event) for events in told for event in events)


def _wait_for_idle(site: Site) -> None:
    site.machine.wait_for_worker()


def _wait_for_pull(site: Site) -> None:
    site.machine.wait_for_event(site.machine.bootkit, "image.progress", count=2)


def _wait_for_action(site: Site) -> None:
    site.world.start_workflow(site.identity, f"busy{site.number}", "sleep 8", registry=site.host)
    found: Callable[[], bool] = lambda: any(map(_is_action, site.machine.running()))  # noqa: E731
    wait_for("the action", found, seconds=MOMENT_SECONDS)


_REACH: dict[Moment, Callable[[Site], None]] = {
    Moment.IDLE: _wait_for_idle,
    Moment.PULL: _wait_for_pull,
    Moment.ACTION: _wait_for_action,
}


def _is_action(name: str) -> bool:
    return name.startswith(ACTION_PREFIX)


def prove(site: Site) -> None:
    """See a new workflow succeed, and never two workers or two actions on the way."""
    given = site.world.start_workflow(site.identity, f"proof{site.number}", registry=site.host)

    def succeeded() -> bool:
        names = site.machine.running()
        assert names.count(WORKER) <= 1, names
        assert len(list(filter(_is_action, names))) <= 1, names
        status = given.status()
        assert not status.is_over or status.state == "SUCCESS", status
        return status.is_over

    wait_for(f"{site.identity.name} to work again", succeeded, seconds=RECOVERED_SECONDS)
