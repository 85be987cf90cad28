"""User and password of registries: where they come from, and where they go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.registry import IMAGES, Registry, registry
from sandbox.waiting import wait_for
from tests.engine.conftest import StartMachine
from tests.engine.machine import READY_SECONDS
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import World

PORT = 5101


@pytest.fixture
def tokens(world: World, tmp_path: Path) -> Iterator[Registry]:
    """A registry with TLS whose token service is the file server, which has none."""
    with registry(
        tmp_path / "tokens",
        world.network,
        world.ca,
        world.registry.credentials,
        port=PORT,
        images=world.registry.folder / IMAGES,
        token_service=f"{world.files.url}/token",
    ) as store:
        yield store


def test_a_token_service_without_tls_gets_no_password(
    start_machine: StartMachine, world: World, tokens: Registry
) -> None:
    listed = world.files.url.removeprefix("http://")
    words = {
        "docker_registry": tokens.host,
        "tink_worker_image": f"{tokens.host}/{AGENT_IMAGE}",
    }

    def is_asked() -> bool:
        return "GET /token?" in world.files.program.log.read_text()

    with start_machine(**words) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "plain-http"
        assert tokens.host in failed["error"]
        assert listed in failed["hint"]
        assert not is_asked()
    with start_machine(**words, insecure_registries=listed):
        wait_for("dockerd's question for a token", is_asked, seconds=READY_SECONDS)
