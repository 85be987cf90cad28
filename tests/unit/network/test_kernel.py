"""Calls of `ip`, the kernel's events, and sockets that are bound to a NIC."""

from __future__ import annotations

import errno
import socket
import subprocess
from typing import Any

import pytest

from network import sockets
from network.kernel import Kernel, KernelEvents
from network.policy import IP_SECONDS
from tinkie.errors import TransientError

Done = subprocess.CompletedProcess


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `ip` was called with; a test puts its answer in front."""
    found: list[Any] = []

    def run(command: list[str], *, timeout: float, **_: Any) -> Any:
        assert timeout == IP_SECONDS
        answer = found.pop(0)
        found.append(command)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(subprocess, "run", run)
    return found


def test_nics_and_routes_are_asked_for(calls: list[Any]) -> None:
    calls.append(Done([], 0, b'[{"ifname": "eth0"}]', b""))
    assert [nic.name for nic in Kernel().nics()] == ["eth0"]
    assert calls.pop()[1:] == ["-json", "-details", "address", "show"]
    calls.append(Done([], 0, b"default via 10.0.0.1 dev eth0 metric 5\n\n", b""))
    assert [route.metric for route in Kernel().routes("-4")] == [5]
    assert calls[0][1:] == ["-4", "-oneline", "-details", "route", "show", "table", "main"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Done([], 2, b"", b"x\nRTNETLINK answers: File exists\n"), "a b: RTNETLINK answers: File"),
        (Done([], 2, b"", b""), "ip a b: 2"),
        (OSError("none"), "ip a b: none"),
        (subprocess.TimeoutExpired("ip", 5), "timed out"),
    ],
)
def test_a_failure_has_the_words_of_ip(calls: list[Any], answer: Any, message: str) -> None:
    calls.append(answer)
    with pytest.raises(TransientError, match=message):
        Kernel().ip("a", "b")


class Netlink:
    def __init__(self, *answers: bytes | OSError) -> None:
        self.answers = list(answers)

    def settimeout(self, _: float) -> None: ...

    def recv(self, _: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


def test_events_are_forgotten_also_when_some_were_lost() -> None:
    made: Any = Netlink(b"x", OSError(errno.ENOBUFS, "x"), b"y", BlockingIOError())
    KernelEvents(made).drain()
    assert made.answers == []


def test_another_error_of_the_socket_is_a_bug() -> None:
    made: Any = Netlink(OSError(errno.EBADF, "x"))
    with pytest.raises(OSError, match="x"):
        KernelEvents(made).drain()


def test_the_kernels_events_can_be_waited_for() -> None:
    with KernelEvents.of_kernel().socket as made:
        assert made.family == socket.AF_NETLINK
        # RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE of linux/rtnetlink.h
        assert made.getsockname()[1] == sum(1 << (group - 1) for group in (1, 5, 7, 9, 11))
        KernelEvents(made).drain()


# == sockets of a NIC


class Fake:
    """A socket that notes what is done with it."""

    made: list[Fake]
    code = 0

    def __init__(self, family: int, kind: int, protocol: int = 0) -> None:
        self.kind = (family, kind & 0xF, protocol)
        self.options: list[Any] = []
        self.address: Any = None
        self.is_closed = False
        Fake.made.append(self)

    def setsockopt(self, *words: Any) -> None:
        self.options.append(words)

    def connect_ex(self, address: Any) -> int:
        self.address = address
        return Fake.code

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    Fake.made, Fake.code = [], 0
    monkeypatch.setattr(socket, "socket", Fake)
    monkeypatch.setattr(socket, "if_nametoindex", lambda _: 7)
    return Fake.made


def test_every_socket_is_bound_to_its_nic_first(fakes: list[Fake]) -> None:
    sockets.open_echo("eth0", "10.0.0.1")
    sockets.open_echo("eth0", "fd00::1")
    sockets.open_udp("eth0", "fe80::53%eth0", 53)
    Fake.code = errno.EINPROGRESS
    sockets.open_tcp("eth0", "10.0.0.1", 80)
    four, six = socket.AF_INET, socket.AF_INET6
    assert [one.kind for one in fakes] == [
        (four, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (six, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        (six, socket.SOCK_DGRAM, socket.IPPROTO_UDP),
        (four, socket.SOCK_STREAM, socket.IPPROTO_TCP),
    ]
    assert [one.address for one in fakes] == [
        ("10.0.0.1", 0),
        ("fd00::1", 0, 0, 0),
        ("fe80::53", 53, 0, 7),
        ("10.0.0.1", 80),
    ]
    for one in fakes:
        assert one.options == [(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\0")]


def test_a_nic_without_a_route_is_an_error_and_nothing_stays_open(fakes: list[Fake]) -> None:
    Fake.code = errno.ENETUNREACH
    with pytest.raises(OSError, match="unreachable"):
        sockets.open_tcp("eth0", "10.0.0.1", 80)
    assert fakes[0].is_closed
