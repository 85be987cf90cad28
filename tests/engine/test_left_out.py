"""What our engine leaves out (docs/adr/0019): a request for it is answered, and ends no engine."""

from urllib.parse import unquote_plus

import httpx

from tests.engine.machine import Machine
from tests.engine.world import ACTIONS_IMAGE

ANSWERS = {
    "/system/df?type=build-cache": httpx.codes.OK,  # `docker system df` asks for it
    "/system/df": httpx.codes.OK,
    "/swarm": httpx.codes.NOT_FOUND,
    "/info": httpx.codes.OK,
}


def test_no_request_ends_the_engine(machine: Machine) -> None:
    before = machine.world.docker.processes(machine.tink_docker, "dockerd")
    transport = httpx.HTTPTransport(uds=str(machine.folder / "docker" / "docker.sock"))
    with httpx.Client(base_url="http://engine", transport=transport, timeout=60) as client:
        assert {path: client.get(path).status_code for path in ANSWERS} == ANSWERS
    assert machine.world.docker.processes(machine.tink_docker, "dockerd") == before


def test_a_logs_tag_can_name_everything_about_its_container(machine: Machine) -> None:
    """Our build of text/template calls no method whose name it does not know."""
    machine.start_lasting_action("tag")  # with its image
    image = f"{machine.world.registry.host}/{ACTIONS_IMAGE}"
    names = ("ID", "FullID", "Name", "Command", "ImageID", "ImageFullID", "ImageName", "Hostname")
    tag = "|".join(f"{name}={{{{.{name}}}}}" for name in (*names, "ContainerName"))
    container = machine.engine("run", "--detach", "--log-opt", f"tag={tag}", image, "echo", "x")
    machine.engine("wait", container.strip())
    details, _, _ = machine.engine("logs", "--details", container.strip()).rpartition(" ")
    words = unquote_plus(details.removeprefix("tag=")).split("|")
    given = dict(word.partition("=")[::2] for word in words)
    assert given.keys() == {*names, "ContainerName"}
    assert given["FullID"] == container.strip()
    assert all(given.values()), given
