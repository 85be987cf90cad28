"""Rules of all unit tests: the outside world is out of reach, and nothing is left over."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import structlog

from tinkie.fetch.fetcher import Fetcher
from tinkie.running import signals as signals_module
from tinkie.running.redaction import REDACTOR
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

PROGRAMS_ARE_THE_SUBJECT = ("release", "sandbox")  # folders of tests/unit


class OutsideWorldError(BaseException):
    """A unit test reached for something real; no Exception, so that nothing swallows it."""


@pytest.fixture(autouse=True)
def _no_outside_world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_keywords: object) -> NoReturn:
        raise OutsideWorldError(f"a unit test may not do this: {_arguments!r}")

    real_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            refuse("connect", address)
        real_connect(self, address)

    real_sleep = time.sleep

    def sleep(seconds: float) -> None:
        if sys._getframe(1).f_globals["__name__"] != "subprocess":  # Popen.wait() sleeps a little
            refuse("sleep", seconds)
        real_sleep(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    if request.path.parent.name not in PROGRAMS_ARE_THE_SUBJECT:
        monkeypatch.setattr(subprocess, "Popen", refuse)


_REAL_CONNECT, _REAL_LOOK_UP = socket.socket.connect, socket.getaddrinfo


@pytest.fixture
def loopback(_no_outside_world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this test connect to its own servers on the loopback, as tests of TLS need."""

    def look_up(host: str, *arguments: Any, **keywords: Any) -> Any:
        if host != "127.0.0.1":
            raise OutsideWorldError(f"a unit test may not look this up: {host}")
        return _REAL_LOOK_UP(host, *arguments, **keywords)

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            raise OutsideWorldError(f"a unit test may not connect to this: {address!r}")
        _REAL_CONNECT(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().endswith(("_PROXY", "DOCKER_HOST")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    REDACTOR.reset()


@pytest.fixture
def events() -> Iterator[list[MutableMapping[str, Any]]]:
    """Every log event of the test, in order, with phase and worker id."""
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as captured:
        yield captured


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShutdownSignals]:
    """The program's handlers of signals, installed until the end of the test."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(signals_module, "DROPPED_SIGNAL_SECONDS", 0.05)
    installed = ShutdownSignals()
    installed.install()
    yield installed
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the code under test asked to wait; use `pauses.append` as its pause."""
    return []


@pytest.fixture(scope="module")
def _no_system_cas() -> Iterator[None]:
    """Trust no CA: loading the system's for each example would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        patch.setattr(Fetcher, "_trust", lambda _self, _url: empty)
        yield
