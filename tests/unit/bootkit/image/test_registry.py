from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootkit.image.auth_file import AuthFile
from bootkit.image.registry import RegistryClient
from bootkit.plan.credentials import Credentials
from tests.strategies import TEXT
from tinkie.error_kinds import ErrorKind
from tinkie.errors import PermanentError, TransientError
from tinkie.fetch.fetcher import Fetcher
from tinkie.hints import Asked, hint_for
from tinkie.parameters.image_reference import ImageReference
from tinkie.parameters.types import Url
from tinkie.running.backoff import Backoff
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

DATE = "Mon, 23 Nov 2026 08:00:00 GMT"

IMAGE = ImageReference.parse("r.example/x")


def client(folder: Path, headers: dict[str, str] | None, asked: list[str]) -> RegistryClient:
    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if headers is None:
            raise httpx.ConnectError("refused")
        assert "authorization" not in request.headers
        return httpx.Response(401, headers=headers)

    return RegistryClient(
        Fetcher(transport=httpx.MockTransport(handler)),
        certificates=folder,
        clock=lambda: datetime(1970, 1, 1, tzinfo=UTC),
    )


def test_the_registry_provides_retry_after(tmp_path: Path) -> None:
    asked: list[str] = []
    error = TransientError("pull x: 429", kind=ErrorKind.TOO_MANY_REQUESTS)
    explained = client(tmp_path, {"Retry-After": "120"}, asked).explain(
        error, ImageReference.parse("r.example:5000/x")
    )
    assert explained.retry_after == 120.0
    assert asked == ["https://r.example:5000/v2/"]


def test_docker_hub_has_another_host(tmp_path: Path) -> None:
    asked: list[str] = []
    error = TransientError("pull x: 429", kind=ErrorKind.TOO_MANY_REQUESTS)
    assert (
        client(tmp_path, {}, asked).explain(error, ImageReference.parse("busybox")).retry_after
        is None
    )
    assert asked == ["https://registry-1.docker.io/v2/"]


def test_the_error_of_an_expired_certificate_has_both_clocks(tmp_path: Path) -> None:
    error = TransientError(
        "pull x: x509", kind=ErrorKind.CERTIFICATE_TIME, hint="look at the clock"
    )
    explained = client(tmp_path, {"Date": DATE}, []).explain(error, IMAGE)
    assert str(explained) == (
        f"pull x: x509 (it is Thu, 01 Jan 1970 00:00:00 GMT here and {DATE} at the registry)"
    )
    assert isinstance(explained, TransientError)
    assert explained.hint == "look at the clock"


def test_a_registry_that_does_not_answer_changes_nothing(tmp_path: Path) -> None:
    error = TransientError("pull x: x509", kind=ErrorKind.CERTIFICATE_TIME)
    assert "unknown at the registry" in str(client(tmp_path, None, []).explain(error, IMAGE))
    busy = TransientError("pull x: 429", kind=ErrorKind.TOO_MANY_REQUESTS)
    assert client(tmp_path, None, []).explain(busy, IMAGE).retry_after is None


GET_S3 = 'Get "https://s3.example/bucket/data?X-Amz-Date=1": '
LOOKUP = "dial tcp: lookup {} on 10.0.0.1:53: no such host"


