"""The name of a container in the engine's list, read the same way by both engine clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def container_name(row: Mapping[str, Any]) -> str:
    """Return the name in a row of /containers/json; its id if it has none, as while it is removed.

    More names are those by which other containers link to it.
    """
    names = row.get("Names") or [row.get("Id", "")]
    return str(names[0]).removeprefix("/")
