from __future__ import annotations

import pytest

from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError, TransientError, asking
from tinkie.hints import ABOUT_ITS_TLS, ABOUT_THE_HOST, Asked, hint_for
from tinkie.policy import DOCKERD_CHECK_EVERY_SECONDS, DOCKERD_HANGS_AFTER_SECONDS

ON_THE_WAY = (ErrorKind.TIMEOUT, ErrorKind.REFUSED, ErrorKind.CUT_OFF, ErrorKind.UNREACHABLE)
NETWORK_WORDS = ("firewall", "VLAN", "DNS", "gateway", "proxies", "port")


@pytest.mark.parametrize("asked", Asked)
@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind is not ErrorKind.OTHER])
def test_there_is_a_hint_for_each_kind_whoever_was_asked(kind: ErrorKind, asked: Asked) -> None:
    hint = hint_for(kind, asked)
    assert hint
    assert len(hint) < 250
    assert "{" not in hint


@pytest.mark.parametrize("asked", Asked)
@pytest.mark.parametrize("kind", ErrorKind)
def test_no_hint_says_what_is_impossible_or_unsafe(kind: ErrorKind, asked: Asked) -> None:
    hint = hint_for(kind, asked)
    assert "in error=" not in hint, "nobody can write there"
    # That is how the URL of a proxy is written, whatever it is for.
    advised = "http://" in hint.replace("(http://user:password@host:port)", "")
    if asked is Asked.AUTH_SERVER:
        assert not advised, "it has passwords"
    if asked is Asked.CA_SERVER:
        assert not advised or "together with registry_ca_sha256" in hint


@pytest.mark.parametrize("kind", ON_THE_WAY)
def test_the_engines_own_socket_has_nothing_to_do_with_the_network(kind: ErrorKind) -> None:
    hint = hint_for(kind, Asked.ENGINE)
    assert "tink-docker" in hint
    assert not [word for word in NETWORK_WORDS if word in hint]


def test_the_hint_about_a_silent_engine_has_the_seconds_until_its_restart() -> None:
    seconds = DOCKERD_CHECK_EVERY_SECONDS + DOCKERD_HANGS_AFTER_SECONDS
    assert f"within {seconds:.0f} s" in hint_for(ErrorKind.TIMEOUT, Asked.ENGINE)


@pytest.mark.parametrize("kind", ErrorKind)
def test_only_the_registrys_own_errors_blame_its_user_and_password(kind: ErrorKind) -> None:
    for asked in set(Asked) - {Asked.REGISTRY}:
        assert "registry_username" not in hint_for(kind, asked)
    denied = kind is ErrorKind.DENIED
    assert ("registry_username" in hint_for(kind, Asked.REGISTRY)) == denied


def test_a_refused_image_may_be_misspelt() -> None:
    hint = hint_for(ErrorKind.DENIED, Asked.REGISTRY)
    assert hint.index("name of the image") < hint.index("registry_username")


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        (Asked.REGISTRY, "docker_registry"),
        (Asked.METADATA, "metadata_url"),
        (Asked.CA_SERVER, "the parameter with its URL"),
        (Asked.PROXY, "HTTP_PROXY"),
    ],
)
def test_a_hint_names_the_parameter_with_the_address(asked: Asked, parameter: str) -> None:
    for kind in (ErrorKind.NAME_RESOLUTION, ErrorKind.REFUSED, ErrorKind.BAD_ANSWER):
        assert parameter in hint_for(kind, asked)


def test_a_host_that_the_registry_names_is_not_blamed_on_a_parameter() -> None:
    for kind in ABOUT_THE_HOST | ABOUT_ITS_TLS:
        hint = hint_for(kind, Asked.NAMED_BY_REGISTRY)
        assert "docker_registry" not in hint
        assert "tink_worker_image" not in hint
        assert "http://" not in hint  # a token service gets passwords
    assert "storage or token service" in hint_for(
        ErrorKind.NAME_RESOLUTION, Asked.NAMED_BY_REGISTRY
    )


def test_who_was_asked_is_noted_once() -> None:
    with (
        pytest.raises(TransientError) as caught,
        asking(Asked.METADATA),
        asking(Asked.CA_SERVER, "trusted_ca_url"),
    ):
        raise TransientError("x", kind=ErrorKind.REFUSED)
    assert caught.value.asked is Asked.CA_SERVER
    assert "trusted_ca_url" in caught.value.hint


def test_an_error_may_have_a_hint_of_its_own() -> None:
    error = PermanentError("x", kind=ErrorKind.DENIED, hint="ask Jo", asked=Asked.REGISTRY)
    assert error.fields == {"error": "x", "kind": "denied", "hint": "ask Jo"}
    assert TransientError("x").fields == {"error": "x", "kind": "other"}
