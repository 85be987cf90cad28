from __future__ import annotations

import pytest

from bootkit.plan.parameters import WorkerParams, stopping
from tinkie.parameters.cmdline import Cmdline

IMAGE = "tink_worker_image=r.example/w:1"


def read(text: str) -> tuple[WorkerParams, dict[str, str]]:
    return WorkerParams.read(Cmdline.parse(f"{IMAGE} {text}"))


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("worker_id=a hw_addr=02:00:00:00:00:01", "a"),
        ("hw_addr=02-00-00-00-00-AB BOOTIF=01-02-00-00-00-00-02", "02:00:00:00:00:ab"),
        ("BOOTIF=01-02-00-00-00-00-02", "02:00:00:00:00:02"),
        ("BOOTIF=02:00:00:00:00:02", "02:00:00:00:00:02"),
        ("hw_addr=0200000000Ab", "02:00:00:00:00:ab"),
        ("hw_addr=0200.0000.00AB", "02:00:00:00:00:ab"),
        ("worker_id= hw_addr", None),
    ],
)
def test_who_the_machine_is(text: str, known: str | None) -> None:
    params, problems = read(text)
    assert (params.known_id, problems) == (known, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("worker_id", '"a b"'),
        ("hw_addr", "eth0"),
        ("hw_addr", "02000000000"),
        ("hw_addr", "02000000000g"),
        ("hw_addr", "0:2:0:0:0:1"),
        ("hw_addr", "020000:000001"),
        ("hw_addr", "02:00:00:00:00:01:02"),
        ("BOOTIF", "20-02-00-00-00-00-02"),
        ("grpc_authority", "192.168.1.1"),
        ("grpc_authority", "http://192.168.1.1:42113"),
        ("grpc_authority", "192.168.1.1:0"),
        ("grpc_authority", "192.168.1.1:99999"),
        ("grpc_authority", "fd00::1:42113"),
        ("grpc_cert_url", "192.168.1.1:42114/cert"),
        ("tinkerbell_tls", "no"),
        ("tinkerbell_insecure_tls", "maybe"),
        ("tink_worker_image", "https://r.example/w"),
        ("docker_registry", "https://r.example"),
        ("metadata_url", "r.example"),
        ("metadata_url", "ftp://r.example"),
        ("tinkerbell", "http://"),
        ("metadata_url", "http://[::1"),
        ("metadata_url", "http://r.example:x/metadata"),
        ("metadata_url", "http://user:1@r.example:0/metadata"),
        ("tinkerbell", "r.example:65536"),
        ("grpc_cert_url", "http://[::1]:99999/cert"),
    ],
)
def test_a_bad_value_is_told_by_its_parameter(name: str, value: str) -> None:
    _, problems = read(f"{name}={value}")
    assert list(problems) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "grpc_authority=192.168.1.1:42113",
        "grpc_authority=[fd00::1]:42113",
        "grpc_authority=tink-server.example:42113",
        "tinkerbell_tls=True tinkerbell_insecure_tls=0",
        "tinkerbell=192.168.1.1",
        "tinkerbell=[fd00::1]",
        "metadata_url=http://user:1@[fd00::1]:50061/metadata",
        "docker_registry=192.168.1.1/",
        "facility=a b unknown=1 =x",
    ],
)
def test_what_boot_servers_send_is_taken(text: str) -> None:
    assert read(text)[1] == {}


def test_every_fault_is_told_at_once() -> None:
    _, problems = WorkerParams.read(Cmdline.parse("grpc_authority=x tinkerbell_tls=y hw_addr=z"))
    assert set(problems) == {"grpc_authority", "tinkerbell_tls", "hw_addr", "tink_worker_image"}


def test_no_image_is_a_fault() -> None:
    _, problems = WorkerParams.read(Cmdline.parse("worker_id=a tink_worker_image="))
    assert problems == {"tink_worker_image": "neither this nor docker_registry is given"}


def test_a_bad_image_is_not_also_told_as_missing() -> None:
    _, problems = WorkerParams.read(Cmdline.parse("docker_registry=a@b"))
    assert list(problems) == ["docker_registry"]


def test_a_password_never_goes_to_docker_hub_by_mistake() -> None:
    _, problems = read("docker_registry=registry registry_username=u registry_password=p")
    assert "Docker Hub" in problems["docker_registry"]
    assert read("docker_registry=registry")[1] == {}
    assert read("docker_registry=registry:443 registry_username=u registry_password=p")[1] == {}


def test_what_is_only_wanted_stops_nothing() -> None:
    params, problems = read("worker_id=a metadata_url=x hw_addr=y BOOTIF=z instance_id=' '")
    assert set(problems) == {"metadata_url", "hw_addr", "BOOTIF"}
    assert stopping(params, problems) == {}


def test_what_tells_the_id_stops_if_nothing_else_does() -> None:
    params, problems = read("hw_addr=y")
    assert set(stopping(params, problems)) == {"hw_addr"}


def test_the_password_masks_itself() -> None:
    assert "hunter2" not in repr(read("registry_password=hunter2"))
