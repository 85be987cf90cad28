"""The sizes of layers from several kinds of registries."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bootkit.image import manifest as module
from bootkit.image.manifest import Manifests, _Manifest, _Platform
from bootkit.plan.credentials import Credentials
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, PermanentError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.insecure import InsecureRegistries

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://r.example:5000/v2/team/worker"
LAYERS = {"layers": [{"digest": "sha256:aa", "size": 30}, {"digest": "sha256:bb", "size": 12}]}
FOUND = {"sha256:aa": 30, "sha256:bb": 12}
PAIR = Credentials("u", "p")
BASIC = f"Basic {base64.b64encode(b'u:p').decode()}"


def platform(os: str, architecture: str, digest: str, **more: str) -> dict[str, Any]:
    described = {"os": os, "architecture": architecture, **more}
    return {"digest": digest, "size": 500, "platform": described}


def asked(
    handler: Callable[[httpx.Request], httpx.Response], credentials: Credentials | None = None
) -> dict[str, int]:
    fetcher = Fetcher(transport=httpx.MockTransport(handler))
    insecure = InsecureRegistries(("listed.example",))
    return Manifests(URL, fetcher, credentials, insecure).layers("1.0")


def answering(content: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, content=json.dumps(content).encode())


def test_a_manifest() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{URL}/manifests/1.0"
        accepted = request.headers["accept"].split(", ")
        assert len(accepted) == 4
        assert "authorization" not in request.headers
        return httpx.Response(200, json=LAYERS)

    assert asked(handler) == FOUND


@pytest.mark.parametrize(("ours", "other"), [("amd64", "arm64"), ("arm64", "amd64")])
def test_an_index_leads_to_the_manifest_of_this_platform(
    ours: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OURS", _Platform(os="linux", architecture=ours))
    index = {
        "manifests": [
            platform("linux", other, "sha256:other"),
            platform("unknown", "unknown", "sha256:attestation"),
            platform("linux", ours, "sha256:ours", variant="v2"),
        ]
    }

    def handler(request: httpx.Request) -> httpx.Response:
        content = LAYERS if request.url.path.endswith("/manifests/sha256:ours") else index
        return httpx.Response(200, json=content)

    assert asked(handler) == FOUND


def test_an_index_without_this_platform_has_no_layers() -> None:
    index = {"manifests": [platform("linux", "arm64", "sha256:arm")]}
    assert asked(answering(index)) == {}


def test_credentials_are_sent_to_the_registry() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == BASIC
        return httpx.Response(200, json=LAYERS)

    assert asked(handler, PAIR) == FOUND


@pytest.mark.parametrize(
    ("realm", "sent"),
    [
        ("https://auth.example/token", BASIC),
        ("https://auth.example/token?x=1", BASIC),
        ("http://auth.example/token", None),
        ("http://listed.example/token", BASIC),
        ("https://r.example:5000/token", BASIC),
        ("https://R.example:5000/token", BASIC),
        ("http://r.example:5000/token", None),
        ("https://r.example/token", BASIC),
    ],
)
@pytest.mark.parametrize("name", ["token", "access_token"])
def test_the_token_comes_from_the_challenges_realm(realm: str, sent: str | None, name: str) -> None:
    challenge = f'Bearer realm="{realm}",service="r.example",scope="repository:team/worker:pull"'

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            assert request.headers.get("authorization") == sent
            scope = request.url.params["scope"]
            assert (request.url.params["service"], scope) == (
                "r.example",
                "repository:team/worker:pull",
            )
            return httpx.Response(200, json={name: "t0ken"})
        if request.headers.get("authorization") == "Bearer t0ken":
            return httpx.Response(200, json=LAYERS)
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    assert asked(handler, PAIR) == FOUND


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "r.example":
            return httpx.Response(307, headers={"Location": "https://store.example/m"})
        assert "authorization" not in request.headers
        return httpx.Response(200, json=LAYERS)

    assert asked(handler, PAIR) == FOUND


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "it is no JSON object"),
        ("x", "it is no JSON object"),
        (None, "it is no JSON object"),
        ({"layers": 3}, "its field layers is missing or malformed"),
        ({"layers": [{"size": 1}]}, "its field layers.0.digest is missing or malformed"),
        *(
            ({"layers": [{"digest": "a", "size": size}]}, "its field layers.0.size is")
            for size in (-1, 2**63, 10**400, "sesame")
        ),
        (
            {"manifests": [platform("linux", "arm64", "a"), {"digest": {"sesame": 1}}]},
            "its field manifests.1.digest is missing or malformed",
        ),
    ],
)
def test_a_malformed_answer_is_an_error_in_our_words(content: object, reason: str) -> None:
    with pytest.raises(PermanentError) as caught:
        asked(answering(content))
    assert f"GET {URL}/manifests/1.0: cannot use the answer: {reason}" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert caught.value.kind is ErrorKind.BAD_ANSWER
    assert caught.value.__cause__ is caught.value.__context__ is None  # a log would show it


@pytest.mark.parametrize("body", [b"", b"<html>sesame", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_an_error_in_our_words(body: bytes) -> None:
    with pytest.raises(PermanentError, match=r"cannot use the answer: it is no JSON object$"):
        asked(lambda _: httpx.Response(200, content=body))


def test_the_first_bad_element_ends_the_check() -> None:
    """An error for each of them would take three hundred times the size of the answer."""
    with pytest.raises(ValidationError) as caught:
        _Manifest.model_validate({"layers": [1] * 1000, "manifests": [{}] * 1000})
    assert caught.value.error_count() < 10


@pytest.mark.parametrize("token", ["sesame\n", "sésame", "sesame 2", 3, None])
def test_a_token_that_is_none_is_an_error_that_does_not_show_it(token: object) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        challenge = {"WWW-Authenticate": 'Bearer realm="https://auth.example/token"'}
        if request.url.host == "auth.example":
            return httpx.Response(200, json={"token": token})
        return httpx.Response(401, headers=challenge)

    with pytest.raises(PermanentError) as caught:
        asked(handler)
    assert str(caught.value) == (
        "GET https://auth.example/token: cannot use the answer: "
        "its field token is missing or malformed"
    )


@pytest.mark.parametrize("realm", ["http://[", "https://a\u2100b/"])
def test_a_token_service_that_is_no_url_is_an_error(realm: str) -> None:
    challenge = f'Bearer realm="{realm}"'.encode()
    with pytest.raises(PermanentError, match="its token service is no URL"):
        asked(lambda _: httpx.Response(401, headers=[(b"WWW-Authenticate", challenge)]))


def test_a_refusal_has_no_layers() -> None:
    errors = {"errors": [{"code": "UNAUTHORIZED"}]}
    assert asked(lambda _: httpx.Response(401, json=errors)) == {}


BODIES = st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.just("sha256:aa"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["layers", "manifests", "digest", "size", "platform", "token"]), inner
        )
    ),
).map(lambda content: json.dumps(content).encode())


@pytest.mark.usefixtures("_no_system_cas")
@given(st.sampled_from([200, 401, 404]), BODIES, st.text(max_size=30))
@example(200, b"[" * 100_000, "")
@example(200, json.dumps({"manifests": [platform("linux", "amd64", "\n")]}).encode(), "")
@example(200, json.dumps({"manifests": [platform("linux", "amd64", "../../?x#")]}).encode(), "")
@example(401, b'{"token": "\\n\\u00e9"}', "https://r.example:5000/")
@example(401, b"{}", "http://[")
def test_any_answer_of_a_registry(status: int, body: bytes, realm: str) -> None:
    challenge = f'Bearer realm="{realm}"'.encode(errors="replace")

    def handler(request: httpx.Request) -> httpx.Response:
        safe = request.url.scheme == "https"
        assert safe or request.headers.get("authorization") != BASIC
        return httpx.Response(status, content=body, headers=[(b"WWW-Authenticate", challenge)])

    with suppress(BootError):
        sizes = asked(handler, PAIR)
        assert all(0 <= size < 2**63 for size in sizes.values())


def test_whom_the_registry_redirects_to_gets_no_password() -> None:
    """Nor does the token service that it names."""
    seen: dict[str, str] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers.get("authorization", "")
        if request.url.host == "r.example":
            return httpx.Response(307, headers={"Location": "https://cdn.example/blob"})
        realm = 'Bearer realm="https://cdn.example/token"'
        return httpx.Response(401, headers={"WWW-Authenticate": realm}, json={})

    asked(handler, PAIR)
    assert seen == {"r.example": BASIC, "cdn.example": ""}
