"""How far a pull has come, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = structlog.get_logger()

TELL_EVERY_SECONDS = 15.0  # of a layer whose state stays

# What the engine says of a layer, as far as it is a new state and no more bytes of the same one.
_STATES = (
    "Pulling fs layer",
    "Downloading",
    "Download complete",
    "Extracting",
    "Pull complete",
    "Retrying",
)


def tell_progress(messages: Iterable[dict[str, Any]], now: Callable[[], float]) -> None:
    """Log each change of a layer's state; and on a slow line, now and then, how much is there.

    messages: the engine's, as POST /images/create streams them. now: seconds, monotonic.
    """
    told: dict[str, tuple[str, float]] = {}
    for message in messages:
        layer, status = str(message.get("id") or ""), str(message.get("status", ""))
        state = next((state for state in _STATES if status.startswith(state)), "")
        if not (layer and state):
            continue
        (before, since), at = told.get(layer, ("", 0.0)), now()
        if state != before or at - since >= TELL_EVERY_SECONDS:
            told[layer] = (state, at)
            done = {"done": _bytes(message, "current")} if state == before else {}
            _tell(layer, state, **done, bytes=_bytes(message, "total"))


def _tell(layer: str, state: str, **sizes: int | None) -> None:
    known = {name: size for name, size in sizes.items() if size}
    log.info("image.progress", layer=layer, state=state, **known)


def _bytes(message: dict[str, Any], name: str) -> int | None:
    detail = message.get("progressDetail")
    size = detail.get(name) if isinstance(detail, dict) else None
    return size if isinstance(size, int) else None
