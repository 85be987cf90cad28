from __future__ import annotations

import socket
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from release.errors import ReportedError
from sandbox.http_client import answers, request
from tests.fakes.tls import HOST, serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.usefixtures("loopback")


@dataclass(frozen=True)
class Host:
    """The test's own network, in place of a namespace."""

    address: str = HOST

    def inside(self) -> AbstractContextManager[None]:
        return nullcontext()


def closed_url() -> str:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return f"http://{HOST}:{listener.getsockname()[1]}/"


def test_a_response_is_returned() -> None:
    with serving() as server:
        server.answers["/x"] = (200, {}, b"body")
        assert request("tink-server", Host(), "GET", f"{server.url}/x").text == "body"


def test_a_bad_status_is_an_error_with_server_status_and_body() -> None:
    with serving() as server:
        server.answers["/x"] = (409, {}, b"it exists\n")
        message = rf"GET {server.url}/x failed: tink-server answered 409 it exists$"
        with pytest.raises(ReportedError, match=message):
            request("tink-server", Host(), "GET", f"{server.url}/x")


def test_no_response_is_an_error_with_its_cause() -> None:
    url = closed_url()
    with pytest.raises(ReportedError, match=rf"GET {url} failed: the API server: .*refused"):
        request("the API server", Host(), "GET", url)


def test_a_server_answers_once_it_does_so_with_an_expected_status() -> None:
    assert not answers(Host(), closed_url())
    with serving() as server:
        server.answers["/"] = (401, {}, b"")
        assert not answers(Host(), f"{server.url}/")
        assert answers(Host(), f"{server.url}/", statuses=(200, 401))
