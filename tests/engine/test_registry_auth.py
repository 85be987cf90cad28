"""User and password of registries: where they come from, and where they go."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.registry import IMAGES, Credentials, Registry, registry
from sandbox.waiting import wait_for
from tests.engine.conftest import StartMachine
from tests.engine.machine import READY_SECONDS, WORKER, Machine
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import World
from tests.matrix.wire import wire

TOKENS_PORT, OWN_PORT, FILES_PORT = 5101, 5102, 5103
NOTHING_GIVEN = {"registry_username": "", "registry_password": ""}
FIRST, SECOND = Credentials("robot", "first+pass/word"), Credentials("robot2", "second+pass/word")


@pytest.fixture
def tokens(world: World, tmp_path: Path) -> Iterator[Registry]:
    """A registry with TLS whose token service is the file server, which has none."""
    with registry(
        tmp_path / "tokens",
        world.network,
        world.ca,
        world.registry.credentials,
        port=TOKENS_PORT,
        images=world.registry.folder / IMAGES,
        token_service=f"{world.files.url}/token",
    ) as store:
        yield store


@pytest.fixture
def own(world: World, tmp_path: Path) -> Iterator[Registry]:
    """A registry with a password of its own, beside the world's."""
    with registry(
        tmp_path / "own",
        world.network,
        world.ca,
        FIRST,
        port=OWN_PORT,
        images=world.registry.folder / IMAGES,
    ) as store:
        yield store


@pytest.fixture
def auth_url(world: World) -> Iterator[str]:
    """The URL of auth.json, on the file server behind TLS."""
    pair = world.ca.issue("files", [world.network.address])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with wire(world.network, FILES_PORT, 8080, tls=context):
        yield f"https://{world.network.address}:{FILES_PORT}/auth.json"


def publish(world: World, auths: dict[str, Credentials]) -> None:
    entries = {host: {"auth": one.basic} for host, one in auths.items()}
    file = world.files.root / "auth.json"
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"auths": entries}))
    part.rename(file)


def environment(machine: Machine) -> dict[str, str]:
    """Return the variables of the worker that registries are about."""
    pairs = (one.partition("=") for one in machine.engine.inspect(WORKER)["Config"]["Env"])
    return {name: value for name, _, value in pairs if name.startswith("REGISTRY_")}


def pair(credentials: Credentials) -> dict[str, str]:
    return {name.upper(): value for name, value in credentials.parameters.items()}


def logs(machine: Machine) -> str:
    docker = machine.world.docker
    return docker.logs(machine.bootkit) + docker.logs(machine.tink_docker)


def parameters(tokens: Registry) -> dict[str, str]:
    image = f"{tokens.host}/{AGENT_IMAGE}"
    return {"docker_registry": tokens.host, "tink_worker_image": image}


def token_requests(world: World) -> int:
    return world.files.program.log.read_text().count("GET /token?")


def test_a_token_service_without_tls_gets_no_password(
    start_machine: StartMachine, world: World, tokens: Registry
) -> None:
    before = token_requests(world)
    with start_machine(**parameters(tokens)) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "plain-http"
        assert tokens.host in failed["error"]
        assert world.files.url.removeprefix("http://") in failed["hint"]
        assert token_requests(world) == before


def test_a_token_service_without_tls_that_is_listed_is_used(
    start_machine: StartMachine, world: World, tokens: Registry
) -> None:
    before = token_requests(world)
    listed = world.files.url.removeprefix("http://")
    with start_machine(**parameters(tokens), insecure_registries=listed):
        what = "dockerd's question for a token"
        wait_for(what, lambda: token_requests(world) > before, seconds=READY_SECONDS)


def test_one_file_has_the_passwords_of_two_registries(
    start_machine: StartMachine, world: World, own: Registry, auth_url: str
) -> None:
    """One pulls the worker's image, the worker gets the other for its action's."""
    publish(
        world, {own.host: FIRST, f"https://{world.registry.host}/v1/": world.registry.credentials}
    )
    image = f"{own.host}/{AGENT_IMAGE}"
    words = {**NOTHING_GIVEN, "registry_auth_url": auth_url, "tink_worker_image": image}
    with start_machine(**words) as machine:
        machine.wait_for_worker()
        assert environment(machine) == pair(world.registry.credentials)
        world.prove(machine.identity, "two-registries")
        assert FIRST.password not in logs(machine)
        assert world.registry.credentials.password not in logs(machine)


def test_a_password_that_is_revoked_is_replaced_by_the_new_one(
    start_machine: StartMachine, world: World, own: Registry, auth_url: str
) -> None:
    publish(world, {own.host: FIRST})
    words = {
        **NOTHING_GIVEN,
        "registry_auth_url": auth_url,
        "docker_registry": own.host,
        "tink_worker_image": f"{own.host}/{AGENT_IMAGE}",
    }
    with start_machine(**words) as machine:
        first = machine.wait_for_worker()
        assert environment(machine) == pair(FIRST)
        own.set_password(SECOND)
        publish(world, {own.host: SECOND})
        machine.engine.kill(WORKER)
        machine.wait_for_event(machine.bootkit, "image.password_renewed")
        second = machine.wait_for_worker(other_than=first)
        assert environment(machine) == pair(SECOND)
        # A bootkit that was killed has no file. It adopts the worker, and finds out.
        own.set_password(FIRST)
        publish(world, {own.host: FIRST})
        world.docker.kill(machine.bootkit)
        world.docker("start", machine.bootkit)
        machine.wait_for_event(machine.bootkit, "worker.password_changed")
        machine.wait_for_worker(other_than=second)
        assert environment(machine) == pair(FIRST)
        assert not [one for one in (FIRST, SECOND) if one.password in logs(machine)]
