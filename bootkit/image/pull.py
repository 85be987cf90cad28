"""Getting the worker's image: the candidates in order, and what went wrong in plain words."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bootkit.image.progress import tell_progress
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.parameters.image_reference import ImageReference

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from bootkit.engine.interface import Engine
    from bootkit.plan.worker import WorkerSpec

log = structlog.get_logger()


class Witness(Protocol):
    """What the registry itself says."""

    def refuse(self, image: str, present: Container[str]) -> None:
        """Raise a BootError if there is no space for the layers that are not present."""

    def explain(self, error: BootError, image: str) -> BootError:
        """Return the error of a pull, with more of what is known about it."""


def obtain_image(
    engine: Engine, spec: WorkerSpec, witness: Witness, now: Callable[[], float]
) -> str:
    """Return the name of the first image of `spec` that is there after a pull.

    The next candidate is tried only if the registry has none of that name. If no pull succeeds, an
    image that is already there is used and that is said.

    Raises:
        BootError: no image can be had; the first candidate's reason.
    """
    errors: list[BootError] = []
    for image in spec.images:
        try:
            return _pull_unless_pinned(engine, spec, image, witness, now)
        except BootError as error:
            errors.append(witness.explain(error, image))
            if error.kind not in _MAYBE_UNDER_ANOTHER_NAME:
                break
    return _local(engine, spec.images, errors)


# Registries that want a password answer "denied" for names that they do not have.
_MAYBE_UNDER_ANOTHER_NAME = (ErrorKind.NOT_FOUND, ErrorKind.DENIED)


def _pull_unless_pinned(
    engine: Engine, spec: WorkerSpec, image: str, witness: Witness, now: Callable[[], float]
) -> str:
    if ImageReference.parse(image).digest and engine.has_image(image):
        log.info("image.present", image=image)
        return image
    log.info("image.pulling", image=image)
    with closing(engine.pull(image, spec.credentials_for(image))) as messages:
        tell_progress(_unless_refused(messages, image, witness), now)
    log.info("image.pulled", image=image)
    return image


def _unless_refused(
    messages: Iterable[dict[str, Any]], image: str, witness: Witness
) -> Iterator[dict[str, Any]]:
    """Ask for the image's size while the engine begins: it stops when we hang up, and tidies up.

    So a boot that goes well waits for no second question to the registry. The engine tells of the
    layers that are there before it tells of the first one to download.
    """
    present: set[str] = set()
    asked = False
    for message in messages:
        status = message.get("status")
        if status == "Already exists":
            present.add(str(message.get("id")))
        elif status == "Pulling fs layer" and not asked:
            asked = True
            witness.refuse(image, present)
        yield message


def _local(engine: Engine, images: tuple[str, ...], errors: list[BootError]) -> str:
    """Return an image that is there already, or raise the error of the pull."""
    reason = _most_telling(errors)
    for image in images:
        if engine.has_image(image):
            log.warning(
                "image.pull_failed",
                image=image,
                error=str(reason),
                kind=str(reason.kind),
                hint=reason.hint,
                next="using the image that is already here",
            )
            return image
    raise reason


def _most_telling(errors: list[BootError]) -> BootError:
    """Return the first error; if the registry lacks all names, one error that tells all of them."""
    if len(errors) == 1 or any(error.kind is not ErrorKind.NOT_FOUND for error in errors):
        return next((error for error in errors if error.kind is not ErrorKind.NOT_FOUND), errors[0])
    return PermanentError("; ".join(map(str, errors)), kind=ErrorKind.NOT_FOUND)
