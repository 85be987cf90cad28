"""Load the images embedded in the initramfs (`make dist EMBED=`), for machines without a registry.

This happens before the engine serves anybody, by a dockerd on a socket of its own. dockerd records
an image's digest only when it pulls the image, so the digests are added to its record of names
while no dockerd runs (`repositories.json`; moby's reference store, docker 1.10 to 29).
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tink_docker import policy
from tink_docker.engine.api import load_images
from tink_docker.engine.child import Child
from tink_docker.engine.containerd import is_serving, start_containerd
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.engine.daemons import EngineDaemons, wait_for_answer
from tink_docker.engine.dockerd import dockerd_command
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, BootError, PermanentError, TransientError
from tinkie.files import write_atomically
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tink_docker.engine.child import Wait

log = get_logger()

FOLDER = Path("/host_root/usr/lib/tinkie/images")  # written by release/embed.py
SOCKET = Path("/run/embedding.sock")

_INDEX = "index.json"
_DONE = "embedded"
_FAILED = "embedded-failure-"  # and its number
_NAMES = Path("image/overlay2/repositories.json")


class Image(NamedTuple):
    """An embedded image; `id` is the SHA-256 of its configuration, dockerd's id for it."""

    name: str
    digest: str
    id: str
    archive: str


def embed(
    wait: Wait, now: Callable[[], float], folder: Path = FOLDER, data_root: Path = DATA_ROOT
) -> None:
    """Load them once, while no dockerd runs; log a failure and return.

    A failure is tried again by the next start of the engine, unless it would fail again: each try
    delays that start by minutes.
    """
    index = folder / _INDEX
    if not index.exists() or _is_over(data_root):
        return
    log.info("embedded.loading", source=str(folder))
    try:
        images = read(index)
        _load(images, folder, wait, now)
        add_digests(images, data_root / _NAMES)
        (data_root / _DONE).touch()
    except (BootError, OSError) as error:
        _log_failure(error, data_root)
    else:
        log.info("embedded.loaded", images=", ".join(image.name for image in images))


def _log_failure(error: Exception, data_root: Path) -> None:
    """Log it, and count it in the data folder, where a later tink-docker sees it, too.

    An empty file for each failure: the file system may be full.
    """
    more = policy.EMBEDDED_FAILURES_MAXIMUM if isinstance(error, PermanentError) else 1
    with suppress(OSError):
        for number in range(_failures(data_root), _failures(data_root) + more):
            (data_root / f"{_FAILED}{number}").touch()
    final = _failures(data_root) >= policy.EMBEDDED_FAILURES_MAXIMUM
    later = "they are not tried again" if final else "its next start tries them again"
    log.error("embedded.failed", error=str(error), next=f"the engine starts without them; {later}")


def _failures(data_root: Path) -> int:
    return len(list(data_root.glob(f"{_FAILED}*")))


def _is_over(data_root: Path) -> bool:
    """Return whether the images are loaded, or failed too often."""
    often = _failures(data_root) >= policy.EMBEDDED_FAILURES_MAXIMUM
    return often or (data_root / _DONE).exists()


def read(index: Path) -> list[Image]:
    """Return the images in the index; raise PermanentError if it cannot be understood."""
    try:
        return [Image(**row) for row in json.loads(index.read_bytes())]
    except NONSENSE as error:
        raise PermanentError(f"reading {index}: {error!r}", kind=ErrorKind.BAD_ANSWER) from error


def _load(images: list[Image], folder: Path, wait: Wait, now: Callable[[], float]) -> None:
    dockerd = partial(Child.start, "dockerd", dockerd_command(f"unix://{SOCKET}"))
    engine = EngineDaemons.start(start_containerd, dockerd, is_serving, wait=wait, now=now)
    meanwhile = partial(_wait, engine, wait)
    try:
        turn = partial(meanwhile, policy.EMBEDDED_POLL_SECONDS)
        seconds = policy.DOCKERD_FIRST_ANSWER_SECONDS
        if not wait_for_answer(engine, SOCKET, seconds, turn=turn, now=now):
            message = f"dockerd ended before it took images ({engine.status}): {engine.last_lines}"
            raise TransientError(message, kind=ErrorKind.ENGINE_NOT_READY)
        for image in images:
            load_images(SOCKET, folder / image.archive, meanwhile, now)
            engine.look_after()
    finally:
        engine.stop(wait)


def _wait(engine: EngineDaemons, wait: Wait, seconds: float, files: Sequence[int]) -> None:
    wait(seconds, [*engine.files, *files])
    engine.look_after()


def add_digests(images: list[Image], record: Path) -> None:
    """Add the images' digests to dockerd's record of names; no dockerd may run.

    Raises:
        PermanentError: dockerd lacks an image of the index, or its record has another format.
    """
    try:
        names = json.loads(record.read_bytes())
        for image in images:
            _add_digest(image, names["Repositories"])
    except NONSENSE as error:
        raise PermanentError(f"reading {record}: {error!r}", kind=ErrorKind.BAD_ANSWER) from error
    write_atomically(record, json.dumps(names).encode(), mode=0o600)


def _add_digest(image: Image, repositories: dict[str, Any]) -> None:
    found = [name for name, names in repositories.items() if image.id in names.values()]
    if not found:
        message = f"dockerd loaded {image.name}, but has no image {image.id}"
        raise PermanentError(message, kind=ErrorKind.BAD_ANSWER)
    for repository in found:
        repositories[repository][f"{repository}@{image.digest}"] = image.id
