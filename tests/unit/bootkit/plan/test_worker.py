from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bootkit.machine.metadata import MachineMetadata
from bootkit.plan.credentials import Credentials, DockerConfig
from bootkit.plan.inputs import Inputs, plan
from tinkie.errors import PermanentError
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.image_reference import ImageReference

if TYPE_CHECKING:
    from bootkit.plan.worker import WorkerSpec

BASE = "worker_id=w grpc_authority=10.0.0.1:42113 tink_worker_image=r.example/w:1"


def spec(text: str, machine: MachineMetadata | None = None) -> WorkerSpec:
    return plan(Inputs.from_cmdline(Cmdline.parse(text)), machine or MachineMetadata())


def test_a_file_gives_the_worker_the_pair_of_docker_registry_only() -> None:
    config = DockerConfig({"r.example": Credentials("u", "p"), "o.example": Credentials("v", "q")})
    plain = spec(f"{BASE} docker_registry=R.example:443/team").with_config(config)
    pair = {"REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "p"}
    assert pair.items() <= plain.environment.items()
    assert plain.credentials_for(ImageReference.parse("r.example/w")) == Credentials("u", "p")
    assert plain.credentials_for(ImageReference.parse("o.example/w")) == Credentials("v", "q")
    assert plain.credentials_for(ImageReference.parse("r.example:5000/w")) is None
    assert plain.digest == spec(f"{BASE} docker_registry=R.example:443/team").digest
    half = spec(f"{BASE} docker_registry=r.example registry_username=x").with_config(config)
    assert pair.items() <= half.environment.items()
    assert half.credentials_for(ImageReference.parse("r.example/w")) == Credentials("u", "p")
    given = f"{BASE} docker_registry=r.example registry_username=x registry_password=y"
    both = spec(given).with_config(config)
    assert both.environment["REGISTRY_PASSWORD"] == "y"
    assert both.credentials_for(ImageReference.parse("r.example/w")) == Credentials("x", "y")
    assert both.credentials_for(ImageReference.parse("o.example/w")) == Credentials("v", "q")


def test_what_is_not_given_is_unset() -> None:
    assert spec(BASE).environment == {
        "ID": "w",
        "WORKER_ID": "w",
        "TIMEOUT": "0",
        "TINKERBELL_GRPC_AUTHORITY": "10.0.0.1:42113",
    }


@pytest.mark.parametrize("half", ["registry_username=u", "registry_password=p"])
def test_a_worker_gets_user_and_password_or_neither(half: str) -> None:
    assert spec(f"{BASE} {half} docker_registry=r.example").environment == {
        **spec(BASE).environment,
        "DOCKER_REGISTRY": "r.example",
    }


def test_the_environment_of_all_generations() -> None:
    text = (
        f"{BASE} docker_registry=r.example registry_username=u registry_password=p instance_id=i "
        "grpc_cert_url=http://10.0.0.1:42114/cert tinkerbell_tls=true tinkerbell_insecure_tls=true"
    )
    assert spec(text, MachineMetadata("m")).environment == {
        "ID": "w",
        "WORKER_ID": "w",
        "TIMEOUT": "0",
        "container_uuid": "i",
        "DOCKER_REGISTRY": "r.example",
        "REGISTRY_USERNAME": "u",
        "REGISTRY_PASSWORD": "p",
        "TINKERBELL_GRPC_AUTHORITY": "10.0.0.1:42113",
        "TINKERBELL_CERT_URL": "http://10.0.0.1:42114/cert",
        "TINKERBELL_TLS": "true",
        "TINKERBELL_INSECURE_TLS": "true",
    }


def test_the_metadata_tells_the_id_if_nothing_else_does() -> None:
    text = BASE.replace("worker_id=w", "")
    assert spec(text, MachineMetadata("m")).environment["ID"] == "m"
    assert spec(f"{text} BOOTIF=01-02-00-00-00-00-01", MachineMetadata("m")).worker_id.endswith(
        ":01"
    )


def test_a_machine_that_nobody_knows_is_told() -> None:
    with pytest.raises(PermanentError, match="has no id"):
        spec(BASE.replace("worker_id=w", ""))


def test_nowhere_to_ask_is_a_bad_parameter() -> None:
    inputs = Inputs.from_cmdline(Cmdline.parse("tink_worker_image=r.example/w:1"))
    assert "worker_id" in inputs.problems


def test_tinkerbells_own_hosts_are_reached_without_proxy() -> None:
    text = f"{BASE} http_proxy=http://p:1 tinkerbell=http://10.0.0.2 NO_PROXY=a"
    environment = spec(text).environment
    assert environment["NO_PROXY"] == environment["no_proxy"] == "a,10.0.0.1,10.0.0.2"


def test_the_image_beats_the_registry() -> None:
    assert spec(f"{BASE} docker_registry=o.example").images == (
        ImageReference.parse("r.example/w:1"),
    )


def test_a_registry_alone_has_two_names_to_try() -> None:
    text = "worker_id=w docker_registry=o.example/x/"
    assert tuple(map(str, spec(text).images)) == (
        "o.example/x/tink-worker:latest",
        "o.example/x/tink-agent:latest",
    )


def test_the_digest_knows_what_makes_another_container() -> None:
    one = spec(BASE)
    assert one.digest == spec(BASE).digest
    for other in ("worker_id=x", "tinkerbell_tls=true", "tink_worker_image=r.example/w:2"):
        assert spec(f"{BASE} {other}").digest != one.digest


def test_late_metadata_does_not_make_another_container() -> None:
    late = spec(BASE, MachineMetadata("m"))
    assert late.environment["container_uuid"] == "m"
    assert late.digest == spec(BASE).digest


def test_the_digest_gives_no_secret_away() -> None:
    text = f"{BASE} docker_registry=r.example registry_username=u registry_password="
    assert spec(text + "p").digest == spec(text + "q").digest


# image, docker_registry, whether the credentials go there
HOSTS = [
    ("reg.example.com/a", "reg.example.com", True),
    ("reg.example.com/a/b/c:1", "reg.example.com", True),
    ("reg.example.com/a@sha256:" + "0" * 64, "reg.example.com", True),
    ("REG.Example.com/a", "reg.example.com", True),
    ("reg.example.com/a", "REG.example.com", True),
    ("reg.example.com/a", "reg.example.com/team", True),
    ("reg.example.com:5000/a", "reg.example.com:5000", True),
    ("localhost/a", "localhost", True),
    ("localhost:5000/a", "localhost:5000", True),
    ("192.168.1.1/a", "192.168.1.1", True),
    ("192.168.1.1:443/a", "192.168.1.1:443", True),
    ("[::1]/a", "[::1]", True),
    ("[2001:db8::1]:5000/a", "[2001:DB8::1]:5000", True),
    ("busybox", "docker.io", True),
    ("library/busybox", "docker.io", True),
    ("someone/a", "index.docker.io", True),
    ("docker.io/someone/a", "docker.io/someone", True),
    ("busybox", "reg.example.com", False),
    ("someone/a", "reg.example.com", False),
    ("reg.example.com/a", "docker.io", False),
    ("reg.example.com.evil.net/a", "reg.example.com", False),
    ("reg.example.com.evil.net:443/a", "reg.example.com", False),
    ("evil-reg.example.com/a", "reg.example.com", False),
    ("sub.reg.example.com/a", "reg.example.com", False),
    ("reg.example.co/a", "reg.example.com", False),
    ("reg.example.comm/a", "reg.example.com", False),
    ("xreg.example.com/a", "reg.example.com", False),
    ("reg-example.com/a", "reg.example.com", False),
    ("evil.net/reg.example.com/a", "reg.example.com", False),
    ("reg.example.com:80/a", "reg.example.com", False),
    ("reg.example.com:443/a", "reg.example.com", True),
    ("reg.example.com/a", "reg.example.com:443", True),
    ("reg.example.com:5001/a", "reg.example.com:5000", False),
    ("192.168.1.10/a", "192.168.1.1", False),
    ("192.168.1.1.evil.net/a", "192.168.1.1", False),
    ("[::1]:5000/a", "[::1]", False),
    ("[::11]/a", "[::1]", False),
    ("localhost.evil.net/a", "localhost", False),
    ("registry/a", "docker.io.evil.net", False),
    ("docker.io.evil.net/a", "docker.io", False),
    ("xn--reg-example-0ub.com/a", "reg.example.com", False),
    ("reg.example.com@evil.net/a", "reg.example.com", False),
    ("user:pw@reg.example.com/a", "reg.example.com", False),
    ("http://reg.example.com/a", "reg.example.com", False),
    ("evil.net/../reg.example.com/a", "reg.example.com", False),
    ("rеg.example.com/a", "reg.example.com", False),  # noqa: RUF001 - a Cyrillic letter
    ("", "reg.example.com", False),
]


@pytest.mark.parametrize(("image", "registry", "sent"), HOSTS)
def test_credentials_go_to_exactly_one_host(image: str, registry: str, *, sent: bool) -> None:
    text = f"worker_id=w docker_registry={registry} registry_username=u registry_password=p"
    try:
        reference = ImageReference.parse(image)
    except ValueError:  # such an image is pulled from nowhere
        assert not sent
        return
    credentials = spec(text).credentials_for(reference)
    assert credentials == (Credentials("u", "p") if sent else None)


def test_without_a_registry_there_are_no_credentials() -> None:
    image = ImageReference.parse("a/b")
    assert spec(f"{BASE} registry_username=u registry_password=p").credentials_for(image) is None


def test_half_of_the_credentials_are_none() -> None:
    assert spec(f"{BASE} docker_registry=r.example registry_username=u").credentials is None


def test_secrets_are_not_in_the_repr() -> None:
    text = f"{BASE} docker_registry=r.example registry_username=u registry_password=hunter2"
    one = spec(text)
    assert one.environment["REGISTRY_PASSWORD"] == "hunter2"
    assert "hunter2" not in repr(one) + repr(replace(one, worker_id="x"))
