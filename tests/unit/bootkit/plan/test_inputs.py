from __future__ import annotations

import pytest

from bootkit.plan.inputs import Inputs
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import GRPC_AUTHORITY, REGISTRY_PASSWORD

IMAGE = "tink_worker_image=r.example/w:1"


def read(text: str, *, image: str = IMAGE) -> Inputs:
    """Return the inputs of a line that gives an image, and somewhere to ask for the id."""
    return Inputs.from_cmdline(Cmdline.parse(f"tinkerbell=tb {image} {text}"))


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
    inputs = read(text)
    assert (inputs.known_id, inputs.problems) == (known, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("worker_id", "a b"),
        ("hw_addr", "eth0"),
        ("hw_addr", "02000000000"),
        ("hw_addr", "02000000000g"),
        ("hw_addr", "0:2:0:0:0:1"),
        ("hw_addr", "020000:000001"),
        ("hw_addr", "02:00:00:00:00:01:02"),
        ("hw_addr", ":".join(["02"] * 19)),
        ("BOOTIF", "01-" + "-".join(["02"] * 20)),
        ("BOOTIF", "20-02-00-00-00-00-02"),
        ("grpc_authority", "192.168.1.1:"),
        ("grpc_authority", "fd00::1"),
        ("grpc_authority", "tb..example.com:42113"),
        ("grpc_authority", "a" * 64 + ".example.com:42113"),
        ("grpc_authority", "[fe80::1%a b]:42113"),
        ("grpc_authority", "[fe80::1%eth0]:42113"),
        ("docker_registry", "10.0.0.1:99999"),
        ("docker_registry", "r.example:0"),
        ("tink_worker_image", "r.example:99999/w"),
        ("HTTP_PROXY", "http://${proxy}:3128"),
        ("HTTP_PROXY", "http://<proxy>:3128"),
        ("HTTPS_PROXY", "http://h\\:1"),
        ("HTTPS_PROXY", "http://h:0"),
        ("HTTPS_PROXY", "http://[fe80::1%eth0]:3128"),
        ("HTTPS_PROXY", "http://[::1]x:80"),
        ("metadata_url", "http://tb..example.com/metadata"),
        ("tinkerbell", "a" * 64 + ".example.com"),
        ("worker_id", "${mac}"),
        ("worker_id", "<mac>"),
        ("worker_id", "{{.mac}}"),
        ("hw_addr", "${net0/mac}"),
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
def test_a_bad_value_is_reported_by_its_parameter(name: str, value: str) -> None:
    problems = read(f'worker_id=w "{name}={value}"'.replace('""', '"')).problems
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
        "metadata_url=http://[fe80::1%eth0]:7080",
        "worker_id=a<b>c",
        "hw_addr=" + ":".join(["0A"] * 20),
        "BOOTIF=20-" + "-".join(["0a"] * 20),
        "registry_username={{x}} registry_password=${x}",
    ],
)
def test_what_boot_servers_send_is_accepted(text: str) -> None:
    assert read(text).problems == {}


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tb.example", "tb.example:42113"),
        ("10.0.0.1", "10.0.0.1:42113"),
        ("[fd00::1]", "[fd00::1]:42113"),
    ],
)
def test_a_server_without_a_port_has_tinkerbells_and_a_notice(text: str, endpoint: str) -> None:
    inputs = read(f"grpc_authority={text}")
    assert str(inputs.parameters[GRPC_AUTHORITY]) == endpoint
    assert inputs.notices == {"grpc_authority": "it has no port: using Tinkerbell's, 42113"}


@pytest.mark.parametrize("text", ["grpc_authority=10.0.0.1:42113", "grpc_authority=:"])
def test_there_is_no_notice_otherwise(text: str) -> None:
    assert read(text).notices == {}


@pytest.mark.parametrize("text", ["", "grpc_autority=10.0.0.1:42113"])
def test_a_server_that_is_not_given_has_a_notice(text: str) -> None:
    assert read(text).notices == {"grpc_authority": "not given: most workers end without it"}


