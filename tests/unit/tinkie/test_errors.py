"""Messages and lists in events have a bound."""

from __future__ import annotations

from tinkie.errors import BootError, listed
from tinkie.policy import ERROR_MESSAGE_CHARACTERS


def test_a_message_is_cut_with_a_sign_of_it() -> None:
    text = str(BootError("x" * 5000))
    assert len(text) == ERROR_MESSAGE_CHARACTERS
    assert text.endswith("x…")


def test_a_short_list_is_whole() -> None:
    assert listed(iter(["a: b", "c: d"])) == "a: b; c: d"
    assert listed(["a", "b"], ",") == "a,b"
    assert listed([]) == ""


def test_of_a_long_list_the_first_are_shown_and_the_others_counted() -> None:
    text = listed(f"{number:04}" for number in range(10_000))
    shown, _, more = text.partition(" and ")
    assert len(shown) <= ERROR_MESSAGE_CHARACTERS < len(shown) + len("; 0000")
    assert shown.split("; ") == [f"{number:04}" for number in range(len(shown.split("; ")))]
    assert more == f"{10_000 - len(shown.split('; '))} more"


def test_a_long_part_does_not_make_a_list_longer() -> None:
    long = "x" * 5000
    assert listed([long, "a"]) == "x" * (ERROR_MESSAGE_CHARACTERS - 1) + "… and 1 more"
    assert listed(["a", long, "b"]) == "a and 2 more"
