"""The whole service on a fake kernel: one look after another, and drawn sequences of events."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from network.lookups import Resolver
from network.policy import (
    CHANGE_AGAIN_CEILING_SECONDS,
    CONNECT_SECONDS,
    PREFERRED_TEST_CEILING_SECONDS,
    REACHED_LOOK_CEILING_SECONDS,
    READ_ANEW_SECONDS,
    SAME_ERROR_SECONDS,
    STEP_AGAIN_FIRST_SECONDS,
    UNREACHED_LOOK_CEILING_SECONDS,
)
from network.static import StaticPlan
from tests.fakes.network import HOST, FakeNic, machine
from tinkie.parameters.ipam import StaticAddress

MAC = "52:54:00:ab:00:01"


def good(number: int, **more: Any) -> FakeNic:
    return FakeNic(f"eth{number}", number, has_lease=True, reaches=True, **more)


def test_a_lease_and_the_host_are_reported_and_written(tmp_path: Path) -> None:
    box = machine(tmp_path)
    box.kernel.fake_nics["eth1"] = good(1)
    pause = box.look()
    assert 8 <= pause <= 12
    assert box.log.events == [
        ("link.up", {"interface": "eth0"}),
        ("link.up", {"interface": "eth1"}),
        (
            "address.bound",
            {
                "interface": "eth1",
                "address": "10.0.1.5",
                "router": "10.0.1.1",
                "server": "10.9.9.9",
            },
        ),
        ("host.reached", {"host": str(HOST.host), "interface": "eth1"}),
    ]
    assert box.kernel.default == "eth1"
    assert (tmp_path / "resolv").read_text() == "nameserver 10.0.1.53\n"
    assert (tmp_path / "run/chosen").read_text() == "eth1\n"
    state = json.loads((tmp_path / "run/state.json").read_text())
    assert (state["chosen"], state["reached"]) == ("eth1", True)
    assert state["nics"]["eth0"]["steps"]["lease"] == {
        "ok": False,
        "since": 100.0,
        "why": "no lease",
    }


def test_a_quiet_look_reads_nothing(tmp_path: Path) -> None:
    box = machine(tmp_path)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.kernel.is_broken = True
    box.time += 10
    box.look(is_woken=False)
    assert not box.log.named("network.failed")
    assert box.probe.tests == [["eth0"], ["eth0"]]
    box.time += READ_ANEW_SECONDS
    box.look(is_woken=False)
    assert box.log.named("network.failed")


def test_what_failed_is_tried_again_without_an_event(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    (tmp_path / "name").mkdir()
    box.kernel.fake_nics["eth0"].hostname = "name.example"
    pause = box.look()
    (tmp_path / "name").rmdir()
    pause = box.wait(CHANGE_AGAIN_CEILING_SECONDS + REACHED_LOOK_CEILING_SECONDS, pause)
    assert (tmp_path / "name").read_text() == "name.example\n"
    box.kernel.is_broken = True
    pause = box.look()
    box.kernel.is_broken = False
    box.kernel.fake_nics["eth1"] = good(1)
    box.wait(CHANGE_AGAIN_CEILING_SECONDS + REACHED_LOOK_CEILING_SECONDS, pause)
    assert [nic.name for nic in box.service.view.nics] == ["eth0", "eth1"]


def test_an_event_of_another_nic_changes_nothing(tmp_path: Path) -> None:
    box = machine(tmp_path, wanted=["eth0"])
    box.kernel.fake_nics["eth1"] = good(1)
    box.look()
    box.kernel.commands.clear()
    before = (tmp_path / "resolv").read_text()
    box.kernel.fake_nics["eth0"].has_lease = True  # it leads nowhere
    for _ in range(5):
        box.look()
        box.time += 1
    assert box.kernel.commands == []
    assert (tmp_path / "resolv").read_text() == before
    assert box.used == box.kernel.default == "eth1"


def test_a_preferred_nic_that_reaches_the_host_takes_over(tmp_path: Path) -> None:
    box = machine(tmp_path, wanted=["eth0"])
    box.kernel.fake_nics["eth1"] = good(1)
    box.look()
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    assert box.kernel.default == "eth0"
    (changed,) = box.log.named("route.changed")
    assert changed == {"interface": "eth0", "before": "eth1", "host": str(HOST.host)}


def test_an_address_is_reported_and_names_can_be_looked_up_before_nics_are_tested(
    tmp_path: Path,
) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"].has_lease = True
    seen: list[str] = []

    def test(nics: Any, **more: Any) -> Any:
        seen.extend([*box.log.names, (tmp_path / "resolv").read_text()])
        return box.probe(nics, **more)

    setattr(test, "address", "")  # noqa: B010 - as a Tester has
    choice: Any = box.choice
    choice.test = test
    box.look()
    assert seen == ["link.up", "address.bound", "nameserver 10.0.0.53\n"]


def test_a_lost_lease_is_reported_with_dhcpcds_reason(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.kernel.fake_nics["eth0"].has_lease = False
    box.event("eth0", "EXPIRE")
    box.look()
    (lost,) = box.log.named("address.lost")
    assert lost == {
        "interface": "eth0",
        "address": "10.0.0.5",
        "reason": "EXPIRE",
        "next": "asks again",
    }
    assert box.kernel.default == ""
    assert (tmp_path / "resolv").read_text() == ""


def test_the_reason_of_a_nic_that_is_gone_is_not_that_of_the_next_one(tmp_path: Path) -> None:
    box = machine(tmp_path, 0)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.event("eth0", "EXPIRE")
    box.kernel.fake_nics.clear()
    box.look()
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.kernel.fake_nics["eth0"].has_lease = False
    box.look()
    (lost,) = box.log.named("address.lost")
    assert "reason" not in lost


def test_an_interface_that_is_no_device_is_used_from_its_first_lease_on(tmp_path: Path) -> None:
    box = machine(tmp_path, 0)
    nic = box.kernel.fake_nics["tap0"] = FakeNic("tap0", 0, is_device=False, reaches=True)
    box.look()
    assert box.log.events == []
    nic.has_lease = True
    box.look()
    nic.has_lease = False
    box.event("tap0", "NAK")
    box.look()
    assert box.log.names == ["link.up", "address.bound", "host.reached", "address.lost"]
    del box.kernel.fake_nics["tap0"]
    box.look()
    assert box.log.names[-1] == "link.down"


def test_interfaces_of_the_engine_are_never_used(tmp_path: Path) -> None:
    box = machine(tmp_path, 0)
    box.kernel.fake_nics["docker0"] = FakeNic("docker0", 0, has_lease=True, reaches=True)
    box.look()
    assert (box.used, box.log.events) == ("", [])


def test_a_lost_link_is_reported_and_its_lease_is_not(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.kernel.fake_nics["eth0"] = FakeNic("eth0", 0, has_link=False)
    box.kernel.drop_stale()
    box.look()
    assert box.log.names[-1] == "link.down"
    assert not box.log.named("address.lost")


def test_the_host_is_unreachable_after_ten_seconds_and_then_more_rarely(tmp_path: Path) -> None:
    box = machine(tmp_path, 3)
    box.kernel.fake_nics["eth0"].has_lease = True
    box.kernel.fake_nics["eth2"].has_link = False
    box.wait(300, box.look())
    found = box.log.named("host.unreachable")
    assert [one["error"] for one in found][:1] == ["eth0: timed out, eth1: no lease, eth2: no link"]
    seconds: list[Any] = [one["seconds"] for one in found]
    assert len(seconds) == 3
    assert seconds == sorted(seconds)
    box.kernel.fake_nics["eth0"].reaches = True
    box.wait(60, 0)
    assert box.log.names[-1] == "host.reached"


def test_each_loss_of_the_host_is_reported_like_the_first(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"] = good(0)
    pause = box.look()
    for _ in range(2):
        box.log.events.clear()
        box.kernel.fake_nics["eth0"].reaches = False
        pause = box.wait(40, pause)
        seconds: list[Any] = [one["seconds"] for one in box.log.named("host.unreachable")]
        assert 10 <= seconds[0] < 20
        box.kernel.fake_nics["eth0"].reaches = True
        pause = box.wait(90, pause)
        assert box.log.names[-1] == "host.reached"


def test_a_new_address_is_reported(tmp_path: Path) -> None:
    box = machine(tmp_path, 0)
    for number in (0, 0, 7):
        box.kernel.fake_nics["eth0"] = FakeNic("eth0", number, has_lease=True, reaches=True)
        box.look()
    found = [one["address"] for one in box.log.named("address.bound")]
    assert found == ["10.0.0.5", "10.0.7.5"]


def test_a_machine_without_a_nic_says_so(tmp_path: Path) -> None:
    box = machine(tmp_path, 0)
    box.wait(30, box.look())
    assert box.log.named("host.unreachable")[0]["error"] == "the machine has no NIC"


def test_without_a_host_an_address_is_enough(tmp_path: Path) -> None:
    box = machine(tmp_path, 1, host=None)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    assert box.log.names == ["link.up", "address.bound"]
    state = json.loads((tmp_path / "run/state.json").read_text())
    assert (state["reached"], state["host"]) == (None, None)


def test_a_named_nic_that_is_missing_is_reported_once_and_when_it_comes(tmp_path: Path) -> None:
    box = machine(tmp_path, 1, wanted=[MAC])
    box.kernel.fake_nics["eth0"] = good(0)
    pause = box.wait(59, box.look())
    assert not box.log.named("nic.missing")
    box.wait(100, pause)
    (missing,) = box.log.named("nic.missing")
    assert missing == {
        "nic": MAC,
        "error": "the machine has no such NIC",
        "next": "uses any that reaches the host",
    }
    box.kernel.fake_nics["eth1"] = good(1, mac=MAC)
    box.look()
    box.look()
    assert box.log.named("nic.found") == [{"nic": MAC}]
    assert box.used == "eth1"


def test_a_failed_route_is_reported_once_and_the_others_are_set(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.refused = "10.0.0.0/24"
    box.kernel.fake_nics["eth0"] = good(0)
    for _ in range(5):
        box.look()
    (failed,) = box.log.named("network.failed")
    assert failed["step"] == "change routes"
    assert box.kernel.default == "eth0"
    assert len(box.kernel.commands) == 3  # what has no effect is not repeated at each event
    box.time += SAME_ERROR_SECONDS
    box.look()
    assert len(box.log.named("network.failed")) == 2


def test_a_failure_that_had_healed_is_reported_again(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    for error in ("no answer", "", "no answer"):
        box.messages_error = error
        box.look()
    assert len(box.log.named("network.failed")) == 2


def test_a_dhcpcd_that_is_not_there_yet_is_not_asked(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.messages_error = "no answer"
    box.service.look(is_woken=True, is_dhcpcd_there=False)
    assert not box.log.named("network.failed")


def test_routes_that_a_lost_link_has_refused_are_soon_set(tmp_path: Path) -> None:
    """The link came back before the next look, which would do the very same."""
    box = machine(tmp_path, 2)
    box.kernel.fake_nics["eth0"].has_lease = True  # its routes have the lower metric
    box.kernel.fake_nics["eth1"] = good(1)
    box.kernel.refused = "route replace"
    box.look()
    box.kernel.refused = ""
    pause = box.look()
    assert box.kernel.default == "eth0"
    box.wait(REACHED_LOOK_CEILING_SECONDS, pause)
    assert box.kernel.default == "eth1"


def test_leases_are_kept_while_dhcpcd_does_not_answer(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    box.messages_error = "no answer"
    box.look()
    assert box.log.named("network.failed")[0]["step"] == "read the leases"
    assert (tmp_path / "resolv").read_text() == "nameserver 10.0.0.53\n"
    assert not box.log.named("address.lost")


def test_a_routers_name_servers_are_kept_while_dhcpcd_does_not_answer(tmp_path: Path) -> None:
    """Where DHCPv6 gives the address, the router's lease has none."""
    box = machine(tmp_path, 1)
    words = ("protocol=ra", "interface=eth0", "if_up=true", "nd1_rdnss1_servers=fd00::53")
    message = "".join(f"{word}\0" for word in words).encode()
    box.kernel.fake_nics["eth0"] = good(0)
    box.service.messages = lambda: [message]
    box.look()
    box.messages_error, box.service.messages = "no answer", box._messages
    box.look()
    assert (tmp_path / "resolv").read_text() == "nameserver fd00::53\n"
    box.messages_error = ""
    box.look()
    assert (tmp_path / "resolv").read_text() == "nameserver 10.0.0.53\n"


