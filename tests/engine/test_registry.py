"""Faults between the machine and its registry: named while they last, repaired without help."""

from release.process import run
from sandbox.registry import IMAGES, Registry, registry
from tests.engine.conftest import StartMachine
from tests.engine.machine import Machine
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import World

MIRROR_PORT = 5444


def test_a_wrong_password_is_reported_and_works_once_the_registry_accepts_it(
    start_machine: StartMachine,
) -> None:
    user, password = "latecomer", "not+yet/known=@"
    with start_machine(registry_username=user, registry_password=password) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "denied"
        assert machine.world.registry.host in failed["error"]
        assert failed["hint"]
        assert failed["next"]
        _add_user(machine.world.registry, user, password)
        machine.wait_for_worker()
        machine.world.prove(machine.identity, user)
        assert _outputs_with(password, machine) == []


def test_a_ca_certificate_that_is_published_late_is_fetched_and_used(
    start_machine: StartMachine, world: World
) -> None:
    with start_machine(registry_ca_url=f"{world.files.url}/late.pem") as machine:
        missing = machine.wait_for_event(machine.tink_docker, "ca.failed")
        assert "late.pem" in missing["error"]
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["kind"] == "certificate-untrusted"
        world.files.publish(world.registry.ca, "late.pem")
        machine.wait_for_event(machine.tink_docker, "ca.installed")
        machine.wait_for_worker()


def test_a_mirror_below_a_path_with_a_ca_of_its_own_serves_docker_hubs_images(
    start_machine: StartMachine, world: World
) -> None:
    store = world.registry
    store.push(world.folder / "agent.tar", f"library/{AGENT_IMAGE}")
    with (
        registry(
            world.folder / "mirror", world.network, world.ca, store.credentials,
            port=MIRROR_PORT, images=store.folder / IMAGES, password=False, prefix="/hub/",
        ) as mirror,
        start_machine(
            tink_worker_image=AGENT_IMAGE,
            docker_registry="",
            registry_mirrors=f"https://{mirror.host}/hub",
        ) as machine,
    ):  # fmt: skip
        installed = machine.wait_for_event(machine.tink_docker, "ca.installed")
        assert installed["registries"] == mirror.host
        machine.wait_for_worker()
        asked = mirror.program.log.read_text()
        assert f"/hub/v2/library/{AGENT_IMAGE.replace(':', '/manifests/')}" in asked


def test_a_ca_for_docker_hub_alone_is_reported_as_useless(start_machine: StartMachine) -> None:
    with start_machine(tink_worker_image=AGENT_IMAGE, docker_registry="") as machine:
        failed = machine.wait_for_event(machine.tink_docker, "ca.failed")
        assert "registry_ca_url has no effect" in failed["error"]
        assert "trusted_ca_url" in failed["hint"]
        assert machine.events(machine.tink_docker, "ca.installed") == []


def _add_user(registry: Registry, username: str, password: str) -> None:
    line = run("hashing a password", ["htpasswd", "-Bin", username], stdin=password)
    with (registry.folder / "htpasswd").open("ab") as users:
        users.write(line.stdout)


def _outputs_with(secret: str, machine: Machine) -> list[str]:
    """Return the names of the logs and state files that contain the secret."""
    docker = machine.world.docker
    outputs = {name: docker.logs(name) for name in (machine.bootkit, machine.tink_docker)}
    outputs |= {
        path.name: path.read_text() for path in (machine.folder / "tinkie").glob("*/*.json")
    }
    assert len(outputs) > 2, "no state is written"
    return [name for name, text in outputs.items() if secret in text]
