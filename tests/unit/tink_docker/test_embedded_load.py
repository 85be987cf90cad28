"""How embedded images get into the store: by an engine that runs only for that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import embedded, policy
from tink_docker.engine.daemons import EngineDaemons

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]

ID, DIGEST = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@dataclass
class FakeEngine:
    """An engine that answers after some turns, or ends before; it takes archives into a record."""

    record: Path
    answers_after: int = 2
    status: str = "exit code 1"
    last_lines: list[str] = field(default_factory=lambda: ["no space left on device"])
    files: tuple[int, ...] = (7,)
    looks: int = 0
    archives: list[Path] = field(default_factory=list)
    stopped: bool = False

    def look_after(self) -> None:
        assert not self.stopped
        self.looks += 1

    def stop(self, _wait: object) -> None:
        self.stopped = True

    def wait_for_answer(self, turn: Any) -> bool:
        for _ in range(self.answers_after):
            turn([8])
        return self.answers_after > 0

    def load(self, archive: Path, wait: Any) -> None:
        assert not self.stopped
        wait(3.0, [9])
        self.archives.append(archive)
        self.record.parent.mkdir(parents=True)
        self.record.write_text(json.dumps({"Repositories": {"r/w": {"r/w:embedded": ID}}}))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine in place of the real one, and an index of one image."""
    engine = FakeEngine(tmp_path / "data/image/overlay2/repositories.json")
    row = {"name": f"r/w@{DIGEST}", "digest": DIGEST, "id": ID, "archive": "0.tar"}
    (tmp_path / "index.json").write_text(json.dumps([row]))
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(EngineDaemons, "start", lambda *_, **__: engine)
    monkeypatch.setattr(
        embedded, "wait_for_answer", lambda *_, turn, **__: engine.wait_for_answer(turn)
    )
    monkeypatch.setattr(
        embedded, "load_images", lambda _, archive, wait, _now: engine.load(archive, wait)
    )
    return engine


def test_an_engine_takes_the_archives_and_is_stopped(
    engine: FakeEngine, clock: Clock, events: Events, tmp_path: Path
) -> None:
    embedded.embed(clock.wait, clock.now, tmp_path, tmp_path / "data")
    assert [event["event"] for event in events] == ["embedded.loading", "embedded.loaded"]
    assert engine.archives == [tmp_path / "0.tar"]
    assert engine.stopped
    assert clock.waits == [*[policy.EMBEDDED_POLL_SECONDS] * 2, 3.0]
    assert engine.looks == 4, "after each wait, and after the archive"
    assert f"r/w@{DIGEST}" in engine.record.read_text()


def test_an_engine_that_ends_is_reported_with_its_last_lines(
    engine: FakeEngine, clock: Clock, events: Events, tmp_path: Path
) -> None:
    engine.answers_after = 0
    embedded.embed(clock.wait, clock.now, tmp_path, tmp_path / "data")
    assert [event["event"] for event in events] == ["embedded.loading", "embedded.failed"]
    assert "exit code 1" in events[-1]["error"]
    assert "no space left on device" in events[-1]["error"]
    assert engine.archives == []
    assert engine.stopped