def test_the_next_run_keeps_name_servers_until_dhcpcd_has_its_leases_again(tmp_path: Path) -> None:
    box = machine(tmp_path, 2)
    box.kernel.fake_nics["eth1"] = good(1)
    box.look()
    again = machine(tmp_path, 2)
    again.kernel.fake_nics, again.kernel.ours = box.kernel.fake_nics, box.kernel.ours
    again.service.look(is_woken=True, is_dhcpcd_there=False)
    assert (tmp_path / "resolv").read_text() == "nameserver 10.0.1.53\n"
    assert again.log.names == ["link.up", "link.up", "address.bound", "host.reached"]
    again.kernel.fake_nics["eth1"].has_lease = False
    again.look()
    assert again.log.names[-1] == "address.lost"
    assert (tmp_path / "resolv").read_text() == ""


def test_a_file_that_cannot_be_written_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    (tmp_path / "resolv").mkdir()
    box.kernel.fake_nics["eth0"] = good(0)
    box.look()
    assert box.log.named("network.failed")[0]["step"] == "write files"
    assert (tmp_path / "run/chosen").read_text() == "eth0\n"
    assert box.log.names[-1] == "host.reached"


def test_a_file_that_can_never_be_written_is_reported_once(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    (tmp_path / "name").mkdir()
    box.look()
    box.kernel.fake_nics["eth0"] = good(0, hostname="name")
    for _ in range(5):
        box.look()
    assert len(box.log.named("network.failed")) == 1


def static(text: str, mac: str = MAC) -> StaticPlan:
    given = StaticAddress.parse(f"{mac.replace(':', '-')}:{text}")
    return StaticPlan(given.mac, given.vlan, given)


def test_the_nic_of_an_address_is_reported_missing_sooner(tmp_path: Path) -> None:
    box = machine(tmp_path, 0, plan=static(":10.7.7.5:24"), wanted=[MAC])
    box.wait(40, box.look())
    (missing,) = box.log.named("nic.missing")
    assert missing["next"] == "DHCP on the others, and waits for it"


def test_an_address_of_the_command_line_is_set_and_reported(tmp_path: Path) -> None:
    plan = static(":10.7.7.5:24:10.8.8.1:name.example:10.7.7.53")
    box = machine(tmp_path, 0, plan=plan, wanted=[MAC])
    box.look()
    box.kernel.fake_nics["eth0"] = FakeNic("eth0", 0, mac=MAC, reaches=True)
    box.look()
    box.look()
    assert box.log.named("address.bound") == [
        {"interface": "eth0", "address": "10.7.7.5", "router": "10.8.8.1"}
    ]
    assert (tmp_path / "name").read_text() == "name.example\n"
    assert box.kernel.default == "eth0"
    made = [words for words in box.kernel.commands if "replace" in words and "84" not in words]
    assert len(made) == 2


def test_an_address_of_the_command_line_is_used_at_the_look_that_sets_it(tmp_path: Path) -> None:
    box = machine(tmp_path, 0, plan=static(":10.7.7.5:24"), wanted=[MAC])
    box.kernel.fake_nics["eth0"] = FakeNic("eth0", 0, mac=MAC, reaches=True)
    box.look()
    assert box.log.names == ["link.up", "address.bound", "host.reached"]


def test_name_servers_and_domains_of_the_command_line_come_first(tmp_path: Path) -> None:
    plan = static(":[fd07::5]:64:::[fd07::53]:six.example")
    box = machine(tmp_path, 0, plan=plan, wanted=[MAC])
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.look()
    text = "search six.example\nnameserver fd07::53\nnameserver 10.0.0.53\n"
    assert (tmp_path / "resolv").read_text() == text


def test_a_nic_looks_up_names_with_what_its_own_leases_gave(tmp_path: Path) -> None:
    plan = static(":[fd07::5]:64:::[fd07::53]:six.example")
    box = machine(tmp_path, 2, plan=plan, wanted=[MAC])
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.kernel.fake_nics["eth1"] = good(1)
    box.look()
    assert box.probe.resolvers == {
        "eth0": Resolver(("fd07::53", "10.0.0.53"), ("six.example",), frozenset((4, 6))),
        "eth1": Resolver(("10.0.1.53",), (), frozenset((4,))),
    }


def test_an_address_that_cannot_be_set_is_reported(tmp_path: Path) -> None:
    box = machine(tmp_path, 0, plan=static(":10.7.7.5:24"), wanted=[MAC])
    box.kernel.fake_nics["eth0"] = FakeNic("eth0", 0, mac=MAC)
    box.kernel.refused = "address replace"
    box.look()
    assert box.log.named("network.failed")[0]["step"] == "set addresses"
    assert not box.log.named("address.bound")


def test_what_has_no_effect_is_not_repeated_at_each_event(tmp_path: Path) -> None:
    """An address of the link alone does not count as one by which others reach the machine."""
    box = machine(tmp_path, 0, plan=static(":[fe80::5]:64"), wanted=[MAC])
    nic = box.kernel.fake_nics["eth0"] = FakeNic("eth0", 0, mac=MAC)
    for _ in range(5):
        box.look()
        nic.extra.clear()
    assert len(box.kernel.commands) == 2
    box.time += READ_ANEW_SECONDS
    box.look()
    assert len(box.kernel.commands) == 4


def test_a_vlan_is_made_and_preferred(tmp_path: Path) -> None:
    plan = StaticPlan(MAC, 30)
    box = machine(tmp_path, 0, plan=plan, wanted=["vlan30", MAC])
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.look()
    vlan = box.kernel.fake_nics["vlan30"]
    vlan.has_lease = vlan.reaches = True
    box.look()
    assert box.used == "vlan30"


def test_a_vlan_whose_nic_goes_and_comes_again_is_made_again(tmp_path: Path) -> None:
    box = machine(tmp_path, 0, plan=StaticPlan(MAC, 30), wanted=["vlan30", MAC])
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.look()
    box.kernel.fake_nics.clear()  # a VLAN goes with its NIC
    box.look()
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.look()
    assert "vlan30" in box.kernel.fake_nics


def test_a_vlan_that_cannot_be_made_is_reported_once(tmp_path: Path) -> None:
    box = machine(tmp_path, 0, plan=StaticPlan(MAC, 30), wanted=["vlan30", MAC])
    box.kernel.fake_nics["eth0"] = good(0, mac=MAC)
    box.kernel.refused = "link add"
    for _ in range(3):
        pause = box.look()
        box.time += STEP_AGAIN_FIRST_SECONDS
    (failed,) = box.log.named("vlan.failed")
    assert failed["interface"] == "vlan30"
    assert box.used == "eth0"
    box.kernel.refused = ""
    box.wait(4 * STEP_AGAIN_FIRST_SECONDS, pause)  # no event
    assert "vlan30" in box.kernel.fake_nics


def test_waits_without_the_host_grow_and_an_event_makes_them_short(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    waits = [box.look(is_woken=False) for _ in range(8)]
    assert waits == sorted(waits)
    assert waits[-1] <= UNREACHED_LOOK_CEILING_SECONDS
    assert box.look() <= 2
    box.kernel.fake_nics["eth0"] = good(0)
    for _ in range(8):
        box.look(is_woken=False)
    box.wait(READ_ANEW_SECONDS, 1)
    box.kernel.fake_nics["eth0"].reaches = False
    assert box.look(is_woken=False) <= 2


def test_machines_do_not_look_together(tmp_path: Path) -> None:
    box = machine(tmp_path, 1)
    unreached, reached = [], []
    for box.chance in (0.0, 0.999):
        box.kernel.fake_nics["eth0"].has_lease = False
        unreached.append(box.look())
        box.kernel.fake_nics["eth0"] = good(0)
        reached.append(box.look())
    assert unreached == pytest.approx([2, 1.5], abs=0.1)
    assert reached == pytest.approx([8, 12], abs=0.1)


# == drawn events

NUMBERS = st.integers(0, 2)
EVENTS = st.one_of(
    st.tuples(st.just("link"), NUMBERS, st.booleans()),
    st.tuples(st.just("lease"), NUMBERS, st.booleans()),
    st.tuples(st.just("reaches"), NUMBERS, st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 9, 70, 700])),
)
# The longest wait without an event, and the tests of all NICs.
BOUND = UNREACHED_LOOK_CEILING_SECONDS + REACHED_LOOK_CEILING_SECONDS + 2 * CONNECT_SECONDS
PREFERRED_BOUND = BOUND + PREFERRED_TEST_CEILING_SECONDS + REACHED_LOOK_CEILING_SECONDS


