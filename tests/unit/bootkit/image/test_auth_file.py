"""The file at registry_auth_url: when it is fetched, and what is known meanwhile."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bootkit.image.auth_file import AuthFile
from bootkit.image.registry import RegistryClient
from bootkit.plan.credentials import Credentials
from bootkit.policy import AUTH_RETRY
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError, TransientError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.image_reference import ImageReference
from tinkie.parameters.types import Url
from tinkie.policy import ERROR_MESSAGE_CHARACTERS
from tinkie.running.redaction import MASK, REDACTOR

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Events = list[MutableMapping[str, Any]]

URL = Url("https://files.example/auth.json?token=topsecret")
IMAGE = ImageReference.parse("r.example/x")


@dataclass
class World:
    """A file server and a clock."""

    password: str = "first-password"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)  # the seconds that each request may take
    clock: float = 1000.0
    body: bytes | None = None

    def handler(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == URL
        self.asked.append(request.extensions["timeout"]["read"])
        entry = {"auth": base64.b64encode(f"u:{self.password}".encode()).decode()}
        content = json.dumps({"auths": {"r.example": entry}, **self.more}).encode()
        body = content if self.body is None else self.body
        return httpx.Response(self.status, headers=self.headers, content=body)

    def file(self, url: Url | None = URL) -> AuthFile:
        file = AuthFile(lambda: self.clock, certificates=Path("/nonexistent"), chance=lambda: 0.0)
        self.use(file, url)
        return file

    def use(self, file: AuthFile, url: Url | None = URL) -> None:
        file.use(url, Fetcher(transport=httpx.MockTransport(self.handler), now=lambda: self.clock))


@pytest.fixture
def world() -> World:
    return World()


def password(file: AuthFile) -> str | None:
    found = file.config.credentials_for("r.example")
    return found.password if found else None


def names(events: Events) -> list[str]:
    return [event["event"] for event in events]


def test_it_is_fetched_once_and_kept(world: World, events: Events) -> None:
    file = world.file()
    for _ in range(3):
        world.use(file)
        file.refresh()
        file.tick()
    assert password(file) == "first-password"
    assert world.asked == [pytest.approx(10.0)]
    (event,) = events
    assert event["event"] == "registry_auth.fetched"
    assert (event["registries"], event["lifetime"]) == ("r.example", "3600 s")
    assert event["url"] == "https://files.example/auth.json"


def test_its_passwords_are_masked_before_anything_is_logged(world: World) -> None:
    world.file().refresh()
    encoded = base64.b64encode(b"u:first-password").decode()
    assert REDACTOR.text(f"a first-password {encoded}") == f"a {MASK} {MASK}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1800.0),
        ({"Cache-Control": "max-age=7200"}, 3600.0),
        ({"Cache-Control": "max-age=1"}, 30.0),
        ({"Cache-Control": "max-age=99999999"}, 43200.0),
        (
            {
                "Date": "Mon, 23 Nov 2026 08:00:00 GMT",
                "Expires": "Mon, 23 Nov 2026 08:20:00 GMT",
            },
            600.0,
        ),
    ],
)
def test_it_is_fetched_again_before_its_lifetime_ends(
    world: World, events: Events, headers: dict[str, str], seconds: float
) -> None:
    world.headers = headers
    file = world.file()
    file.tick()
    world.password = "second-password"
    world.clock += seconds - 1
    file.tick()
    assert password(file) == "first-password"
    world.clock += 1
    file.tick()
    assert password(file) == "second-password"
    assert world.asked == [pytest.approx(2.0), pytest.approx(2.0)]
    assert file.version == 2
    assert names(events) == ["registry_auth.fetched"] * 2


def test_an_unchanged_file_is_no_news(world: World, events: Events) -> None:
    world.more = {"credsStore": "desktop"}
    file = world.file()
    for _ in range(3):
        file.tick()
        world.clock += 3600
    assert len(world.asked) == 3
    assert names(events) == ["registry_auth.fetched", "registry_auth.incomplete"]
    assert "credsStore" in events[1]["error"]


@pytest.mark.parametrize(
    "entry", [{"registrytoken": "\ud800abcdef"}, {"auth": "\ud800abcdef"}, {"x": "\udfff"}]
)
def test_an_entry_that_is_not_utf8_does_not_stop_the_worker(
    world: World, events: Events, entry: dict[str, str]
) -> None:
    good = {"auth": base64.b64encode(b"u:password").decode()}
    auths = {"bad.example": entry, "r.example": good}
    world.body = json.dumps({"auths": auths}).encode()
    file = world.file()
    file.refresh()
    assert password(file) == "password"
    assert names(events) == ["registry_auth.fetched", "registry_auth.incomplete"]


def test_a_registry_with_a_long_name_makes_no_long_line(world: World, events: Events) -> None:
    good = {"auth": base64.b64encode(b"u:password").decode()}
    names = ["a" * 200_000, "b" * 300, "r.example"]
    world.body = json.dumps({"auths": dict.fromkeys(names, good)}).encode()
    file = world.file()
    file.refresh()
    assert list(file.config.auths) == ["r.example"]
    assert all(len(str(event)) < 1000 for event in events)


def test_a_file_of_many_registries_makes_no_long_line(world: World, events: Events) -> None:
    good = {"auth": base64.b64encode(b"u:password").decode()}
    auths: dict[str, Any] = {f"{number}.{'good' * 20}.example": good for number in range(60)}
    auths |= {f"{number}.{'bad' * 20}.example": {} for number in range(2000)}
    world.body = json.dumps({"auths": auths}).encode()
    world.file().refresh()
    fetched, incomplete = events
    for text in (fetched["registries"], incomplete["error"]):
        assert len(text) < ERROR_MESSAGE_CHARACTERS + 20
        assert text.endswith(" more")
    assert incomplete["error"].startswith(f"0.{'bad' * 20}.example: it has no user and password; ")
    assert incomplete["next"] == "the others are used (60)"


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_machines_that_booted_together_come_at_different_times(world: World, chance: float) -> None:
    file = world.file()
    file.chance = lambda: chance
    file.refresh()
    world.clock += 3600 * (0.5 + 0.4 * chance) - 1
    file.tick()
    assert len(world.asked) == 1
    world.clock += 2
    file.tick()
    assert len(world.asked) == 2


def test_a_file_that_is_empty_for_a_moment_is_fetched_again_soon(
    world: World, events: Events
) -> None:
    world.headers = {"Cache-Control": "max-age=86400"}
    file = world.file()
    file._schedule.backoff = replace(AUTH_RETRY, chance=lambda: 1.0)
    file.refresh()
    good, world.body, world.clock = world.body, b'{"auths": {}}', world.clock + 43200
    for _ in range(2):
        file.tick()
        world.clock += 5.1
    (missing,) = (one for one in events if one["event"] == "registry_auth.entry_missing")
    assert "r.example" in missing["error"]
    assert missing["next"].startswith("fetching it again in 5.0 s")
    assert len(world.asked) == 3
    world.body, world.clock = good, world.clock + 300
    file.tick()
    assert password(file) == "first-password"
    world.clock += 40000
    file.tick()
    assert len(world.asked) == 4, "the usual time again"


@pytest.mark.parametrize("entries", [{}, {"bad.example": {}}])
def test_a_first_file_without_entries_is_fetched_again_soon(
    world: World, events: Events, entries: dict[str, Any]
) -> None:
    world.body = json.dumps({"auths": entries}).encode()
    file = world.file()
    file._schedule.backoff = replace(AUTH_RETRY, chance=lambda: 1.0)
    start = world.clock
    while world.clock < start + 600:
        file.tick()
        world.clock += 1
    assert 5 <= len(world.asked) < 10
    assert names(events).count("registry_auth.entry_missing") == 1


def test_an_entry_that_was_removed_makes_no_load(world: World, events: Events) -> None:
    other = {"auth": base64.b64encode(b"u:password").decode()}
    file = world.file()
    file._schedule.backoff = replace(AUTH_RETRY, chance=lambda: 1.0)
    file.tick()
    world.body = json.dumps({"auths": {"o.example": other}}).encode()
    world.headers = {"Cache-Control": "max-age=60"}
    start = world.clock = world.clock + 3600
    while world.clock < start + 600:
        file.tick()
        world.clock += 1
    assert len(world.asked) < 30
    assert names(events).count("registry_auth.entry_missing") == 1


def test_what_was_fetched_before_is_used_while_it_cannot_be_fetched(
    world: World, events: Events
) -> None:
    file = world.file()
    file.refresh()
    world.status, world.clock = 503, world.clock + 3600
    file.tick()
    file.tick()
    assert len(world.asked) == 2, "the back-off"
    assert password(file) == "first-password"
    failed = events[-1]
    assert (failed["event"], failed["kind"]) == ("registry_auth.failed", "server-error")
    assert failed["next"] == "using what was fetched 3600 s ago"
    world.status = 200
    world.clock += 5
    file.tick()
    assert file.error is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(404, None, "not-found"), (401, None, "denied"), (200, b"<html>", "bad-answer")],
)
def test_a_first_failure(
    world: World, events: Events, status: int, body: bytes | None, kind: str
) -> None:
    world.status, world.body = status, body
    file = world.file()
    file.refresh()
    assert password(file) is None
    (failed,) = events
    assert (failed["event"], failed["kind"]) == ("registry_auth.failed", kind)
    assert "registry_auth_url" in failed["hint"]
    assert failed["next"] == "going on without"
    assert "topsecret" not in str(events)
    world.use(file)
    file.refresh()
    assert len(world.asked) == 2, "each run tries, and has a back-off of its own"


@pytest.mark.parametrize(
    ("retry_after", "asked_after"), [("600", [0.0, 600.0]), (None, [0.0, 30.0, 60.0, 90.0])]
)
def test_a_pull_obeys_the_wait_that_the_server_demands(
    world: World, retry_after: str | None, asked_after: list[float]
) -> None:
    world.status, start = 503, world.clock
    world.headers = {} if retry_after is None else {"Retry-After": retry_after}
    file, asked = world.file(), []
    file._schedule.backoff = replace(AUTH_RETRY, chance=lambda: 0.0)
    while world.clock < start + 930:
        before = len(world.asked)
        world.use(file)
        file.refresh()
        client(file).renewed(IMAGE)  # the pull is denied meanwhile
        asked += [world.clock - start] * (len(world.asked) - before)
        world.clock += 30
    assert asked[: len(asked_after)] == asked_after


def test_a_wait_that_is_over_or_none_delays_no_pull(world: World) -> None:
    world.status, world.headers = 503, {"Retry-After": "0"}
    file = world.file()
    file.refresh()
    file.refresh()
    assert len(world.asked) == 2
    world.status = 200
    file.refresh()
    assert (password(file), file.error) == ("first-password", None)


def test_without_a_url_nothing_happens(world: World, events: Events) -> None:
    file = world.file(None)
    file.refresh()
    file.tick()
    assert not file.renew()
    assert (world.asked, events, file.version) == ([], [], 0)


def client(file: AuthFile, given: Credentials | None = None) -> RegistryClient:
    return RegistryClient(
        Fetcher(),
        lambda image: given or file.config.credentials_for(image.domain),
        auth=file,
    )


def test_a_denial_fetches_it_once_in_a_run(world: World) -> None:
    file = world.file()
    file.refresh()
    assert not client(file).renewed(IMAGE), "it is as new as can be"
    world.use(file)
    file.refresh()
    assert len(world.asked) == 2, "the next run fetches it, after the denial in the last one"
    world.use(file)
    world.password = "second-password"
    assert client(file).renewed(IMAGE)
    assert not client(file).renewed(IMAGE)
    assert len(world.asked) == 3


def test_the_same_password_is_not_tried_again(world: World) -> None:
    file = world.file()
    file.refresh()
    world.use(file)
    assert not client(file).renewed(IMAGE)
    assert len(world.asked) == 2
    world.use(file)
    world.status = 500
    assert not client(file).renewed(IMAGE)
    assert not RegistryClient(Fetcher()).renewed(IMAGE)


def denied() -> PermanentError:
    return PermanentError("pull x: denied", kind=ErrorKind.DENIED)


def test_a_denial_names_where_the_password_came_from(world: World) -> None:
    file = world.file()
    file.refresh()
    hint = client(file).explain(denied(), IMAGE).hint
    assert hint == "check the entry of r.example in the file at registry_auth_url"
    given = client(file, Credentials("u", "p")).explain(denied(), IMAGE)
    assert given.hint == denied().hint
    other = client(file).explain(denied(), ImageReference.parse("o.example/x"))
    assert "or registry_auth_url" in other.hint


def test_a_denial_names_why_there_was_no_password(world: World) -> None:
    world.status = 503
    file = world.file()
    file.refresh()
    error = client(file).explain(denied(), IMAGE)
    assert isinstance(error, TransientError), "it may heal as soon as that server does"
    assert (error.kind, str(error)) == (ErrorKind.DENIED, "pull x: denied")
    assert "registry_auth_url could not be used" in error.hint
    assert "503" in error.hint
    given = client(file, Credentials("u", "p")).explain(denied(), IMAGE)
    assert given.hint == denied().hint
