"""Runs one case: the fault is injected, named and repaired, and the machine works again."""

import time
from collections.abc import Generator
from typing import TypeVar

from release.errors import ReportedError
from sandbox.waiting import wait_for
from tests.matrix.backend import Backend
from tests.matrix.case import Case, Moment, Sign
from tests.matrix.report import Row

Site = TypeVar("Site")


def run(case: Case[Site], backend: Backend[Site]) -> Row:
    """Return the row; AssertionError or ReportedError if it is not as the table wants it."""
    injection = case.inject(backend.site)
    try:
        next(injection)
        if case.when is Moment.BEFORE_BOOT:
            next(injection)
        with backend.power_on(case.parameters(backend.site)):
            try:
                return _run_on(backend, case, injection)
            except (AssertionError, ReportedError) as error:
                error.add_note(backend.last_lines())
                raise
    finally:
        injection.close()


def _run_on(backend: Backend[Site], case: Case[Site], injection: Generator[None]) -> Row:
    """Let the fault come and go on a machine that is on."""
    before = 0
    if case.when is not Moment.BEFORE_BOOT:
        backend.reach(case.when)
        before = len(backend.messages(case.sign))
        next(injection)
    message = _wait_for_sign(backend, case.sign, before)
    time.sleep(case.lasts)
    repaired = time.monotonic()
    next(injection)
    prove(backend)
    return Row(case.name, str(case.when), message, time.monotonic() - repaired)


def _wait_for_sign(backend: Backend[Site], sign: Sign, before: int) -> str:
    def message() -> str | None:
        messages = backend.messages(sign)
        return messages[before] if len(messages) > before else None

    return wait_for(str(sign), message, seconds=backend.limits.named)


def prove(backend: Backend[Site]) -> None:
    """See a new workflow succeed, and never two workers or two actions on the way."""
    run = backend.start_workflow()

    def succeeded() -> bool:
        running = backend.running()
        assert running.workers <= 1, running
        assert running.actions <= 1, running
        status = run.status()
        assert not status.is_over or status.state == "SUCCESS", status
        return status.is_over

    wait_for("the machine to work again", succeeded, seconds=backend.limits.recovered)
    running = backend.running()
    assert running.workers == 1, running
