"""What of the engine's folder is removed before an engine starts, and above all what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.repair.layers import remove_incomplete_layers

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]


def add_layer(root: Path, name: str, *, whole: bool) -> None:
    layer = root / "overlay2" / name
    (layer / "diff").mkdir(parents=True)
    (layer / "diff" / "file").write_text("x")
    (layer / "link").write_text(f"LINK{name}")
    links = root / "overlay2" / "l"
    links.mkdir(exist_ok=True)
    (links / f"LINK{name}").symlink_to(f"../{name}/diff")
    if whole:
        (layer / "committed").touch()


def add_record(root: Path, kind: str, file: str, name: str) -> None:
    record = root / "image/overlay2/layerdb" / kind / f"of-{name}"
    record.mkdir(parents=True, exist_ok=True)
    (record / file).write_text(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an engine's folder: layers of an image and a container, an incomplete one, a spare."""
    add_layer(tmp_path, "image", whole=True)
    add_record(tmp_path, "sha256", "cache-id", "image")
    for name, file in (("running", "mount-id"), ("running-init", "init-id")):
        add_layer(tmp_path, name, whole=False)
        add_record(tmp_path, "mounts", file, name)
    add_layer(tmp_path, "incomplete", whole=False)
    add_layer(tmp_path, "of-nobody", whole=True)
    (tmp_path / "image/overlay2/layerdb/tmp/write-set-1").mkdir(parents=True)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_incomplete_layers_are_removed(root: Path, events: Events) -> None:
    remove_incomplete_layers(root)
    left = {"image", "running", "running-init", "of-nobody"}
    assert names(root / "overlay2") == left | {"l"}
    assert names(root / "overlay2/l") == {f"LINK{name}" for name in left}
    assert names(root / "image/overlay2/layerdb/tmp") == set()
    assert [(event["event"], event["count"]) for event in events] == [("layers.removed", 1)]


def test_the_second_time_nothing_is_logged(root: Path, events: Events) -> None:
    remove_incomplete_layers(root)
    events.clear()
    remove_incomplete_layers(root)
    assert events == []


def test_a_new_machine_has_nothing(tmp_path: Path, events: Events) -> None:
    remove_incomplete_layers(tmp_path / "missing")
    assert events == []


def test_nothing_is_removed_if_it_is_not_known_what_is_needed(root: Path) -> None:
    (root / "image/overlay2/layerdb/mounts/of-running/mount-id").write_bytes(b"\xff")
    before = names(root / "overlay2")
    remove_incomplete_layers(root)
    assert names(root / "overlay2") == before


def test_a_layer_without_a_link_is_removed_too(root: Path) -> None:
    (root / "overlay2/incomplete/link").unlink()
    remove_incomplete_layers(root)
    assert "incomplete" not in names(root / "overlay2")
