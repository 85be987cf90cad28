from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import EngineNotReady
from bootkit.image.pull import obtain_image
from bootkit.plan.credentials import Credentials
from bootkit.plan.worker import WorkerSpec
from tests.fakes.engine import FakeEngine
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError, TransientError
from tinkie.parameters.image_reference import ImageReference

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

WORKER, AGENT = "r.example/tink-worker:latest", "r.example/tink-agent:latest"
DONE = [{"status": "Status: Downloaded newer image"}]
MISSING = [{"error": "manifest for x not found: manifest unknown"}]
DOWN = [{"error": "dial tcp 10.0.0.1:443: connect: connection refused"}]
DENIED = [{"error": "unauthorized: authentication required"}]


@dataclass
class World:
    fake: FakeEngine
    images: tuple[str, ...] = (WORKER, AGENT)
    credentials: Credentials | None = None
    explained: list[str] = field(default_factory=list)
    refusal: BootError | None = None
    unsafe: BootError | None = None
    denied: list[str] = field(default_factory=list)
    other: list[Credentials] = field(default_factory=list)  # that there are after a denial
    present: list[list[str]] = field(default_factory=list)
    free: int = 100

    def explain(self, error: BootError, image: ImageReference) -> BootError:
        self.explained.append(str(image))
        return error

    def may_not_fit(self, size: float) -> bool:
        return size >= self.free

    def check_fits(self, image: ImageReference, present: Container[str]) -> None:
        assert str(image) in self.images
        self.present.append([layer for layer in "abc" if layer in present])
        if self.refusal:
            raise self.refusal

    def credentials_for(self, image: ImageReference) -> Credentials | None:
        return self.spec.credentials_for(image)

    def renewed(self, image: ImageReference) -> bool:
        self.denied.append(str(image))
        if self.other:
            self.credentials = self.other.pop(0)
            return True
        return False

    def check_credentials(self, image: ImageReference) -> None:
        assert str(image) in self.images
        if self.unsafe:
            raise self.unsafe

    @property
    def spec(self) -> WorkerSpec:
        images = tuple(map(ImageReference.parse, self.images))
        return WorkerSpec("w", images, {}, "r.example", self.credentials)

    def obtain(self) -> str:
        engine = DockerEngine(self.fake.socket)
        engine.connect()
        try:
            return obtain_image(engine, self.spec, self, float)
        finally:
            engine.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    fake = FakeEngine(tmp_path / "docker.sock")
    with fake.serving():
        yield World(fake)


def test_the_first_name_is_enough(world: World) -> None:
    world.fake.pulls = {WORKER: list(DONE)}
    assert world.obtain() == WORKER


def test_the_second_name_is_tried_if_the_registry_lacks_the_first(world: World) -> None:
    world.fake.pulls = {WORKER: list(MISSING), AGENT: list(DONE)}
    assert world.obtain() == AGENT


def test_a_registry_that_is_down_is_not_asked_for_another_name(world: World) -> None:
    world.fake.pulls = {WORKER: list(DOWN), AGENT: list(DONE)}
    with pytest.raises(TransientError, match="connection refused"):
        world.obtain()
    assert len(world.fake.auth) == 1


def test_the_error_of_a_registry_without_either_has_both_names(world: World) -> None:
    world.fake.pulls = {WORKER: list(MISSING), AGENT: list(MISSING)}
    with pytest.raises(PermanentError) as caught:
        world.obtain()
    assert WORKER in str(caught.value)
    assert AGENT in str(caught.value)


def test_wrong_credentials_are_named_as_the_cause(world: World) -> None:
    world.fake.pulls = {WORKER: list(DENIED), AGENT: list(MISSING)}
    with pytest.raises(PermanentError) as caught:
        world.obtain()
    assert caught.value.kind == "denied"
    assert "registry_password" in caught.value.hint


def test_an_error_inside_of_a_200_answer_is_an_error_though_the_image_is_there(
    world: World, events: Events
) -> None:
    world.images = (WORKER,)
    world.fake.images = {WORKER}
    world.fake.pulls = {WORKER: [{"status": "Pulling from x", "id": "latest"}, *DENIED]}
    assert world.obtain() == WORKER
    assert events[-1]["event"] == "image.pull_failed"
    assert "unauthorized" in events[-1]["error"]
    assert "already here" in events[-1]["next"]


def test_an_error_detail_alone_is_an_error(world: World) -> None:
    world.fake.pulls = {WORKER: [{"errorDetail": {"message": "toomanyrequests: slow down"}}]}
    with pytest.raises(TransientError, match="slow down"):
        world.obtain()


@pytest.mark.parametrize("cut", [0, 3, 20, 60])
def test_an_engine_that_dies_during_a_pull_is_not_ready(world: World, cut: int) -> None:
    world.fake.pulls = {WORKER: [{"status": "Downloading", "id": "a"}, *DONE]}
    world.fake.cut = cut
    with pytest.raises(EngineNotReady, match=f"pull {WORKER}"):
        world.obtain()


def test_an_error_as_status_is_an_error(world: World) -> None:
    world.fake.pulls = {WORKER: (500, "Get https://r.example/v2/: no such host")}
    with pytest.raises(TransientError, match="no such host") as caught:
        world.obtain()
    assert caught.value.kind == "name-resolution"