@pytest.mark.parametrize(
    ("image", "text", "kind", "asked"),
    [
        ("r.example/x", LOOKUP.format("s3.example"), "name-resolution", "storage"),
        ("r.example/x", GET_S3 + LOOKUP.format("s3.example"), "name-resolution", "storage"),
        ("r.example/x", GET_S3 + "dial tcp 10.0.0.9:443: i/o timeout", "timeout", "storage"),
        ("r.example/x", GET_S3 + "x509: certificate signed", "certificate-untrusted", "storage"),
        ("s3.example/x", GET_S3 + LOOKUP.format("s3.example"), "name-resolution", "registry"),
        ("R.example/x", LOOKUP.format("r.example"), "name-resolution", "registry"),
        ("r.example:5000/x", LOOKUP.format("r.example"), "name-resolution", "registry"),
        ("r.example/x", "dial tcp 10.0.0.9:443: connection refused", "refused", "registry"),
        ("x", LOOKUP.format("registry-1.docker.io"), "name-resolution", "registry"),
        ("x", LOOKUP.format("mirror.example"), "name-resolution", "registry"),
        ("x", LOOKUP.format("auth.docker.io"), "name-resolution", "storage"),
        ("r.example/x", GET_S3 + "denied: denied", "denied", "registry"),
    ],
)
def test_a_host_that_the_registry_names_is_not_taken_for_the_registry(
    tmp_path: Path, image: str, text: str, kind: str, asked: str
) -> None:
    ours = replace(client(tmp_path, None, []), mirrors=(Url("https://mirror.example:5000"),))
    error = TransientError(f"pull {image}: {text}", kind=ErrorKind(kind), asked=Asked.REGISTRY)
    explained = ours.explain(error, ImageReference.parse(image))
    names = {"registry": Asked.REGISTRY, "storage": Asked.NAMED_BY_REGISTRY}
    assert explained.asked is names[asked]
    assert ("docker_registry" in explained.hint) <= (asked == "registry")


def test_what_a_proxy_or_dockerd_does_stays_theirs(tmp_path: Path) -> None:
    for asked in (Asked.PROXY, Asked.ENGINE):
        error = TransientError(GET_S3, kind=ErrorKind.REFUSED, asked=asked)
        assert client(tmp_path, None, []).explain(error, IMAGE).asked is asked


def test_other_errors_need_no_request(tmp_path: Path) -> None:
    asked: list[str] = []
    error = PermanentError("no", kind=ErrorKind.DENIED)
    assert client(tmp_path, {}, asked).explain(error, IMAGE) is error
    assert asked == []


MB = 1_000_000
SIZES = {"a" * 64: 30 * MB, "b" * 64: 12 * MB}
FULL = PermanentError(
    "pull r.example/x: no space left on device",
    kind=ErrorKind.OUT_OF_SPACE,
    asked=Asked.REGISTRY,
)


def sized(folder: Path, free: int | None, answer: httpx.Response | None = None) -> RegistryClient:
    """Return the client of a registry with an image of 42 MB; `free` MB are left."""
    layers = [{"digest": f"sha256:{name}", "size": size} for name, size in SIZES.items()]
    reply = answer or httpx.Response(200, json={"layers": layers})

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path in ("/v2/x/manifests/latest", "/v2/library/x/manifests/latest")
        return reply

    space = None if free is None else Space(free * MB, 500 * MB)
    fetcher = Fetcher(transport=httpx.MockTransport(handler))
    return RegistryClient(fetcher, space=space, certificates=folder)


@pytest.mark.parametrize("name", ["r.example/x", "x"])
def test_an_image_that_is_larger_than_the_free_space_is_refused(tmp_path: Path, name: str) -> None:
    image = ImageReference.parse(name)
    with pytest.raises(PermanentError) as caught:
        sized(tmp_path, 41).check_fits(image, ())
    assert str(caught.value) == (
        f"pull {name}: it has 42.0 MB compressed, and 41.0 MB of 500.0 MB are left"
    )
    assert caught.value.kind is ErrorKind.OUT_OF_SPACE
    assert caught.value.hint
    assert sized(tmp_path, 41).explain(caught.value, image) is caught.value


def test_an_image_that_fits_is_pulled(tmp_path: Path) -> None:
    sized(tmp_path, 42).check_fits(IMAGE, ())


@pytest.mark.parametrize(("free", "may_not"), [(80, True), (81, False), (None, False)])
def test_the_size_matters_from_an_eighth_of_the_free_space_on(
    tmp_path: Path, free: int | None, *, may_not: bool
) -> None:
    assert sized(tmp_path, free).may_not_fit(10 * MB) is may_not


def test_layers_that_are_present_do_not_count(tmp_path: Path) -> None:
    sized(tmp_path, 12).check_fits(IMAGE, {"a" * 12})
    with pytest.raises(PermanentError, match=r"has 12\.0 MB"):
        sized(tmp_path, 11).check_fits(IMAGE, {"a" * 12})


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_what_cannot_be_checked_is_not_refused(tmp_path: Path, status: int) -> None:
    sized(tmp_path, 0, httpx.Response(status, content=b"<html>")).check_fits(IMAGE, ())
    sized(tmp_path, 0, httpx.Response(status, json={"errors": []})).check_fits(IMAGE, ())
    client(tmp_path, None, []).check_fits(IMAGE, ())
    sized(tmp_path, None).check_fits(IMAGE, ())


