"""User and password go over TLS, or to a host in insecure_registries."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bootkit.image.registry import RegistryClient
from bootkit.plan.credentials import Credentials
from bootkit.policy import REFUSAL_SECONDS
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.image_reference import ImageReference
from tinkie.parameters.insecure import InsecureRegistries
from tinkie.parameters.types import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

IMAGE = ImageReference.parse("r.example:5000/x")
HUB = ImageReference.parse("docker.io/team/x")
OVER_TLS = 'Bearer realm="https://auth.example/token",service="r"'
PLAIN = 'Bearer realm="http://auth.example:8080/token",service="r"'
ADDRESSES = {"auth.example": ["10.1.2.3", "fe80::1%eth0"], "r.example": ["192.0.2.9"]}


class World:
    """Registries by the URL of /v2/, each with the headers of its 401; others refuse."""

    def __init__(self, folder: Path, **answers: tuple[str, ...]) -> None:
        self.answers: dict[str, tuple[str, ...]] = dict(answers)
        self.asked: list[str] = []
        self.status = 401
        self.folder = folder

    def handler(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        assert "authorization" not in request.headers
        headers = self.answers.get(str(request.url))
        if headers is None:
            raise httpx.ConnectError("refused")
        challenges = [("WWW-Authenticate", one) for one in headers]
        return httpx.Response(self.status, headers=challenges)

    def client(
        self,
        *listed: str,
        credentials: Credentials | None = Credentials("u", "p"),  # noqa: B008 - frozen
        mirrors: tuple[Url, ...] = (),
    ) -> RegistryClient:
        return RegistryClient(
            Fetcher(transport=httpx.MockTransport(self.handler)),
            credentials_for=lambda _: credentials,
            insecure=InsecureRegistries(listed, lambda host: ADDRESSES.get(host, [])),
            mirrors=mirrors,
            certificates=self.folder,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ask(world: World, *challenges: str, listed: tuple[str, ...] = ()) -> RegistryClient:
    world.answers = {"https://r.example:5000/v2/": challenges}
    client = world.client(*listed)
    client.check_credentials(IMAGE)
    return client


@pytest.mark.parametrize(
    "challenges",
    [
        (),
        ("Basic",),
        (OVER_TLS,),
        (OVER_TLS, "Basic"),
        ('bearer realm="HTTPS://R.example:5000/token"',),
        ('Negotiate realm="http://auth.example"',),
    ],
)
def test_user_and_password_may_go_over_tls(world: World, challenges: tuple[str, ...]) -> None:
    ask(world, *challenges)
    assert world.asked == ["https://r.example:5000/v2/"]


@pytest.mark.parametrize(
    ("challenges", "host"),
    [
        ((PLAIN,), "auth.example:8080"),
        (("Basic", PLAIN), "auth.example:8080"),
        ((f'Basic realm="x", {PLAIN}',), "auth.example:8080"),
        ((OVER_TLS, PLAIN), "auth.example:8080"),
        (('Bearer realm="HTTP://r.example:5000/token"',), "r.example:5000"),
        (('Bearer realm="http://u:secret@auth.example/token"',), "auth.example"),
        (('Bearer realm="http://["',), "something that is no URL"),
        (('Bearer realm="token"',), "something that is no URL"),
        (('Bearer realm="ftp://auth.example/token"',), "auth.example"),
        (('Bearer realm="https:/auth.example/token"',), "something that is no URL"),
    ],
)
def test_a_token_service_without_tls_is_refused(
    world: World, challenges: tuple[str, ...], host: str
) -> None:
    with pytest.raises(PermanentError) as caught:
        ask(world, *challenges)
    error = caught.value
    assert error.kind is ErrorKind.PLAIN_HTTP
    assert "r.example:5000" in str(error)
    assert host in error.hint
    assert "insecure_registries" in error.hint
    assert "secret" not in str(error) + error.hint


def services(number: int) -> str:
    return ", ".join(f'Bearer realm="https://{one}.example/"' for one in range(number))


def test_a_registry_with_very_many_token_services_is_refused(world: World, events: Events) -> None:
    with pytest.raises(PermanentError, match="more than 16 token services") as caught:
        ask(world, *[services(200)] * 10)
    assert caught.value.kind is ErrorKind.BAD_ANSWER
    assert "WWW-Authenticate" in caught.value.hint
    assert events == []


def test_a_registry_may_have_some_token_services(world: World, events: Events) -> None:
    ask(world, *[services(16)] * 10)
    assert len(events) == 16


@pytest.mark.parametrize(
    "listed", ["auth.example:8080", "AUTH.example:8080", "10.1.2.0/24", "fe80::/64"]
)
def test_a_token_service_without_tls_that_is_listed_may_be_used(world: World, listed: str) -> None:
    ask(world, PLAIN, listed=("other.example", listed))


@pytest.mark.parametrize("listed", ["auth.example", "auth.example:80", "10.2.0.0/16"])
def test_another_port_or_network_is_not_the_one_that_is_listed(world: World, listed: str) -> None:
    with pytest.raises(PermanentError):
        ask(world, PLAIN, listed=(listed,))


@pytest.mark.parametrize("port", ["", ":80"])
@pytest.mark.parametrize("listed", ["auth.example", "10.0.0.0/8"])
def test_port_80_may_be_left_out(world: World, port: str, listed: str) -> None:
    ask(world, f'Bearer realm="http://auth.example{port}/t"', listed=(listed,))


@pytest.mark.parametrize("listed", ["r.example:5000", "192.0.2.0/24"])
def test_a_registry_that_is_listed_itself_is_not_asked(world: World, listed: str) -> None:
    ask(world, PLAIN, listed=(listed,))
    assert world.asked == []


def test_no_credentials_no_question(world: World) -> None:
    world.answers = {"https://r.example:5000/v2/": (PLAIN,)}
    world.client(credentials=None).check_credentials(IMAGE)
    assert world.asked == []


def test_a_registry_that_does_not_answer_is_left_to_the_pull(world: World) -> None:
    world.client().check_credentials(IMAGE)
    assert world.asked == ["https://r.example:5000/v2/"]


def test_each_registry_is_asked_once_and_another_host_is_named_once(
    world: World, events: Events
) -> None:
    client = ask(world, OVER_TLS)
    client.check_credentials(ImageReference.parse("r.example:5000/y"))
    assert len(world.asked) == 1
    assert [event for event in events if event["log_level"] == "info"] == [
        {
            "event": "registry.token_service",
            "registry": "r.example:5000",
            "host": "auth.example",
            "log_level": "info",
        }
    ]


@pytest.mark.parametrize("status", [None, 404, 429, 502])
def test_a_registry_is_asked_until_it_answers(world: World, status: int | None) -> None:
    """A run lasts for weeks; the worker gets its password by this answer, too."""
    world.status = status or 401
    if status:
        world.answers = {"https://r.example:5000/v2/": ()}
    client = world.client()
    assert client.refusal(IMAGE.domain) is None
    world.answers, world.status = {"https://r.example:5000/v2/": (PLAIN,)}, 401
    for _ in range(2):
        assert client.refusal(IMAGE.domain) is not None
    assert len(world.asked) == 2


def test_a_mirror_that_does_not_answer_makes_others_no_work(world: World, events: Events) -> None:
    world.answers = {"https://registry-1.docker.io/v2/": (OVER_TLS,)}
    client = world.client(mirrors=(Url("https://away.example"),))
    for _ in range(2):
        client.check_credentials(HUB)
    assert world.asked.count("https://registry-1.docker.io/v2/") == 1
    assert [event["event"] for event in events].count("registry.token_service") == 1


def test_silent_mirrors_share_one_deadline(tmp_path: Path) -> None:
    clock, asked = [0.0], []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if "silent" not in str(request.url):
            return httpx.Response(200)
        clock[0] += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("silent")

    fetcher = Fetcher(transport=httpx.MockTransport(handler), now=lambda: clock[0])
    mirrors = tuple(Url(f"https://silent{number}.example") for number in range(5))
    client = RegistryClient(fetcher, mirrors=mirrors, certificates=tmp_path)
    for turn in (1, 2):
        assert client.refusal("docker.io") is None
        assert clock[0] <= 2.001 * turn
    assert asked.count("registry-1.docker.io") == 1
    assert len(asked) == 11


def test_slow_name_look_ups_count_too(tmp_path: Path) -> None:
    clock = [0.0]

    def look_up(_host: str) -> list[str]:
        clock[0] += 1.5
        return []

    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    fetcher = Fetcher(transport=transport, now=lambda: clock[0])
    mirrors = tuple(Url(f"https://m{number}.example") for number in range(9))
    insecure = InsecureRegistries(("10.0.0.0/8",), look_up)
    client = RegistryClient(fetcher, insecure=insecure, mirrors=mirrors, certificates=tmp_path)
    client.refusal("docker.io")
    assert clock[0] == 3.0


def test_a_refusal_is_remembered(world: World) -> None:
    world.answers = {"https://r.example:5000/v2/": (PLAIN,)}
    client = world.client()
    for _ in range(2):
        with pytest.raises(PermanentError):
            client.check_credentials(IMAGE)
    assert len(world.asked) == 1


def test_docker_hub_and_its_mirrors_are_asked(world: World) -> None:
    world.answers = {
        "http://mirror.example:5000/v2/": (),
        "https://registry-1.docker.io/v2/": ('Bearer realm="https://auth.docker.io/token"',),
    }
    mirrors = (Url("http://mirror.example:5000/"), Url("https://away.example"))
    world.client(mirrors=mirrors).check_credentials(HUB)
    assert world.asked == [
        "http://mirror.example:5000/v2/",
        "https://away.example/v2/",
        "https://registry-1.docker.io/v2/",
    ]


@pytest.mark.parametrize("challenge", ["Basic", OVER_TLS.replace("https", "http")])
def test_a_mirror_without_tls_gets_no_password(world: World, challenge: str) -> None:
    """dockerd sends Docker Hub's to each of its mirrors that wants one."""
    world.answers = {"http://mirror.example:5000/v2/": (challenge,)}
    mirrors = (Url("http://mirror.example:5000"),)
    with pytest.raises(PermanentError, match=r"mirror\.example:5000"):
        world.client(mirrors=mirrors).check_credentials(HUB)
    world.client("mirror.example:5000", mirrors=mirrors).check_credentials(HUB)


