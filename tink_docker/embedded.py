"""Images that the initramfs brings along (`make dist EMBED=`), for machines without a registry.

They are put into the engine's store before it serves anybody, by a dockerd on a socket of its own.
A dockerd takes an image under its digest by a pull only; so the digests are added to its record of
names while none runs (`repositories.json`; moby/reference/store.go of docker 1.10 to 26.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from tink_docker.engine.api import load
from tink_docker.engine.child import Child
from tink_docker.engine.containerd import is_serving, start_containerd
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.engine.dockerd import words
from tink_docker.engine.engine import Engine, await_answer
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, BootError, PermanentError, TransientError
from tinkie.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.engine.engine import Wait

log = structlog.get_logger()

FOLDER = Path("/host_root/usr/lib/tinkie/images")  # release/embed.py writes it
SOCKET = Path("/run/embedding.sock")
START_SECONDS = 180.0
POLL_SECONDS = 0.2

_INDEX = "index.json"
_DONE = "embedded"
_NAMES = Path("image/overlay2/repositories.json")


@dataclass(frozen=True, slots=True)
class Image:
    """One of them: `id` is the SHA-256 of its configuration, by which the engine knows it."""

    name: str
    digest: str
    id: str
    archive: str


def embed(
    wait: Wait, now: Callable[[], float], folder: Path = FOLDER, data_root: Path = DATA_ROOT
) -> None:
    """Put them into the store, unless they are there; no dockerd may run. What fails is told."""
    index, done = folder / _INDEX, data_root / _DONE
    if done.exists() or not index.exists():
        return
    log.info("embedded.loading", source=str(folder))
    try:
        images = read(index)
        _load(images, folder, wait, now)
        name(images, data_root / _NAMES)
        done.touch()
    except (BootError, OSError) as error:
        what_next = "the engine starts without them; they are tried again when it starts again"
        log.error("embedded.failed", error=str(error), next=what_next)  # noqa: TRY400
    else:
        log.info("embedded.loaded", images=", ".join(image.name for image in images))


def read(index: Path) -> list[Image]:
    """Return what the index lists; PermanentError if it makes no sense."""
    try:
        return [Image(**row) for row in json.loads(index.read_bytes())]
    except NONSENSE as error:
        raise PermanentError(f"reading {index}: {error!r}", kind=ErrorKind.BAD_ANSWER) from error


def _load(images: list[Image], folder: Path, wait: Wait, now: Callable[[], float]) -> None:
    dockerd = partial(Child.start, "dockerd", words(f"unix://{SOCKET}"))
    engine = Engine.start(start_containerd, dockerd, is_serving, wait=wait, now=now)
    try:
        turn = partial(_turn, engine, wait)
        if not await_answer(engine, SOCKET, START_SECONDS, turn=turn, now=now):
            message = f"dockerd takes no images ({engine.status}): {engine.last_lines}"
            raise TransientError(message, kind=ErrorKind.ENGINE_NOT_READY)
        for image in images:
            load(SOCKET, folder / image.archive)
            engine.look_after()
    finally:
        engine.stop(wait)


def _turn(engine: Engine, wait: Wait, files: list[int]) -> None:
    wait(POLL_SECONDS, [*engine.files, *files])
    engine.look_after()


def name(images: list[Image], record: Path) -> None:
    """Add the digests to the engine's record of names; no dockerd may run.

    Raises:
        PermanentError: the engine does not have what the index says, or its record has changed.
    """
    try:
        told = json.loads(record.read_bytes())
        for image in images:
            _add(image, told["Repositories"])
    except NONSENSE as error:
        raise PermanentError(f"reading {record}: {error!r}", kind=ErrorKind.BAD_ANSWER) from error
    write_atomically(record, json.dumps(told).encode(), mode=0o600)


def _add(image: Image, repositories: dict[str, Any]) -> None:
    found = [name for name, names in repositories.items() if image.id in names.values()]
    if not found:
        message = f"the engine took {image.name}, but has no image {image.id}"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
    for repository in found:
        repositories[repository][f"{repository}@{image.digest}"] = image.id
