"""Docker's config.json: right pairs or a clear refusal, and no secret in any message."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given

from bootkit.image.docker_config import parse_docker_config
from bootkit.plan.credentials import Credentials
from tests.strategies import JSON, mutants, outcome
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def parsed(content: object) -> tuple[dict[str, Credentials], dict[str, str]]:
    config = parse_docker_config(json.dumps(content).encode()).config
    return dict(config.auths), dict(config.unused)


def pair(name: str, text: str = "sesame") -> dict[str, Any]:
    return {name: {"auth": auth(f"u:{text}")}}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"auth": auth("AWS:to:ken=")}, Credentials("AWS", "to:ken=")),
        ({"auth": auth("u:p") + "\n"}, Credentials("u", "p")),
        ({"auth": auth("u:p\0\0")}, Credentials("u", "p")),
        ({"username": "u", "password": "p"}, Credentials("u", "p")),
        ({"auth": auth("u:p"), "username": "x", "password": "y"}, Credentials("u", "p")),
        ({"auth": "", "username": "u", "password": "p"}, Credentials("u", "p")),
        ({"username": "u", "password": "p", "email": 3, "auth": None}, Credentials("u", "p")),
        ({"identitytoken": "t"}, Credentials("", "", "t")),
        ({"auth": auth("u:"), "identitytoken": "t"}, Credentials("u", "", "t")),
        ({"auth": auth("ü:päss")}, Credentials("ü", "päss")),
    ],
)
def test_an_entry(entry: object, expected: Credentials) -> None:
    assert parsed({"auths": {"r.example": entry}}) == ({"r.example": expected}, {})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "no user and password"),
        ({"username": "u"}, "no user and password"),
        ({"registrytoken": "sesame"}, "a registrytoken is not used"),
        ({"auth": "sesame"}, "not base64"),
        ({"auth": auth("sesame")}, "not base64 of user:password"),
        ({"auth": auth(":sesame")}, "not base64 of user:password"),
        ({"auth": base64.b64encode(b"u:\xff\xfe").decode()}, "not base64"),
        ({"auth": auth("u:sesame\n")}, "control characters"),
        ({"username": "u", "password": "x" * 16385}, "more than 16384 characters"),
        ({"username": "u", "password": ["sesame"]}, "not texts"),
        ("sesame", "not texts"),
        (None, "not texts"),
    ],
)
def test_a_bad_entry_is_named_and_the_good_ones_are_used(entry: object, reason: str) -> None:
    found, unused = parsed({"auths": {"bad.example:5000": entry, **pair("r.example")}})
    assert list(found) == ["r.example"]
    assert list(unused) == ["bad.example:5000"]
    assert reason in unused["bad.example:5000"]
    assert "sesame" not in str(unused)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("r.example", "r.example"),
        ("R.example:443", "r.example"),
        ("https://r.example", "r.example"),
        ("http://r.example:5000/v1/", "r.example:5000"),
        ("r.example/team", "r.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("docker.io", "docker.io"),
        ("[fd00::1]:5000", "[fd00::1]:5000"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_the_name_of_a_registry(name: str, domain: str) -> None:
    config = parse_docker_config(json.dumps({"auths": pair(name)}).encode()).config
    assert config.credentials_for(domain) == Credentials("u", "sesame")
    assert config.credentials_for(domain.upper()) == Credentials("u", "sesame")
    assert config.credentials_for(f"x{domain}") is None
    assert config.credentials_for("r.example:8443") is None


@pytest.mark.parametrize("name", ["", "https://", "ftp://r.example", "u:sesame@r.example", "a b"])
def test_a_name_that_is_no_registry(name: str) -> None:
    found, unused = parsed({"auths": pair(name)})
    assert found == {}
    assert "no registry" in str(unused)
    assert "sesame" not in str(unused)


def test_the_exact_name_wins_as_in_dockerd() -> None:
    legacy, exact = pair("https://r.example/v1/", "old"), pair("r.example", "new")
    for auths in ({**legacy, **exact}, {**exact, **legacy}):
        found, _ = parsed({"auths": auths})
        assert found == {"r.example": Credentials("u", "new")}
    hub = {**pair("docker.io", "old"), **pair("https://index.docker.io/v1/", "new")}
    assert parsed({"auths": hub})[0] == {"docker.io": Credentials("u", "new")}


def test_programs_that_have_passwords_are_named() -> None:
    content = {"credsStore": "desktop", "credHelpers": {"x.example": "ecr-login"}}
    found, unused = parsed({"auths": pair("r.example"), **content})
    assert list(found) == ["r.example"]
    assert list(unused) == ["credsStore", "credHelpers"]


def test_too_many_registries() -> None:
    auths = {name: entry for n in range(70) for name, entry in pair(f"r{n}.example").items()}
    found, unused = parsed({"auths": auths})
    assert len(found) == 64
    assert len(unused) == 6


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{", b'{"auths": []}', b"[" * 99999])
def test_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_docker_config(content)
    assert caught.value.kind is ErrorKind.BAD_ANSWER
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "content",
    ["{}", '{"auths": null}', '{"error": "token expired"}', '{"a.example": {"auth": "x"}}'],
)
def test_an_answer_without_auths_is_no_empty_file(content: str) -> None:
    """It would replace the passwords that work."""
    with pytest.raises(PermanentError, match="no docker config"):
        parse_docker_config(content.encode())


def test_a_file_without_registries() -> None:
    assert parse_docker_config(b'{"auths": {}}').config.auths == {}


def test_an_entry_that_is_no_unicode_leaves_the_others() -> None:
    body = b'{"auths": {"a.example": {"auth": "\\ud800"}, "b.example": {"auth": "dTpwYXNz"}}}'
    found = parse_docker_config(body).config
    assert list(found.auths) == ["b.example"]
    assert list(found.unused) == ["a.example"]


def test_every_text_that_may_be_secret_is_masked() -> None:
    auths = {
        "a.example": {"auth": auth("u:password-a")},
        "b.example": {"identitytoken": "token-b", "password": "password-b"},
        "bad.example": {"auth": "written-c", "registrytoken": "token-c", "password": 3},
    }
    secrets = parse_docker_config(json.dumps({"auths": auths}).encode()).secrets
    expected = {"password-a", auth("u:password-a"), "token-b", "password-b", "written-c", "token-c"}
    assert set(secrets) == expected


GOOD = {
    "auths": {
        "r.example": {"auth": auth("u:Sesame-1")},
        "https://index.docker.io/v1/": {"username": "v", "password": "Sesame-2"},
        "t.example:5000": {"identitytoken": "Sesame-3"},
    },
    "credsStore": "x",
}


@given(mutants(GOOD) | JSON)
@example({"auths": {"r.example": {"auth": "\ud800"}}})
@example({"auths": {"Sesame-4": {"auth": {"Sesame-5": 1}}}})
def test_any_part_replaced(content: object) -> None:
    file = outcome(lambda: parse_docker_config(json.dumps(content).encode()))
    if isinstance(file, BootError):
        assert file.kind is ErrorKind.BAD_ANSWER
        assert "Sesame" not in str(file)
        return
    for domain, found in file.config.auths.items():
        assert domain == domain.lower()
        assert (found.username and found.password) or found.identity_token
        for text in (found.username, found.password, found.identity_token):
            assert text.isprintable()
        assert "Sesame" not in repr(found)
    used: list[str] = []
    for one in file.config.auths.values():
        used += (one.password, one.identity_token)
    for secret in ("Sesame-1", "Sesame-2", "Sesame-3"):
        assert secret in file.secrets or secret not in used
        assert secret not in str(file.config.unused)