def test_an_answer_of_which_nothing_can_be_used_is_logged_without_its_text(
    tmp_path: Path, events: list[MutableMapping[str, object]]
) -> None:
    answer = httpx.Response(200, json={"layers": [{"digest": {"x" * 500: "sesame"}}] * 1000})
    sized(tmp_path, 0, answer).check_fits(IMAGE, ())
    (event,) = events
    assert event["event"] == "size.unknown"
    assert event["error"] == (
        "GET https://r.example/v2/x/manifests/latest: cannot use the answer: "
        "its field layers.0.digest is missing or malformed"
    )


def test_the_error_of_a_full_disk_has_both_sizes(tmp_path: Path) -> None:
    explained = sized(tmp_path, 50).explain(FULL, IMAGE)
    assert str(explained) == (
        "pull r.example/x: no space left on device "
        "(the image is 42.0 MB compressed, 50.0 MB of 500.0 MB were left)"
    )
    assert isinstance(explained, PermanentError)
    assert explained.asked is Asked.REGISTRY


def test_the_error_of_a_full_disk_without_known_sizes(tmp_path: Path) -> None:
    explained = sized(tmp_path, None, httpx.Response(404)).explain(FULL, IMAGE)
    assert "of unknown size" in str(explained)
    assert "unknown" in str(explained).partition(",")[2]


@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.CERTIFICATE_TIME, FULL.kind])
def test_an_explained_error_keeps_what_is_known(tmp_path: Path, kind: ErrorKind) -> None:
    error = TransientError("pull x", kind=kind, asked=Asked.REGISTRY, retry_after=7.0)
    error.given_by = "tink_worker_image"
    auth = AuthFile(lambda: 0.0)
    auth.error = PermanentError("no file", kind=ErrorKind.NOT_FOUND)
    explained = replace(client(tmp_path, None, []), auth=auth).explain(error, IMAGE)
    assert explained is not error
    assert explained.kind is kind
    assert (explained.retry_after, explained.given_by) == (7.0, "tink_worker_image")
    assert explained.asked is Asked.REGISTRY
    assert isinstance(explained, PermanentError) == (kind is ErrorKind.DENIED)


@pytest.mark.usefixtures("_no_system_cas")
@given(
    st.sampled_from([ErrorKind.TOO_MANY_REQUESTS, ErrorKind.CERTIFICATE_TIME]),
    TEXT.map(lambda text: text.encode(errors="replace")),
)
@example(ErrorKind.TOO_MANY_REQUESTS, b"9" * 400)
@example(ErrorKind.CERTIFICATE_TIME, b"x" * 9999)
def test_any_answer_of_a_registry(kind: ErrorKind, text: bytes) -> None:
    headers = [(b"Retry-After", text), (b"Date", text), (b"Location", text)]
    transport = httpx.MockTransport(lambda _: httpx.Response(401, headers=headers))
    error = TransientError("pull x", kind=kind)
    explained = RegistryClient(Fetcher(transport=transport)).explain(error, IMAGE)
    assert explained.kind is kind
    assert str(explained).startswith("pull x")
    assert len(str(explained)) <= 2000
    backoff = Backoff(first=1.0, ceiling=60.0)
    assert 0.25 <= backoff.delay(1, explained) <= 3660.0


def test_a_refusal_without_credentials_does_not_blame_them(tmp_path: Path) -> None:
    denied = PermanentError("pull access denied", kind=ErrorKind.DENIED)
    hint = client(tmp_path, {}, []).explain(denied, IMAGE).hint
    assert "no user and password were sent" in hint
    assert "name of the image" in hint
    with_pair = replace(client(tmp_path, {}, []), credentials_for=lambda _: Credentials("u", "p"))
    denied = PermanentError("x", kind=ErrorKind.DENIED, asked=Asked.REGISTRY)
    assert with_pair.explain(denied, IMAGE).hint == hint_for(ErrorKind.DENIED, Asked.REGISTRY)
