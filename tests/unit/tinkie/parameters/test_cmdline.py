from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinkie.parameters.cmdline import KEPT_BYTES, Cmdline

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("\n", [], id="only a newline"),
        pytest.param("  \t ", [], id="only blanks"),
        pytest.param("quiet", [("quiet", None)], id="bare word"),
        pytest.param("a=", [("a", "")], id="empty value"),
        pytest.param("=", [("=", None)], id="only an equals sign"),
        pytest.param("=a", [("=a", None)], id="no name"),
        pytest.param("=a=b", [("=a", "b")], id="first character is no separator"),
        pytest.param("a=b=c", [("a", "b=c")], id="equals sign in a value"),
        pytest.param("u=http://h/?a=1&b=2", [("u", "http://h/?a=1&b=2")], id="query of a URL"),
        pytest.param("a=1\n", [("a", "1")], id="trailing newline"),
        pytest.param("\ta=1\v b=2\f", [("a", "1"), ("b", "2")], id="all kinds of white space"),
        pytest.param('a="b c" d', [("a", "b c"), ("d", None)], id="quotes around a value"),
        pytest.param('"a=b c" d', [("a", "b c"), ("d", None)], id="quotes around a word"),
        pytest.param('"a b"', [("a b", None)], id="quotes around a bare word"),
        pytest.param('a=b" "c', [("a", 'b" "c')], id="quotes inside of a value stay"),
        pytest.param('a="b', [("a", "b")], id="quote that is not closed"),
        pytest.param('a="', [("a", "")], id="only an opening quote"),
        pytest.param('"', [("", None)], id="only a quote"),
        pytest.param('a=""', [("a", "")], id="empty quotes"),
        pytest.param('"a="b c" d"', [("a", "b"), ('c" d"', None)], id="quotes in quotes"),
        pytest.param("a -- b=1", [("a", None)], id="the rest is init's"),
        pytest.param("a --b=1", [("a", None), ("--b", "1")], id="dashes in front of a name"),
        pytest.param("--=1 a", [("--", "1"), ("a", None)], id="dashes with a value"),
        pytest.param('"--" a=1', [], id="quoted dashes"),
    ],
)
def test_words(text: str, words: list[tuple[str, str | None]]) -> None:
    assert list(Cmdline.parse(text).words) == words


def test_last_value_wins() -> None:
    assert Cmdline.parse("a=1 b=2 a=3").get("a") == "3"


def test_an_empty_value_is_not_given() -> None:
    assert Cmdline.parse("a=").get("a") is None


def test_an_empty_value_takes_back_an_earlier_one() -> None:
    assert Cmdline.parse("a=1 a=").get("a") is None


def test_a_bare_word_takes_nothing_back() -> None:
    assert Cmdline.parse("a=1 a").get("a") == "1"


def test_a_bare_word_has_no_value() -> None:
    cmdline = Cmdline.parse("docker_registry tinkie.shell")
    assert cmdline.get("docker_registry") is None
    assert cmdline.values() == {}


def test_all_values_are_there_in_order() -> None:
    assert Cmdline.parse("console=tty0 a console= console=ttyS0").get_all("console") == (
        "tty0",
        "ttyS0",
    )


def test_names_are_not_found_inside_of_others() -> None:
    assert Cmdline.parse("thisisavlan_id=30").get("vlan_id") is None


def test_values_has_what_get_says() -> None:
    assert Cmdline.parse("a=1 a=2 b c= d=4 d=").values() == {"a": "2"}


def test_reads_a_file_of_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "cmdline"
    path.write_bytes(b"a=\xff b=2\n")
    assert Cmdline.read(path).get("b") == "2"


UGLY = st.text(alphabet='ab-=" \t\n', max_size=40)


@given(UGLY)
@example('"a=b" c"')
@example('a="b"" c')
@example('""a""=""b""')
def test_agrees_with_the_kernel(text: str) -> None:
    assert list(Cmdline.parse(text).words) == kernel_words(text)


