"""What our engine leaves out (docs/adr/0019): a request for it is answered, and ends no engine."""

import httpx

from tests.engine.conftest import StartMachine

ANSWERS = {
    "/system/df?type=build-cache": httpx.codes.OK,  # `docker system df` asks for it
    "/system/df": httpx.codes.OK,
    "/swarm": httpx.codes.NOT_FOUND,
    "/info": httpx.codes.OK,
}


def test_no_request_ends_the_engine(start_machine: StartMachine) -> None:
    with start_machine() as box:
        box.wait_for_event(box.tink_docker, "engine.ready")
        before = box.world.docker.processes(box.tink_docker, "dockerd")
        transport = httpx.HTTPTransport(uds=str(box.folder / "docker" / "docker.sock"))
        with httpx.Client(base_url="http://engine", transport=transport, timeout=60) as client:
            assert {path: client.get(path).status_code for path in ANSWERS} == ANSWERS
        assert box.world.docker.processes(box.tink_docker, "dockerd") == before
