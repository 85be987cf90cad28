"""What our engine leaves out (docs/adr/0019): a request for it is answered, and ends no engine."""

import httpx

from tests.engine.machine import Machine

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