@given(
    st.lists(EVENTS, max_size=25),
    st.lists(st.sampled_from(["eth0", "eth1", "eth2", "eth9"]), max_size=2, unique=True),
)
@example([("lease", 0, True), ("lease", 1, True), ("reaches", 1, True)], ["eth0"])
def test_no_sequence_of_events_leaves_a_usable_nic_unused(
    events: list[tuple[Any, ...]], wanted: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = machine(Path(folder), 3, wanted=wanted)
        pause = box.look()
        for event in events:
            pause = happens(box, event, pause)
            check_routes(box)
        usable = [nic for nic in box.fake_nics if nic.is_usable and nic.reaches]
        box.wait(BOUND, pause)
        check_routes(box)
        if usable:
            assert box.used in {nic.name for nic in usable}
        box.wait(PREFERRED_BOUND, 1)
        best = [name for name in wanted if name in {nic.name for nic in usable}]
        if best:
            assert box.used == best[0]


def happens(box: Any, event: tuple[Any, ...], pause: float) -> float:
    match event:
        case ("wait", seconds):
            return float(box.wait(seconds, pause))
        case ("reaches", number, value):  # behind the switch: nobody hears of it
            box.fake_nics[number].reaches = value
            return pause
        case (kind, number, value):
            nic = box.fake_nics[number]
            if kind == "link":
                nic.has_link = value
                nic.has_lease = nic.has_lease and value
                box.kernel.drop_stale()
            else:
                nic.has_lease = value and nic.has_link
    return float(box.look())


def check_routes(box: Any) -> None:
    """The kernel sends by the chosen NIC, and the name servers are its own."""
    chosen = box.kernel.fake_nics.get(box.used)
    if chosen and chosen.is_usable:
        assert box.kernel.default == box.used
        if box.choice.is_reached:
            assert box.files.resolver.read_text() == f"nameserver 10.0.{chosen.number}.53\n"


@given(
    st.lists(st.tuples(st.sampled_from([0, 2]), st.booleans()), max_size=15),
    st.sampled_from([["eth0"], ["eth0", "eth2"], []]),
)
def test_while_the_host_is_reached_no_other_nic_is_ever_used(
    events: list[tuple[int, bool]], wanted: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = machine(Path(folder), 3, wanted=wanted)
        box.fake_nics[1].has_lease = box.fake_nics[1].reaches = True
        pause = box.look()
        box.kernel.commands.clear()
        for number, value in events:
            pause = happens(box, ("lease", number, value), pause)
            pause = box.wait(9, pause)
            assert (box.used, box.kernel.default) == ("eth1", "eth1")
        assert box.kernel.commands == []


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_in_any_order_the_nic_that_reaches_the_host_is_used(
    tmp_path: Path, order: list[int]
) -> None:
    box = machine(tmp_path, 3)
    box.fake_nics[1].reaches = True
    for number in order:
        box.fake_nics[number].has_lease = True
        box.look()
    assert box.used == box.kernel.default == "eth1"
