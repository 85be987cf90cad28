"""The engine's JSON as our values, and our values as its JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bootkit.engine.errors import error_from
from bootkit.engine.interface import Container, ContainerEvent, Ended
from tinkie.container_name import container_name
from tinkie.hints import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bootkit.plan.credentials import Credentials


def container_in(row: Mapping[str, Any]) -> Container:
    """Return the container in a row of the engine's list."""
    return Container(
        id=str(row["Id"]),
        name=container_name(row),
        running=row.get("State") in ("running", "restarting", "paused"),
        image=str(row.get("Image", "")),
        labels=dict(row.get("Labels") or {}),
        mounts=tuple(str(mount.get("Destination", "")) for mount in row.get("Mounts") or ()),
    )


def ended_in(state: Mapping[str, Any]) -> Ended | None:
    """Return how a container ended, from its state; None while it runs."""
    if state["Running"] or state["Restarting"]:
        return None
    error, killed = str(state.get("Error") or ""), bool(state.get("OOMKilled"))
    return Ended(int(state["ExitCode"]), error, killed)


def event_in(event: Mapping[str, Any]) -> ContainerEvent:
    """Return the container event in a message, `start` or `die`."""
    about = event["Actor"]["Attributes"]
    code = int(about.get("exitCode", 0)) if event["Action"] == "die" else None
    return ContainerEvent(str(about.get("name", "")), str(about.get("image", "")), code)


def progress_in(image: str, lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the messages of a pull's stream; raise the error if one is among them."""
    for line in lines:
        if not line.strip():
            continue
        message = json.loads(line)
        if not isinstance(message, dict):
            raise TypeError("a message of the pull is not an object")
        if "error" in message or "errorDetail" in message:
            detail = message.get("errorDetail") or {}
            text = str(message.get("error") or detail.get("message") or "unknown error")
            raise error_from(f"pull {image}", text, None, Asked.REGISTRY)
        yield message


def auth_header(credentials: Credentials | None) -> str:
    """Return the header X-Registry-Auth of a pull."""
    import base64  # noqa: PLC0415 - pulls only

    config = {}
    if credentials is not None:
        token = credentials.identity_token
        config = {"username": credentials.username, "password": credentials.password}
        config |= {"identitytoken": token} if token else {}
    return base64.urlsafe_b64encode(json.dumps(config).encode()).decode()


def tag_if_needed(image: str) -> dict[str, str]:
    """Return `latest` for a name without tag and digest: the engine would pull every tag."""
    last = image.rpartition("/")[2]
    return {} if ":" in last or "@" in last else {"tag": "latest"}
