from __future__ import annotations

import pytest

from bootkit.shared.reference import (
    ImageReference,
    is_docker_hub_user,
    registry_domain,
    same_registry,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("tinkerbell/tink-agent", "docker.io/tinkerbell/tink-agent:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/a/b", "docker.io/a/b:latest"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a:b", "localhost:5000/a:b"),
        ("ghcr.io/tinkerbell/tink-agent:v0.25.0", "ghcr.io/tinkerbell/tink-agent:v0.25.0"),
        ("192.168.1.1/tink-worker", "192.168.1.1/tink-worker:latest"),
        ("192.168.1.1:443/tink-worker:x", "192.168.1.1:443/tink-worker:x"),
        ("[::1]/a", "[::1]/a:latest"),
        ("[fd00::1]:5000/a/b:c", "[fd00::1]:5000/a/b:c"),
        ("REG/a", "REG/a:latest"),
        (f"r.example/a@{DIGEST}", f"r.example/a@{DIGEST}"),
        (f"r.example/a:v1@{DIGEST}", f"r.example/a:v1@{DIGEST}"),
        ("r.example/a__b-c.d/e", "r.example/a__b-c.d/e:latest"),
    ],
)
def test_names_are_read_as_docker_does(text: str, full: str) -> None:
    assert str(ImageReference.parse(text)) == full


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "r.example/",
        "r.example/A",
        "r.example:port/a",
        "http://r.example/a",
        "user@r.example/a",
        "user:pw@r.example/a",
        "r.example/a:",
        "r.example/a b",
        "r.example/../a",
        "r.example//a",
        "r..example/a",
        "-r.example/a",
        "[::1/a",
        "r.example/a@sha256:00",
        "r.example/a@",
        "registrу.example.com/a",  # noqa: RUF001 - a Cyrillic letter
        "r.example/a\n",
    ],
)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Docker understands"):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("registry", "domain"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("reg.example.com:5000", "reg.example.com:5000"),
        ("ghcr.io/tinkerbell", "ghcr.io"),
        ("docker.io", "docker.io"),
        ("[fd00::1]:5000", "[fd00::1]:5000"),
    ],
)
def test_the_host_of_a_registry(registry: str, domain: str) -> None:
    assert registry_domain(registry) == domain


@pytest.mark.parametrize("registry", ["https://reg.example.com", "a b", "reg.example.com:x", "@"])
def test_what_is_no_registry(registry: str) -> None:
    with pytest.raises(ValueError, match="without https"):
        registry_domain(registry)


def test_hosts_know_no_upper_case() -> None:
    assert same_registry("REG.example.com", "reg.Example.com")
    assert not same_registry("reg.example.com", "reg.example.com:443")


@pytest.mark.parametrize(
    ("registry", "user"),
    [("someone", True), ("someone/else", True), ("r.example", False), (None, False), ("R", False)],
)
def test_a_host_without_dot_or_port_is_a_user_of_docker_hub(
    registry: str | None, *, user: bool
) -> None:
    assert is_docker_hub_user(registry) is user
