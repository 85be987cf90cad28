"""Which NIC is chosen: each rule of docs/operations.md, "Network cards"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from network.choice import Choice, Reasons
from network.nics import Nic

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Answers:
    """Say that these NICs reach the host; remember who was tested."""

    good: set[str]
    address: str = "198.51.100.1"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    any_will_do: list[bool] = field(default_factory=list)

    def __call__(self, nics: Sequence[Nic], *, any_will_do: bool = False) -> Reasons:
        self.any_will_do.append(any_will_do)
        self.calls.append(tuple(nic.name for nic in nics))
        return {nic.name: "" if nic.name in self.good else "timed out" for nic in nics}


def nic(name: str, number: int = 0, *, address: str = "") -> Nic:
    return Nic(name, has_link=True, addresses=(address or f"10.0.{number}.5/24",))


A, B, C = nic("a", 1), nic("b", 2), nic("c", 3)


def made(*good: str, wanted: Sequence[str] = (), chosen: str = "") -> tuple[Choice, Answers]:
    tests = Answers(set(good))
    return Choice(wanted, tests, chosen=chosen), tests


def test_the_first_that_reaches_the_host_is_chosen() -> None:
    choice, _ = made("b", "c")
    assert choice.look([A, B, C], 0) == "b"
    assert choice.is_reached
    assert choice.reasons == {"a": "timed out", "b": "", "c": ""}


def test_the_chosen_one_stays_and_no_other_is_tested() -> None:
    choice, tests = made("a", "b")
    assert choice.look([B], 0) == "b"
    assert choice.look([A, B], 1) == "b"
    assert tests.calls == [("b",), ("b",)]
    assert choice.still_reaches([A, B], 2)


def test_another_one_takes_over_when_the_chosen_one_fails() -> None:
    choice, tests = made("a", "b")
    choice.look([A, B], 0)
    tests.good = {"b"}
    tests.calls.clear()
    assert not choice.still_reaches([A, B], 1)
    assert choice.look([A, B], 1) == "b"
    assert tests.any_will_do == [True, False, True]
    assert tests.calls == [("a",), ("b",)]  # what has just failed is not tested again


def test_a_chosen_one_without_its_link_is_left() -> None:
    choice, _ = made("a", "b")
    choice.look([A], 0)
    assert choice.look([Nic("a", addresses=A.addresses), B], 1) == "b"


def test_a_preferred_one_that_comes_is_used_only_if_it_reaches_the_host() -> None:
    choice, tests = made("a", wanted=["b"])
    choice.look([A], 0)
    assert choice.look([A, B], 1) == "a"
    tests.good.add("b")
    assert choice.look([A, B], 2) == "a"  # it was tested a second ago
    assert choice.still_reaches([A, B], 3)
    assert not choice.still_reaches([A, B], 12)
    assert choice.look([A, B], 12) == "b"


def test_a_preferred_one_with_a_new_address_is_tested_at_once() -> None:
    choice, tests = made("a", wanted=["b"])
    choice.look([A, B], 0)
    choice.look([A, B], 1)
    tests.good.add("b")
    assert choice.look([A, nic("b", 4)], 2) == "b"


def test_tests_of_a_preferred_one_with_a_new_address_are_frequent_again() -> None:
    choice, tests = made("a", wanted=["b"])
    for now in range(600):
        choice.look([A, B], now)
    tests.calls.clear()
    times = []
    for now in range(601, 650):
        before = len(tests.calls)
        choice.look([A, nic("b", 4)], now)
        times += [now] if ("b",) in tests.calls[before:] else []
    assert times == [601, 611, 631]


def test_tests_of_a_dead_preferred_one_become_rare() -> None:
    choice, tests = made("a", wanted=["b"])
    for now in range(600):
        choice.look([A, B], now)
    assert 10 <= sum(call == ("b",) for call in tests.calls) <= 15


def test_of_two_preferred_ones_the_first_that_reaches_wins() -> None:
    choice, tests = made("a", "b", "c", wanted=["c", "b"])
    assert choice.look([A, B, C], 0) == "c"
    tests.good = {"a", "b"}
    assert choice.look([A, B, C], 1) == "b"
    tests.good = {"a", "b", "c"}
    assert choice.look([A, B, C], 61) == "c"


def test_a_nic_in_the_hosts_network_is_preferred_to_others_but_not_to_named_ones() -> None:
    near = nic("near", address="198.51.100.7/24")
    choice, tests = made("a", "near")
    choice.look([A], 0)
    assert choice.look([A, near], 1) == "near"
    named = Choice(["a"], tests)
    assert named.look([near, A], 0) == "a"


def test_where_none_reaches_the_host_the_first_is_kept() -> None:
    choice, _ = made(wanted=["b"])
    assert choice.look([A], 0) == "a"
    assert choice.look([A, B], 1) == "b"
    assert not choice.is_reached


def test_that_the_chosen_one_begins_to_reach_the_host_needs_a_look() -> None:
    choice, tests = made(wanted=["a"])
    choice.look([A], 0)
    tests.good = {"a"}
    assert not choice.still_reaches([A], 1)
    choice.look([A], 1)
    assert choice.is_reached


def test_one_that_did_reach_the_host_is_kept_while_none_does() -> None:
    choice, tests = made("b")
    choice.look([A, B], 0)
    tests.good = set()
    assert choice.look([A, B], 1) == "b"
    assert choice.look([A], 2) == "a"
    assert choice.look([A, B], 3) == "a"


def test_one_that_did_reach_the_host_is_kept_before_a_preferred_one() -> None:
    choice, tests = made("b", wanted=["c"])
    choice.look([B, C], 0)
    tests.good = set()
    assert choice.look([B, C], 1) == choice.look([B, C], 2) == "b"
    assert choice.look([A], 3) == "a"
    assert choice.look([A, C], 4) == "c"  # neither has reached the host


def test_the_one_of_the_last_run_is_tried_before_others() -> None:
    choice, tests = made("b", "c", chosen="c")
    assert choice.look([A, B, C], 0) == "c"
    assert tests.calls == [("c", "a", "b")]
    assert choice.look([A, B, C], 1) == "c"
    tests.good = set()
    assert choice.look([A, B, C], 2) == "c"


def test_without_an_address_there_is_none() -> None:
    choice, tests = made("a")
    assert choice.look([Nic("a", has_link=True)], 0) == ""
    assert tests.calls == []
    assert choice.look([A], 1) == "a"
    assert choice.look([], 2) == ""


def test_what_is_known_of_a_nic_ends_with_its_address() -> None:
    choice, _ = made("a")
    choice.look([A, B], 0)
    choice.look([B], 1)
    assert choice.reasons == {"b": "timed out"}
