"""Embedded images: what is read, what is written into dockerd's record, what is logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import embedded
from tink_docker.embedded import Image, add_digests, embed, read
from tinkie.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]

ID, DIGEST = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
IMAGE = Image("r.example/w@" + DIGEST, DIGEST, ID, "0.tar")
TAGGED = {"r.example/w:embedded": ID}


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def test_the_index_is_read(tmp_path: Path) -> None:
    row = {"name": IMAGE.name, "digest": DIGEST, "id": ID, "archive": "0.tar"}
    assert read(write(tmp_path / "index.json", [row])) == [IMAGE]


@pytest.mark.parametrize("value", [5, [5], [{"name": "x"}], {"a": 1}])
def test_an_index_that_makes_no_sense_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(PermanentError, match="reading"):
        read(write(tmp_path / "index.json", value))


def test_a_digest_is_added_to_the_names(tmp_path: Path) -> None:
    record = write(tmp_path / "names", {"Repositories": {"r.example/w": dict(TAGGED), "b": {}}})
    add_digests([IMAGE], record)
    found = json.loads(record.read_text())["Repositories"]
    assert found == {"r.example/w": {**TAGGED, f"r.example/w@{DIGEST}": ID}, "b": {}}


@pytest.mark.parametrize("value", [{"Repositories": {}}, {}, 5, {"Repositories": {"a": 5}}])
def test_a_record_that_lacks_the_image_or_is_another_is_left_alone(
    tmp_path: Path, value: object
) -> None:
    record = write(tmp_path / "names", value)
    with pytest.raises(PermanentError):
        add_digests([IMAGE], record)
    assert json.loads(record.read_text()) == value


def test_without_embedded_images_nothing_is_done(
    tmp_path: Path, clock: Clock, events: Events
) -> None:
    embed(clock.wait, clock.now, tmp_path / "none", tmp_path)
    assert not events


def test_images_are_loaded_once(
    tmp_path: Path, clock: Clock, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"name": IMAGE.name, "digest": DIGEST, "id": ID, "archive": "0.tar"}
    write(tmp_path / "images/index.json", [row])
    names = tmp_path / "image/overlay2/repositories.json"

    def load(*_: object) -> None:
        write(names, {"Repositories": {"r.example/w": dict(TAGGED)}})

    monkeypatch.setattr(embedded, "_load", load)
    for _ in range(2):
        embed(clock.wait, clock.now, tmp_path / "images", tmp_path)
    assert [event["event"] for event in events] == ["embedded.loading", "embedded.loaded"]
    assert f"r.example/w@{DIGEST}" in names.read_text()


@pytest.fixture
def world(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Clock, pytest.MonkeyPatch]:
    return tmp_path, clock, monkeypatch


@pytest.mark.parametrize(
    ("error", "tries"),
    [(TransientError("killed"), 3), (OSError(28, "full"), 3), (PermanentError("no"), 1)],
)
def test_a_failure_is_logged_and_tried_again_unless_it_would_come_again(
    world: tuple[Path, Clock, pytest.MonkeyPatch], events: Events, error: Exception, tries: int
) -> None:
    tmp_path, clock, monkeypatch = world
    write(tmp_path / "images/index.json", [])

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(embedded, "_load", fail)
    for _ in range(5):
        embed(clock.wait, clock.now, tmp_path / "images", tmp_path)
    assert [event["event"] for event in events] == ["embedded.loading", "embedded.failed"] * tries
    later = [event["next"].partition("; ")[2] for event in events if "next" in event]
    assert later == ["its next start tries them again"] * (tries - 1) + ["they are not tried again"]