@given(st.text())
def test_takes_any_text(text: str) -> None:
    cmdline = Cmdline.parse(text)
    for name, value in cmdline.values().items():
        assert cmdline.get(name) == value != ""


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.from_regex(r"[^\s\"\0]+")))
def test_what_was_written_is_read(pairs: dict[str, str]) -> None:
    plain = {name: value for name, value in pairs.items() if not set(value) & set('" \t\n\v\f\r\0')}
    text = " ".join(f"{name}={value}" for name, value in plain.items())
    assert Cmdline.parse(text).values() == plain


@given(st.binary(max_size=60))
@example(b'a="b\r\nc"')
def test_no_byte_is_changed(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "cmdline"
    path.write_bytes(data)
    for name, value in Cmdline.read(path).words:
        assert name.encode(errors="surrogateescape") in data
        assert (value or "").encode(errors="surrogateescape") in data


@pytest.mark.parametrize(
    ("data", "truncated"),
    [
        (b"x" * KEPT_BYTES, True),
        (b"x" * KEPT_BYTES + b"\n", True),
        (b"x" * (KEPT_BYTES - 1) + b"\n", False),
        ("é".encode() * (KEPT_BYTES // 2) + b"x", True),
        (b"", False),
    ],
)
def test_a_line_as_long_as_the_kernel_lets_it_be_may_be_cut_off(
    tmp_path: Path, data: bytes, *, truncated: bool
) -> None:
    path = tmp_path / "cmdline"
    path.write_bytes(data)
    message = Cmdline.read(path).truncated
    assert (message is not None) is truncated
    assert not truncated or "has 2047 characters, and the kernel keeps 2047" in str(message)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('a=1 b="c d" e', None),
        ('a=1 b="c d e=2', "b"),
        ('a=1 "b=c d', "b"),
        ('a=x"y z', "a"),
        ('"word', "word"),
        ('a="1" -- b="c', None),
        ("", None),
    ],
)
def test_a_quote_that_is_not_closed_is_reported_with_its_parameter(
    text: str, name: str | None
) -> None:
    cmdline = Cmdline.parse(text)
    assert cmdline.open_quote == name
    assert (cmdline.unclosed_quote is not None) is (name is not None)


def kernel_words(text: str) -> list[tuple[str, str | None]]:
    """Split as parse_args() and next_arg() of the kernel do, in their own way, on a buffer of C."""
    buffer = [*text, "\0", "\0"]
    at = skip_spaces(buffer, 0)
    words = []
    while buffer[at] != "\0":
        at, word = next_arg(buffer, at)
        if word == ("--", None):
            break
        words.append(word)
    return words


def next_arg(  # noqa: C901 - it is the kernel's
    buffer: list[str], args: int
) -> tuple[int, tuple[str, str | None]]:
    equals, in_quote, quoted = 0, False, False
    if buffer[args] == '"':
        args += 1
        in_quote = quoted = True
    i = 0
    while (char := buffer[args + i]) != "\0":
        if char in " \t\n\v\f\r" and not in_quote:
            break
        if equals == 0 and char == "=":
            equals = i
        if char == '"':
            in_quote = not in_quote
        i += 1
    value = None
    if equals:
        buffer[args + equals] = "\0"
        value = args + equals + 1
        if buffer[value] == '"':
            value += 1
            if buffer[args + i - 1] == '"':
                buffer[args + i - 1] = "\0"
    if quoted and i > 0 and buffer[args + i - 1] == '"':
        buffer[args + i - 1] = "\0"
    following = args + i
    if buffer[following] != "\0":
        buffer[following] = "\0"
        following += 1
    word = c_string(buffer, args), None if value is None else c_string(buffer, value)
    return skip_spaces(buffer, following), word


def skip_spaces(buffer: list[str], at: int) -> int:
    while buffer[at] in " \t\n\v\f\r":
        at += 1
    return at


def c_string(buffer: list[str], at: int) -> str:
    return "".join(buffer[at : buffer.index("\0", at)])