def test_every_problem_is_reported_at_once() -> None:
    inputs = read("grpc_authority=/ tinkerbell_tls=y hw_addr=z", image="")
    assert set(inputs.problems) == {
        *("grpc_authority", "tinkerbell_tls", "hw_addr", "tink_worker_image"),
    }


def test_no_image_is_a_problem() -> None:
    problems = read("worker_id=a tink_worker_image=", image="").problems
    assert problems == {"tink_worker_image": "neither this nor docker_registry is given"}


def test_a_bad_image_is_not_also_reported_as_missing() -> None:
    assert list(read("docker_registry=a@b", image="").problems) == ["docker_registry"]


def test_a_password_never_goes_to_docker_hub_by_mistake() -> None:
    problems = read("docker_registry=registry registry_username=u registry_password=p").problems
    assert "Docker Hub" in problems["docker_registry"]
    assert read("docker_registry=registry").problems == {}
    line = "docker_registry=registry:443 registry_username=u registry_password=p"
    assert read(line).problems == {}


def test_what_is_only_wanted_stops_nothing() -> None:
    line = "worker_id=a metadata_url=x hw_addr=y BOOTIF=z HTTP_PROXY=ftp://p instance_id=${id}"
    inputs = read(f"{line} docker_registry=https://r grpc_cert_url=x")
    assert set(inputs.problems) == {
        *("metadata_url", "hw_addr", "BOOTIF", "HTTP_PROXY", "instance_id"),
        *("docker_registry", "grpc_cert_url"),
    }
    assert inputs.stopping == {}


def test_what_gives_the_id_stops_if_nothing_else_does() -> None:
    assert set(read("hw_addr=y").stopping) == {"hw_addr"}


def test_what_gives_the_image_stops_if_nothing_else_does() -> None:
    assert set(read("worker_id=w docker_registry=a@b", image="").stopping) == {"docker_registry"}


def test_the_password_masks_itself() -> None:
    assert "hunter2" not in repr(read("registry_password=hunter2").parameters[REGISTRY_PASSWORD])


PAIR = "grpc_authority=tb:1 registry_username=u registry_password=p"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tink_worker_image=r.example/w", "docker_registry is missing"),
        ("tink_worker_image=w", "docker_registry is missing"),
        ("tink_worker_image=r.example/w docker_registry=s.example/x", "names s.example"),
        ("tink_worker_image=r.example:5000/w docker_registry=r.example", "names r.example"),
    ],
)
def test_credentials_without_use_have_a_notice(text: str, why: str) -> None:
    (notice,) = read(f"{PAIR} {text}").notices.items()
    assert notice[0] == "registry_username"
    assert why in notice[1]


@pytest.mark.parametrize(
    ("given", "missing"),
    [("registry_username", "registry_password"), ("registry_password", "registry_username")],
)
@pytest.mark.parametrize("registry", ["", "docker_registry=r.example", "docker_registry=registry"])
def test_half_a_pair_has_one_notice_that_names_the_other_half(
    given: str, missing: str, registry: str
) -> None:
    inputs = read(f"grpc_authority=tb:1 {given}=hunter2 {missing}= {registry}")
    assert inputs.problems == {}
    assert inputs.notices == {
        missing: f"not given: {given} alone is used for nothing, and not handed to the worker"
    }


def test_a_bad_half_of_the_pair_is_reported_as_bad_and_not_as_missing() -> None:
    inputs = read('grpc_authority=tb:1 registry_username=u "registry_password=a\nb"')
    assert list(inputs.problems) == ["registry_password"]
    assert inputs.notices == {}


@pytest.mark.parametrize(
    "text",
    [
        "docker_registry=r.example",
        "tink_worker_image=r.example/w docker_registry=r.example",
        "tink_worker_image=r.example:443/w docker_registry=R.example/team",
    ],
)
def test_credentials_that_are_used_have_none(text: str) -> None:
    assert read(f"{PAIR} {text}").notices == {}
