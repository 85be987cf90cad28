"""Faults between the machine and its registry: told by name while they last, over by themselves."""

from release.process import run
from sandbox.registry import Registry
from tests.engine.conftest import StartMachine
from tests.engine.machine import Machine
from tests.engine.world import World


def test_a_wrong_password_is_named_and_heals_when_it_is_set_right(
    start_machine: StartMachine,
) -> None:
    user, password = "latecomer", "not+yet/known=@"
    with start_machine(registry_username=user, registry_password=password) as machine:
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["fault"] == "denied"
        assert machine.world.registry.host in failed["error"]
        assert failed["hint"]
        assert failed["next"]
        _add_user(machine.world.registry, user, password)
        machine.wait_for_worker()
        machine.world.prove(machine.identity, user)
        assert _places_with(password, machine) == []


def test_an_authority_that_comes_late_is_fetched_and_used(
    start_machine: StartMachine, world: World
) -> None:
    with start_machine(registry_ca_url=f"{world.files.url}/late.pem") as machine:
        missing = machine.wait_for_event(machine.tink_docker, "ca.failed")
        assert "late.pem" in missing["error"]
        failed = machine.wait_for_event(machine.bootkit, "run.failed")
        assert failed["fault"] == "certificate-untrusted"
        world.files.publish(world.registry.ca, "late.pem")
        machine.wait_for_event(machine.tink_docker, "ca.installed")
        machine.wait_for_worker()


def _add_user(registry: Registry, username: str, password: str) -> None:
    line = run("hashing a password", ["htpasswd", "-Bin", username], stdin=password)
    with (registry.folder / "htpasswd").open("ab") as users:
        users.write(line.stdout)


def _places_with(secret: str, machine: Machine) -> list[str]:
    """Return what tells the secret of all that the two programs say and write."""
    docker = machine.world.docker
    told = {name: docker.logs(name) for name in (machine.bootkit, machine.tink_docker)}
    told |= {path.name: path.read_text() for path in (machine.folder / "tinkie").glob("*.json")}
    assert len(told) > 2, "no state is written"
    return [place for place, text in told.items() if secret in text]