def test_a_pinned_image_that_is_there_is_not_pulled(world: World) -> None:
    pinned = "r.example/w@sha256:" + "0" * 64
    world.images = (pinned,)
    world.fake.images = {pinned}
    assert world.obtain() == pinned
    assert world.fake.auth == []


def test_an_image_without_tag_is_pulled_as_latest(world: World) -> None:
    world.images = ("r.example:5000/w",)
    world.fake.pulls = {"r.example:5000/w:latest": list(DONE)}
    assert world.obtain() == "r.example:5000/w"


def test_the_credentials_are_sent(world: World) -> None:
    world.credentials = Credentials("u", "p")
    world.fake.pulls = {WORKER: list(DONE)}
    world.obtain()
    assert json.loads(base64.urlsafe_b64decode(world.fake.auth[0])) == {
        "username": "u",
        "password": "p",
    }


def test_no_credentials_are_an_empty_configuration(world: World) -> None:
    world.fake.pulls = {WORKER: list(DONE)}
    world.obtain()
    assert json.loads(base64.urlsafe_b64decode(world.fake.auth[0])) == {}


def test_every_error_goes_through_the_image_checker(world: World) -> None:
    world.fake.pulls = {WORKER: list(MISSING), AGENT: list(DONE)}
    world.obtain()
    assert world.explained == [WORKER]


LAYERS = [
    {"status": "Pulling from x", "id": "latest"},
    {"status": "Already exists", "id": "a"},
    {"status": "Pulling fs layer", "id": "b"},
    {"status": "Pulling fs layer", "id": "c"},
]


def downloading(layer: str, **detail: object) -> dict[str, Any]:
    return {"status": "Downloading", "id": layer, "progressDetail": {"current": 1, **detail}}


B, C = downloading("b", total=60), downloading("c", total=40)


def test_the_size_is_checked_once_when_the_layers_that_download_may_not_fit(world: World) -> None:
    world.fake.pulls = {WORKER: [*LAYERS, B, C, B, C, *DONE]}
    world.obtain()
    assert world.present == [["a"]]


def test_the_size_is_checked_at_once_if_the_engine_names_none(world: World) -> None:
    world.fake.pulls = {WORKER: [*LAYERS, downloading("b"), *DONE]}
    world.obtain()
    assert world.present == [["a"]]


@pytest.mark.parametrize("layers", [[B, B, B], [B], []])
def test_the_size_of_an_image_that_surely_fits_is_not_checked(
    world: World, layers: list[dict[str, Any]]
) -> None:
    world.fake.pulls = {WORKER: [*LAYERS, *layers, *DONE]}
    world.obtain()
    assert world.present == []


def test_the_pull_of_an_image_that_does_not_fit_is_closed(world: World) -> None:
    closed = []

    class Recording(DockerEngine):
        def has_image(self, _image: str) -> bool:
            return False

        def pull(self, image: str, credentials: Credentials | None) -> Generator[dict[str, Any]]:
            try:
                yield from super().pull(image, credentials)
            except GeneratorExit:
                closed.append(image)
                raise

    world.refusal = PermanentError("too large", kind=ErrorKind.OUT_OF_SPACE)
    world.fake.pulls = {WORKER: [*LAYERS, B, C, *DONE]}
    engine = Recording(world.fake.socket)
    engine.connect()
    with pytest.raises(PermanentError, match="too large"):
        obtain_image(engine, world.spec, world, float)
    engine.close()
    assert closed == [WORKER]
    assert len(world.fake.auth) == 1, "no other name is tried"


def test_an_image_whose_pull_would_not_be_safe_is_not_pulled(world: World) -> None:
    world.unsafe = PermanentError("without TLS", kind=ErrorKind.PLAIN_HTTP)
    world.fake.pulls = {WORKER: list(DONE), AGENT: list(DONE)}
    with pytest.raises(PermanentError, match="without TLS"):
        world.obtain()
    assert world.fake.auth == []
    assert world.explained == [WORKER]


def test_a_denied_pull_is_tried_once_more_with_other_credentials(
    world: World, events: Events
) -> None:
    def registry(_image: str, auth: str) -> list[dict[str, Any]]:
        found = json.loads(base64.urlsafe_b64decode(auth))
        return list(DONE) if found.get("password") == "new" else list(DENIED)

    world.credentials = Credentials("u", "old")
    world.other = [Credentials("u", "new"), Credentials("u", "newer")]
    world.fake.registry = registry
    assert world.obtain() == WORKER
    assert len(world.fake.auth) == 2
    assert [e["event"] for e in events][1] == "image.password_renewed"


def test_a_second_denial_is_the_end(world: World) -> None:
    world.credentials = Credentials("u", "old")
    world.other = [Credentials("u", "new"), Credentials("u", "newer")]
    world.images = (WORKER,)
    world.fake.pulls = {WORKER: list(DENIED)}
    with pytest.raises(PermanentError):
        world.obtain()
    assert len(world.fake.auth) == 2


def test_only_a_denial_asks_for_other_credentials(world: World) -> None:
    world.fake.pulls = {WORKER: list(MISSING), AGENT: list(DONE)}
    assert world.obtain() == AGENT
    assert world.denied == []
