"""state.json: each step of each NIC, since when, and why not."""

from __future__ import annotations

import pytest

from network.nics import Nic
from network.probe import NO_NAME
from network.routes import Route
from network.state import State, steps
from network.view import View
from tinkie.parameters.types import Host, HostPort

BY_NAME = HostPort(Host("tink.example"), 42113)
BY_ADDRESS = HostPort(Host("10.0.0.1"), 42113)
ROUTE = Route.parse("default via 10.0.0.1 dev eth0 metric 1002")
UP = Nic("eth0", has_link=True, addresses=("10.0.0.5/24",))


def way(nic: Nic, reason: str | None = None, host: HostPort | None = BY_NAME) -> dict[str, object]:
    reasons = {} if reason is None else {"eth0": reason}
    return {
        name: is_ok or why or is_ok
        for name, (is_ok, why) in steps(
            View([nic], [], [ROUTE], reasons=reasons), nic, host
        ).items()
    }


@pytest.mark.parametrize(
    ("nic", "reason", "found"),
    [
        (Nic("eth0"), None, ["no link", None, None, None, None]),
        (Nic("eth0", has_link=True), None, [True, "no lease", None, None, None]),
        (UP, None, [True, True, True, None, None]),
        (UP, NO_NAME, [True, True, True, NO_NAME, None]),
        (UP, "timed out", [True, True, True, True, "timed out"]),
        (UP, "", [True, True, True, True, True]),
    ],
)
def test_the_first_step_that_fails_says_why(
    nic: Nic, reason: str | None, found: list[object]
) -> None:
    assert list(way(nic, reason).values()) == found


def test_an_address_needs_no_name_and_without_a_host_nothing_is_tested() -> None:
    assert way(UP, "", BY_ADDRESS)["name"] == "no name to look up"
    assert way(UP, "", None)["host"] == "no parameter names one"


def test_a_nic_without_a_route_says_so() -> None:
    other = Nic("eth1", has_link=True, addresses=("10.0.1.5/24",))
    link = Route.parse("unicast fe80::/64 dev eth1 proto kernel metric 256 pref medium")
    for routes in ([ROUTE], [ROUTE, link]):  # the kernel adds the second one to every NIC
        assert steps(View([other], [], routes), other, BY_NAME)["route"] == (False, "no route")


def test_since_when_stays_until_the_step_changes() -> None:
    state = State(BY_ADDRESS)
    state.content(View([UP], [], [ROUTE], reasons={"eth0": "timed out"}), 10)
    now = View([UP], [], [ROUTE], "eth0", is_reached=True, reasons={"eth0": ""})
    content = state.content(now, 25.5)
    found = content["nics"]["eth0"]
    assert found["addresses"] == ["10.0.0.5/24"]
    assert found["steps"]["link"] == {"ok": True, "since": 10, "why": ""}
    assert found["steps"]["host"] == {"ok": True, "since": 25.5, "why": ""}
    assert (content["chosen"], content["reached"], content["host"]) == ("eth0", True, "10.0.0.1")


def test_a_nic_that_is_gone_is_forgotten() -> None:
    state = State(BY_ADDRESS)
    state.content(View([UP]), 10)
    assert state.content(View([]), 11)["nics"] == {}
