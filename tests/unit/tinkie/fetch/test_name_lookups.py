"""Look-ups with name servers that are silent, late, or fine."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

import pytest

from bootkit.policy import METADATA_WANTED_SECONDS, SERVER_LOST_LOG_CEILING_SECONDS
from tink_docker.policy import CA_LATER_TRY_SECONDS
from tinkie.fetch import name_lookups as module
from tinkie.fetch.name_lookups import BoundedLookups, bound_name_lookups
from tinkie.policy import LATE_NAME_ANSWER_SECONDS, NAME_LOOKUP_SECONDS

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]


class Servers:
    """They answer when `answer` is set; notes what they were asked."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked: list[Any] = []

    def __call__(self, host: str, *arguments: Any, **keywords: Any) -> Any:
        self.asked.append((host, *arguments, keywords))
        assert self.answer.wait(20)
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ANSWER


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(module, "NAME_LOOKUP_SECONDS", 0.1)
    return Servers()


def test_an_answer_is_handed_on(servers: Servers) -> None:
    servers.answer.set()
    assert BoundedLookups(servers)("tb.example", 80, 0, type=1) == ANSWER
    assert servers.asked == [("tb.example", 80, 0, {"type": 1})]


def test_an_error_is_handed_on(servers: Servers) -> None:
    servers.answer.set()
    with pytest.raises(socket.gaierror, match="not known"):
        BoundedLookups(servers)("unknown.example", 80)


def test_silence_is_an_error_soon(servers: Servers) -> None:
    with pytest.raises(socket.gaierror, match="no answer within") as caught:
        BoundedLookups(servers)("tb.example", 80)
    assert caught.value.errno == socket.EAI_AGAIN
    servers.answer.set()


def test_a_late_answer_serves_the_next_try(servers: Servers) -> None:
    look_up = BoundedLookups(servers)
    for _ in range(3):
        with pytest.raises(socket.gaierror):
            look_up("tb.example", 80)
    servers.answer.set()
    assert look_up("tb.example", 80) == ANSWER
    assert len(servers.asked) == 1
    assert look_up("tb.example", 80) == ANSWER
    assert len(servers.asked) == 2


def test_an_answer_that_came_long_ago_is_not_used(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = BoundedLookups(servers)
    with pytest.raises(socket.gaierror):
        look_up("tb.example", 80)
    servers.answer.set()
    monkeypatch.setattr(module, "LATE_NAME_ANSWER_SECONDS", -1.0)
    end = time.monotonic() + 10
    while len(servers.asked) < 2 and time.monotonic() < end:
        look_up("tb.example", 80)  # the first one may use the answer that is just coming
    assert len(servers.asked) == 2


@pytest.mark.parametrize(("seconds", "asked"), [(0, 1), (600, 1), (900, 2)])
def test_an_answer_is_used_until_the_rarest_try_could_need_it(
    servers: Servers, seconds: int, asked: int
) -> None:
    look_up = BoundedLookups(servers)
    with pytest.raises(socket.gaierror):
        look_up("tb.example", 80)
    (late,) = look_up._late.values()
    servers.answer.set()
    assert late.done.wait(10)
    late.done_at -= seconds
    assert look_up("tb.example", 80) == ANSWER
    assert len(servers.asked) == asked


def test_the_rarest_try_is_that_of_a_lost_connection() -> None:
    assert LATE_NAME_ANSWER_SECONDS > SERVER_LOST_LOG_CEILING_SECONDS


@pytest.mark.parametrize("seconds", [METADATA_WANTED_SECONDS, CA_LATER_TRY_SECONDS])
def test_a_look_up_ends_before_the_download_that_needs_it(seconds: float) -> None:
    assert seconds > NAME_LOOKUP_SECONDS


def test_a_late_error_is_not_used(servers: Servers) -> None:
    look_up = BoundedLookups(servers)
    with pytest.raises(socket.gaierror, match="no answer"):
        look_up("unknown.example", 80)
    servers.answer.set()
    end = time.monotonic() + 10
    while len(servers.asked) < 2 and time.monotonic() < end:
        with pytest.raises(socket.gaierror, match="not known"):
            look_up("unknown.example", 80)
    assert len(servers.asked) == 2


@pytest.mark.parametrize("host", ["10.0.0.1", "fd00::1", "fe80::1%eth0", "", None, b"tb"])
def test_an_address_needs_no_thread(servers: Servers, host: Any) -> None:
    servers.answer.set()
    before = threading.active_count()
    BoundedLookups(servers)(host, 80)
    assert threading.active_count() == before


def test_the_whole_process_is_bounded(monkeypatch: pytest.MonkeyPatch, servers: Servers) -> None:
    monkeypatch.setenv("RES_OPTIONS", "")
    monkeypatch.setattr(socket, "getaddrinfo", servers)
    bound_name_lookups()
    bounded = socket.getaddrinfo
    bound_name_lookups()
    assert socket.getaddrinfo is bounded, "each layer would have its own bound and thread"
    assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"
    began = time.monotonic()
    with pytest.raises(socket.gaierror, match="no answer"):
        socket.create_connection(("tb.example", 80))
    assert time.monotonic() - began < 10
    servers.answer.set()
