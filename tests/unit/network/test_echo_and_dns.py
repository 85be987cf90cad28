"""Packets: echo requests, questions to name servers, and what may come back."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network import echo
from network.dns import AAAA, A, Question

IP_HEADER = bytes([0x45, *([0] * 19)])
Q = Question("tink.example", A)
Q6 = Question("tink.example", AAAA)


def test_an_echo_request_of_version_4_has_its_sum() -> None:
    packet = echo.request(4, 0x1234, 7)
    assert packet[:2] == b"\x08\x00"
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


def test_the_kernel_sums_version_6() -> None:
    assert echo.request(6, 1, 2)[:4] == b"\x80\x00\x00\x00"


def reply(version: int, kind: int, identifier: int = 5, number: int = 6) -> bytes:
    packet = struct.pack("!BBHHH", kind, 0, 0, identifier, number)
    return (IP_HEADER if version == 4 else b"") + packet


def test_only_the_answer_to_this_request_counts() -> None:
    assert echo.is_reply(4, reply(4, 0), 5, 6)
    assert echo.is_reply(6, reply(6, 129), 5, 6)
    for other in (reply(4, 8), reply(4, 3), reply(4, 0, 4), reply(4, 0, 5, 7), b"", b"\x45"):
        assert not echo.is_reply(4, other, 5, 6)


@given(st.sampled_from([4, 6]), st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_none(version: int, packet: bytes) -> None:
    assert echo.is_reply(version, packet, 5, 6) in (True, False)


def answer(
    question: Question,
    *records: bytes,
    number: int = 7,
    flags: int = 0x8180,
    count: int | None = None,
) -> bytes:
    counts = (1, len(records) if count is None else count, 0, 0)
    return struct.pack("!6H", number, flags, *counts) + question.packet(0)[12:] + b"".join(records)


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack("!2HIH", kind, 1, 60, len(data)) + data


def test_a_question_is_one_for_recursion() -> None:
    packet = Q.packet(7)
    assert packet[:12] == struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
    assert packet[12:] == b"\x04tink\x07example\x00\x00\x01\x00\x01"


def test_addresses_are_read_behind_aliases() -> None:
    alias = record(5, b"\x03www\xc0\x11")
    long_name = record(1, bytes([10, 0, 0, 2]), b"\x03www\x07example\x00")
    found = Q.answer(answer(Q, alias, record(1, bytes([10, 0, 0, 1])), long_name), 7)
    assert found == ["10.0.0.1", "10.0.0.2"]
    six = ip_address("fd00::1").packed
    assert Q6.answer(answer(Q6, record(28, six)), 7) == ["fd00::1"]


def test_no_such_name_is_an_answer() -> None:
    assert Q.answer(answer(Q, flags=0x8183), 7) == []
    assert Q.answer(answer(Q), 7) == []


def test_letters_of_either_case_are_the_same() -> None:
    packet = answer(Q).replace(b"tink", b"TINK")
    assert Q.answer(packet, 7) == []


@pytest.mark.parametrize("code", [1, 2, 4, 5])
def test_a_server_that_could_not_say_is_an_error(code: int) -> None:
    with pytest.raises(ValueError, match="could not say"):
        Q.answer(answer(Q, flags=0x8180 | code), 7)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"x",
        Q.packet(7),
        answer(Q, number=8),
        answer(Q6),
        answer(Question("other.example", A)),
        answer(Q, count=1),
        answer(Q, b"\x3f", count=1),
        answer(Q, record(1, b"abcd")[:-8], count=1),
    ],
)
def test_anything_else_is_no_answer(packet: bytes) -> None:
    assert Q.answer(packet, 7) is None


def test_data_that_is_no_address_is_left_out() -> None:
    assert Q.answer(answer(Q, record(1, b"abc"), record(1, b"abcde")), 7) == []


@given(st.binary(max_size=200))
def test_any_bytes_give_addresses_or_nothing(rest: bytes) -> None:
    packet = answer(Q, rest, count=3)
    found = Q.answer(packet, 7)
    assert found is None or all(ip_address(one).version == 4 for one in found)
