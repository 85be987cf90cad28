"""Half a secret at a cut is recognised, wherever the cut is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.cut import CUT, cut_line, cut_text
from tinkie.running.redaction import MASK, Redactor

SECRETS = st.text(
    st.characters(min_codepoint=33, codec="utf-8", exclude_characters="*…x"), min_size=5
)


@given(SECRETS, st.integers(0, 500), st.data())
def test_no_part_of_a_secret_is_left_at_a_cut(
    secret: str, before: int, data: st.DataObject
) -> None:
    redactor = Redactor()
    redactor.hide(secret)
    line = f"{'x' * before}{secret}{'x' * 9}".encode()
    size = before + data.draw(st.integers(0, len(secret.encode()))) + len(CUT.encode())
    characters = before + data.draw(st.integers(1, len(secret)))
    for cut in (cut_line(line, size), cut_text(line.decode(), characters)):
        assert cut.endswith(CUT)
        shown = redactor.text(f"the last line was {cut} and so on")
        left = shown.removeprefix("the last line was ").removesuffix("… and so on").lstrip("x")
        assert left == MASK or len(left) < 4


@given(st.text(), st.integers(1, 99))
def test_a_text_has_so_many_characters_at_most(text: str, characters: int) -> None:
    cut = cut_text(text, characters)
    assert len(cut) <= characters
    assert (cut == text) == (len(text) <= characters or text[characters - 1 :] == CUT)


@pytest.mark.parametrize(
    ("line", "size", "text"),
    [
        ("wörter", 9, "wörter"),
        ("wörter", 7, "wörter"),
        ("wörter", 6, "wö…"),
        ("wörter", 5, "w…"),
        ("€€", 5, "…"),
        ("€€", 4, "…"),
        ("", 0, ""),
    ],
)
def test_no_letter_is_cut_within(line: str, size: int, text: str) -> None:
    assert cut_line(line.encode(), size) == text


def test_what_is_not_utf8_is_replaced() -> None:
    assert cut_line(b"a\xffb\xc3", 4) == "a\ufffdb\ufffd"
    assert cut_line(b"a\xffb\xc3\xb6more", 7) == "a\ufffdb…"
