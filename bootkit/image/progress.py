"""The progress of a pull, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootkit.policy import PULL_PROGRESS_LOG_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = get_logger()

# The states of a layer in the engine's messages; "Downloading" comes again with each new size.
_STATES = (
    "Pulling fs layer",
    "Downloading",
    "Download complete",
    "Extracting",
    "Pull complete",
    "Retrying",
)


def log_progress(messages: Iterable[dict[str, Any]], now: Callable[[], float]) -> None:
    """Log each change of a layer's state, and on a slow line now and then how much has arrived.

    messages: the engine's, as POST /images/create streams them. now: monotonic seconds.
    """
    last_logged: dict[str, tuple[str, float]] = {}
    for message in messages:
        layer, status = str(message.get("id") or ""), str(message.get("status", ""))
        state = next((state for state in _STATES if status.startswith(state)), "")
        if not (layer and state):
            continue
        (before, since), at = last_logged.get(layer, ("", 0.0)), now()
        if state != before or at - since >= PULL_PROGRESS_LOG_SECONDS:
            last_logged[layer] = (state, at)
            done = {"done": size_in(message, "current")} if state == before else {}
            _log(layer, state, **done, bytes=size_in(message, "total"))


def _log(layer: str, state: str, **sizes: int | None) -> None:
    known = {name: size for name, size in sizes.items() if size}
    log.info("image.progress", layer=layer, state=state, **known)


def size_in(message: dict[str, Any], name: str) -> int | None:
    """Return the `current` or `total` bytes of a layer; None if a message has none."""
    detail = message.get("progressDetail")
    size = detail.get(name) if isinstance(detail, dict) else None
    return size if isinstance(size, int) and 0 <= size < 2**63 else None  # as Go's int64