def test_mirrors_are_docker_hubs_only(world: World) -> None:
    world.client(mirrors=(Url("http://mirror.example"),)).check_credentials(IMAGE)
    assert world.asked == ["https://r.example:5000/v2/"]


def test_a_name_is_looked_up_for_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, _port: None) -> list[tuple[Any, ...]]:
        if host != "auth.example":
            raise socket.gaierror(host)
        return [(0, 0, 0, "", ("10.1.2.3", 0)), (0, 0, 0, "", ("fe80::1%eth0", 0, 0, 2))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    insecure = InsecureRegistries(("10.1.0.0/16", "name.example"))
    assert insecure.has("auth.example:8080")
    assert not insecure.has("other.example")
    assert insecure.has("10.1.9.9:80")
    assert not InsecureRegistries(("fd00::/8",)).has("[fe80::1]:5000")
    assert InsecureRegistries(("fd00::/8",)).has("[fd00::1]:5000")
    assert not insecure.has("[fe80")
    assert not insecure.has("")


class UnreadBody(httpx.SyncByteStream):
    """It is compressed, endless, or late: nobody may read it."""

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Encoding": "gzip"}, {"Content-Length": "9999999"}]
)
def test_the_head_of_the_answer_counts_whatever_its_body_is(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        more = {"WWW-Authenticate": PLAIN, **headers}
        return httpx.Response(401, headers=more, stream=UnreadBody())

    fetcher = Fetcher(transport=httpx.MockTransport(handler))
    client = replace(World(tmp_path).client(), fetcher=fetcher)
    with pytest.raises(PermanentError, match="without TLS"):
        client.check_credentials(IMAGE)


def test_a_refusal_is_asked_about_again(world: World) -> None:
    world.answers = {"https://r.example:5000/v2/": (PLAIN,)}
    clock = [0.0]
    client = world.client()
    client = replace(client, fetcher=replace(client.fetcher, now=lambda: clock[0]))
    assert client.refusal("r.example:5000")
    assert client.refusal("r.example:5000")
    assert len(world.asked) == 1
    world.answers = {"https://r.example:5000/v2/": (OVER_TLS,)}
    clock[0] += REFUSAL_SECONDS
    assert client.refusal("r.example:5000") is None


@pytest.mark.parametrize("status", [None, 502])
def test_a_refusal_is_in_force_until_the_registry_answers_otherwise(
    world: World, status: int | None
) -> None:
    """A worker without a password must not get it because the registry is away."""
    url = "https://r.example:5000/v2/"
    world.answers = {url: (PLAIN,)}
    clock = [0.0]
    client = world.client()
    client = replace(client, fetcher=replace(client.fetcher, now=lambda: clock[0]))
    assert client.refusal("r.example:5000")
    world.answers = {url: ()} if status else {}
    world.status = status or 401
    clock[0] += REFUSAL_SECONDS
    assert client.refusal("r.example:5000")
    world.answers, world.status = {url: (OVER_TLS,)}, 401
    assert client.refusal("r.example:5000") is None
