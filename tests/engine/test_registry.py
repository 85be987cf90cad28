"""Faults between the machine and its registry: named while they last, repaired without help."""

from release.process import run
from sandbox.registry import Registry
from tests.engine.conftest import StartMachine
from tests.engine.machine import Machine
from tests.engine.world import World


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


def _add_user(registry: Registry, username: str, password: str) -> None:
    line = run("hashing a password", ["htpasswd", "-Bin", username], stdin=password)
    with (registry.folder / "htpasswd").open("ab") as users:
        users.write(line.stdout)


def _outputs_with(secret: str, machine: Machine) -> list[str]:
    """Return the names of the logs and state files that contain the secret."""
    docker = machine.world.docker
    outputs = {name: docker.logs(name) for name in (machine.bootkit, machine.tink_docker)}
    outputs |= {path.name: path.read_text() for path in (machine.folder / "tinkie").glob("*.json")}
    assert len(outputs) > 2, "no state is written"
    return [name for name, text in outputs.items() if secret in text]
