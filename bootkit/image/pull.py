"""Get the worker's image: pull the candidates in order, else use one that is already here."""

from __future__ import annotations

from contextlib import closing
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from bootkit.image.progress import log_progress, size_in
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.hints import Asked
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from bootkit.engine.interface import Engine
    from bootkit.plan.credentials import Credentials
    from bootkit.plan.worker import WorkerSpec
    from tinkie.parameters.image_reference import ImageReference

log = get_logger()

# Registries that require a login answer "denied" for names that they do not have.
_MAYBE_UNDER_ANOTHER_NAME = (ErrorKind.NOT_FOUND, ErrorKind.DENIED, ErrorKind.WRONG_PLATFORM)


class ImageChecker(Protocol):
    """Checks an image against its registry, besides the engine's pull."""

    @property
    def credentials_for(self) -> Callable[[ImageReference], Credentials | None]:
        """Return what returns the credentials for the pull of an image."""

    def renewed(self, image: ImageReference) -> bool:
        """After a denial, look for other credentials; return whether there are any now."""

    def check_credentials(self, image: ImageReference) -> None:
        """Raise a BootError if the pull would send user and password without TLS."""

    def may_not_fit(self, size: float) -> bool:
        """Return whether layers of `size` bytes in all are so large that the image may not fit."""

    def check_fits(self, image: ImageReference, present: Container[str]) -> None:
        """Raise a BootError if there is no space for the layers that are not present."""

    def explain(self, error: BootError, image: ImageReference) -> BootError:
        """Return the error of a pull with what the registry's answers add to it."""


def obtain_image(
    engine: Engine, spec: WorkerSpec, checker: ImageChecker, now: Callable[[], float]
) -> str:
    """Return the name of the first image of `spec` that a pull brings up to date.

    Try the next candidate only if the registry may lack the one before. If no pull succeeds, use an
    image that is already here, and log why.

    Raises:
        BootError: there is no image; the most useful error of the pulls.
    """
    errors: list[BootError] = []
    for image in spec.images:
        try:
            return _pull_once_more_if_denied(engine, image, checker, now)
        except BootError as error:
            errors.append(checker.explain(error, image))
            if error.kind not in _MAYBE_UNDER_ANOTHER_NAME:
                break
    return _local(engine, spec.images, errors)


def _pull_once_more_if_denied(
    engine: Engine, image: ImageReference, checker: ImageChecker, now: Callable[[], float]
) -> str:
    try:
        return _pull_unless_pinned(engine, image, checker, now)
    except BootError as error:
        if error.kind is not ErrorKind.DENIED or not checker.renewed(image):
            raise
        log.info("image.password_renewed", image=str(image), error=str(error))
        return _pull_unless_pinned(engine, image, checker, now)


def _pull_unless_pinned(
    engine: Engine, image: ImageReference, checker: ImageChecker, now: Callable[[], float]
) -> str:
    if image.digest and engine.has_image(str(image)):
        log.info("image.present", image=str(image))
        return str(image)
    checker.check_credentials(image)
    log.info("image.pulling", image=str(image))
    with closing(engine.pull(str(image), checker.credentials_for(image))) as messages:
        log_progress(_check_size(messages, image, checker), now)
    log.info("image.pulled", image=str(image))
    return str(image)


def _check_size(
    messages: Iterable[dict[str, Any]], image: ImageReference, checker: ImageChecker
) -> Iterator[dict[str, Any]]:
    """Yield the messages; check the image's size when the layers that download may not fit.

    The engine names the size of a layer when it begins to download it. So the registry is asked
    only about an image that takes a good part of the free space, long before it takes all of it.
    By then the engine has reported every layer that is present. If the check fails, the engine
    stops as soon as we close the connection, and cleans up.
    """
    present: set[str] = set()
    sizes: dict[str, float] = {}
    checked = False
    for message in messages:
        layer, status = str(message.get("id")), message.get("status")
        if status == "Already exists":
            present.add(layer)
        elif status == "Downloading" and not checked:
            size = size_in(message, "total")
            sizes[layer] = inf if size is None else size
            checked = checker.may_not_fit(sum(sizes.values()))
            if checked:
                checker.check_fits(image, present)
        yield message


def _local(engine: Engine, images: tuple[ImageReference, ...], errors: list[BootError]) -> str:
    """Return an image that is already here, or raise the error of the pull."""
    error = _most_useful(errors)
    for image in images:
        if engine.has_image(str(image)):
            log.warning(
                "image.pull_failed",
                image=str(image),
                **error.fields,
                next="using the image that is already here",
            )
            return str(image)
    raise error


def _most_useful(errors: list[BootError]) -> BootError:
    """Return the first error; if the registry lacks all names, one error with all of them."""
    if len(errors) == 1 or any(error.kind is not ErrorKind.NOT_FOUND for error in errors):
        return next((error for error in errors if error.kind is not ErrorKind.NOT_FOUND), errors[0])
    message = "; ".join(map(str, errors))
    return PermanentError(message, kind=ErrorKind.NOT_FOUND, asked=Asked.REGISTRY)
