"""WWW-Authenticate, as RFC 9110 has it and as dockerd reads it."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootkit.image.challenge import Challenge, challenges_in
from bootkit.policy import CHALLENGE_CHARACTERS
from tinkie.fetch.fetcher import Answer

URL = "https://r.example/v2/"


def parsed(*headers: str, status: int = 401) -> list[tuple[str, dict[str, str]]]:
    return [(one.scheme, dict(one.parameters)) for one in found(*headers, status=status)]


def found(*headers: str, status: int = 401) -> tuple[Challenge, ...]:
    return challenges_in(Answer(URL, status, {}, b"", headers))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), []),
        (("",), []),
        (("Basic",), [("basic", {})]),
        (('Basic realm="sandbox"',), [("basic", {"realm": "sandbox"})]),
        (
            ('Bearer realm="https://a.example/t",service="r",scope="repository:x:pull,push"',),
            [
                (
                    "bearer",
                    {
                        "realm": "https://a.example/t",
                        "service": "r",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
        ),
        (('bEaReR REALM="x" , service=token',), [("bearer", {"realm": "x", "service": "token"})]),
        (
            ('Basic realm="one", Bearer realm="two", error="x"',),
            [("basic", {"realm": "one"}), ("bearer", {"realm": "two", "error": "x"})],
        ),
        (
            ('Bearer realm="two"', "Basic"),
            [("bearer", {"realm": "two"}), ("basic", {})],
        ),
        (
            (r'Bearer realm="a\"b\\c, Basic"',),
            [("bearer", {"realm": r"a\"b\c, Basic".replace('\\"', '"')})],
        ),
        (("Negotiate, Bearer realm=x",), [("negotiate", {}), ("bearer", {"realm": "x"})]),
        (('Basic realm="open', 'Bearer realm="x"'), None),
        (('Bearer realm = "x"',), [("bearer", {"realm": "x"})]),
        (("\x00;= Bearer realm=x",), [("bearer", {"realm": "x"})]),
    ],
)
def test_challenges(headers: tuple[str, ...], expected: list[object] | None) -> None:
    if expected is None:  # a quote that is not closed hides nothing of the next header
        assert parsed(*headers)[-1] == ("bearer", {"realm": "x"})
    else:
        assert parsed(*headers) == expected


def test_an_answer_that_asks_for_nothing_has_none() -> None:
    assert parsed('Bearer realm="x"', status=200) == []
    assert parsed('Bearer realm="x"', status=403) == []


def test_a_name_that_stands_twice_has_both_values_and_dockerd_takes_the_last() -> None:
    (one,) = found('Bearer realm="http://a", realm="https://b"')
    assert one.all("realm") == ("http://a", "https://b")
    assert one.get("realm") == "https://b"
    assert one.get("service") == ""


# == The same, read step by step as dockerd does: distribution's parseValueAndParams()

TOKEN = {chr(code) for code in range(33, 127)} - set('"(),/:;<=>?@[]\\{}')
BLANK = " \t\r\n"


def dockerd(header: str) -> tuple[str, dict[str, str]]:
    scheme, rest = _token(header)
    parameters: dict[str, str] = {}
    rest = "," + rest.lstrip(BLANK)
    while scheme and rest.startswith(","):
        name, rest = _token(rest[1:].lstrip(BLANK))
        if not name or not rest.startswith("="):
            break
        value, rest = _token_or_quoted(rest[1:])
        if not value:
            break
        parameters[name.lower()] = value
        rest = rest.lstrip(BLANK)
    return scheme.lower(), parameters


def _token(text: str) -> tuple[str, str]:
    end = next((at for at, one in enumerate(text) if one not in TOKEN), len(text))
    return text[:end], text[end:]


def _token_or_quoted(text: str) -> tuple[str, str]:
    if not text.startswith('"'):
        return _token(text)
    value, escaped = "", False
    for at, one in enumerate(text[1:], start=1):
        if escaped:
            value, escaped = value + one, False
        elif one == "\\":
            escaped = True
        elif one == '"':
            return value, text[at + 1 :]
        else:
            value += one
    return "", ""


PARTS = st.sampled_from(
    ["Bearer", "bearer ", "Basic ", "realm", "=", '"', '="', ",", ", ", " ", "\\", "http://e", "x="]
)
HEADERS = st.lists(PARTS | st.text(string.printable, max_size=3), max_size=12).map("".join)


@given(st.lists(HEADERS.map(str.strip), max_size=3))
@example(['Bearer realm="http://e", x="", realm="https://ok"'])
@example(['Digest realm="x', 'Bearer realm="http://e"'])
@example(['Bearer realm="https://ok"realm="x"', r'Bearer realm="\h\t\tp://e"'])
def test_no_realm_that_dockerd_would_use_is_missed(headers: list[str]) -> None:
    ours = {
        realm for one in found(*headers) if one.scheme == "bearer" for realm in one.all("realm")
    }
    schemes = {one.scheme for one in found(*headers)}
    for scheme, parameters in map(dockerd, headers):
        if scheme:
            assert scheme in schemes
        if scheme == "bearer" and "realm" in parameters:
            assert parameters["realm"] in ours


@pytest.mark.parametrize("filler", [",", " ", 'a="', "a=,", "\\\\"])
def test_a_long_header_is_read_in_no_time_and_is_safe_for_nothing(filler: str) -> None:
    long = 'Bearer realm="https://r.example/t"' + filler * 50_000
    assert [one.all("realm") for one in found(long)] == [("",)]
    assert found(long[:CHALLENGE_CHARACTERS])
