"""Bonds: what is missing is done, members join when they come, and what fails is taken back."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.nics import Nic
from network.parameters import NetworkPlan
from network.policy import BOND_TRIAL_SECONDS, STEP_AGAIN_CEILING_SECONDS
from tests.fakes.network import FakeNic, machine
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

if TYPE_CHECKING:
    from network.static import StaticPlan

FIRST, SECOND = "52:54:00:ab:00:01", "52:54:00:ab:00:02"
BOND = "bond=bond0:52-54-00-ab-00-01,52-54-00-ab-00-02"
ETH0 = Nic("eth0", (FIRST,), has_link=True, is_up=True, is_device=True, mtu=1500)
ETH1 = Nic("eth1", (SECOND,), has_link=True, is_up=True, is_device=True, mtu=1500)
MADE = Nic("bond0", (FIRST,), has_link=True, is_up=True, kind="bond", mtu=1500)
JOINED = (replace(ETH0, master="bond0"), replace(ETH1, macs=(FIRST, SECOND), master="bond0"), MADE)
NO_ROUTES: dict[str, Any] = {"-4": [], "-6": []}
JOIN0 = [
    "link set dev eth0 down",
    "address flush dev eth0",
    "link set dev eth0 master bond0",
]


def plan(line: str) -> StaticPlan:
    return NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line))).static


def commands(line: str, *nics: Nic) -> list[str]:
    steps = [*plan(line).first_steps(nics), *plan(line).bond_steps(nics)]
    return [" ".join(words) for step in steps for words in step.commands]


def test_a_bond_is_made_with_its_options_before_nics_join() -> None:
    line = f"{BOND}:mode=4,lacp_rate=fast"
    join1 = [word.replace("eth0", "eth1") for word in JOIN0]
    assert commands(line, ETH0, ETH1) == [f"link add name bond0 address {FIRST} type bond"]
    assert commands(line, ETH0, ETH1, replace(MADE, is_up=False)) == [
        "link set dev bond0 type bond mode 802.3ad",
        "link set dev bond0 type bond miimon 100",
        "link set dev bond0 type bond lacp_rate fast",
        "link set dev bond0 up",
        *JOIN0,
        *join1,
    ]
    assert commands(BOND, *JOINED) == []
    assert commands(BOND, MADE, ETH0) == JOIN0
    assert commands(BOND) == commands(BOND, Nic("eth7", is_device=True)) == []


def test_a_bond_that_was_left_half_made_gets_its_options() -> None:
    half = replace(MADE, is_up=False)
    assert commands("bond=bond0:eth0:mode=1", half, *JOINED[:1]) == [
        "link set dev bond0 type bond mode active-backup",
        "link set dev bond0 type bond miimon 100",
        "link set dev bond0 up",
    ]


def test_another_interface_on_top_of_a_member_does_not_join() -> None:
    vlan = Nic("vlan30", (FIRST,), kind="vlan")
    assert commands(BOND, *JOINED, vlan) == []
    made = commands("bond=bond0:vlan30", vlan, MADE)
    assert "link set dev vlan30 master bond0" in made  # unless it is named


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (BOND, FIRST),
        (f"{BOND} hw_addr={SECOND}", SECOND),
        (f"{BOND} hw_addr=52:54:00:00:00:99", FIRST),
        (f"bond=bond0:eth0,eth1 hw_addr={SECOND}", SECOND),
        ("bond=bond0:eth1,eth0", SECOND),
        ("bond=bond0:eth1,52-54-00-ab-00-01", SECOND),
        ("bond=bond0:52-54-00-ab-00-01,eth1 hw_addr=52:54:00:ab:00:02", SECOND),
        ("bond=bond0:52-54-00-ab-00-09,eth1", "52:54:00:ab:00:09"),
        (f"{BOND},52-54-00-ab-00-09 hw_addr=52:54:00:ab:00:09", "52:54:00:ab:00:09"),
    ],
)
def test_the_bonds_address_is_that_which_the_boot_server_knows(line: str, address: str) -> None:
    assert commands(line, ETH0, ETH1)[0] == f"link add name bond0 address {address} type bond"


def test_the_bonds_address_is_a_members_permanent_one() -> None:
    changed = replace(ETH0, macs=("52:54:00:ff:ff:ff", FIRST))
    assert f"address {FIRST}" in commands("bond=bond0:eth0", changed)[0]


@pytest.mark.parametrize("odd", ["00-00-00-00-00-00", "01-00-5e-00-00-01"])
def test_an_address_that_the_kernel_refuses_does_not_keep_a_bond_from_being_made(odd: str) -> None:
    line = f"bond=bond0:{odd},52-54-00-ab-00-02 hw_addr={odd}"
    assert commands(line, ETH1)[0] == f"link add name bond0 address {SECOND} type bond"


def test_a_bond_of_infiniband_has_the_kernels_address() -> None:
    mac = "80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1"
    nic = Nic("ib0", (mac,), is_device=True)
    assert commands(f"bond=bond0:{mac.replace(':', '-')}:mode=1", nic)[0] == (
        "link add name bond0 type bond"
    )


def test_the_preferred_member_is_told_before_it_joins() -> None:
    made = commands(f"{BOND}:mode=1,primary={SECOND.replace(':', '-')}", MADE, ETH0, ETH1)
    assert made[-4] == "link set dev bond0 type bond primary eth1"
    assert made[-1] == "link set dev eth1 master bond0"
    assert len([one for one in made if "primary" in one]) == 1


def test_the_kernel_has_commas_between_addresses() -> None:
    line = "bond=bond0:eth0:mode=1,arp_interval=100,arp_ip_target=10.0.0.1;10.0.0.2"
    found = commands(line, replace(MADE, is_up=False), ETH0)
    assert "link set dev bond0 type bond arp_ip_target 10.0.0.1,10.0.0.2" in found


def test_a_nic_that_is_given_twice_joins_once_and_the_bond_not_itself() -> None:
    line = f"bond=bond0:eth0,{FIRST.replace(':', '-')},bond0"
    assert commands(line, ETH0, MADE) == JOIN0


def test_a_vlan_and_an_address_are_the_bonds_if_their_nic_is_a_member() -> None:
    line = f"{BOND} ipam=52-54-00-ab-00-02::10.0.0.5:24"
    assert plan(line).address_commands((ETH0, ETH1), NO_ROUTES) == []
    assert "dev bond0 " in " ".join(plan(line).address_commands(JOINED, NO_ROUTES)[1])
    assert (
        plan(line).configuration("", JOINED)
        == "denyinterfaces eth0 eth1\ninterface bond0\nnoipv4\n"
    )
    (step,) = plan(f"{BOND} vlan_id=30 hw_addr={FIRST}").vlan_steps(JOINED)
    assert step.commands[1][:4] == ("link", "add", "link", "bond0")
    other = Nic("eth2", ("52:54:00:ab:00:03",), is_device=True)
    line = f"{BOND} ipam=52-54-00-ab-00-03::10.0.0.5:24"
    assert "eth2" in plan(line).address_commands((*JOINED, other), NO_ROUTES)[1]


def mtus(line: str, *nics: Nic) -> list[str]:
    found = plan(line).address_commands(nics, NO_ROUTES)
    return [" ".join(words[3:]) for words in found if "mtu" in words]


def test_the_mtu_of_an_address_and_of_what_is_below_it() -> None:
    ipam = "ipam=52-54-00-ab-00-01"
    assert mtus(f"{ipam}::10.0.0.5:24::::::9000", ETH0) == ["eth0 mtu 9000"]
    assert mtus(f"{ipam}::10.0.0.5:24::::::1500", ETH0) == []
    vlan = Nic("vlan30", (FIRST,), kind="vlan", mtu=1500)
    assert mtus(f"{ipam}:30:10.0.0.5:24::::::9000", ETH0, vlan) == [
        "eth0 mtu 9000",
        "vlan30 mtu 9000",
    ]
    assert mtus(f"{ipam}:30:10.0.0.5:24::::::1400", ETH0, vlan) == ["vlan30 mtu 1400"]
    assert mtus(f"{BOND}::9000", *JOINED) == ["bond0 mtu 9000"]
    assert mtus(f"{BOND}::9000", MADE) == []
    assert mtus(f"{BOND}::9000 {ipam}:30:10.0.0.5:24::::::1400", *JOINED, vlan) == [
        "bond0 mtu 9000",
        "vlan30 mtu 1400",
    ]


def test_dhcpcd_waits_for_the_bond_and_leaves_its_members_alone() -> None:
    static = plan(BOND)
    assert not static.has_all_names((ETH0, ETH1))
    assert static.has_all_names(JOINED)
    assert static.configuration("nodelay\n", JOINED) == "nodelay\ndenyinterfaces eth0 eth1\n"
    assert static.configuration("nodelay\n", (ETH0, ETH1)) == "nodelay\n"


def with_bond(folder: Path, line: str = BOND, **more: Any) -> Any:
    made = NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line)))
    box = machine(folder, 0, plan=made.static, wanted=made.wanted, members=made.members, **more)
    for at, mac in enumerate((FIRST, SECOND)):
        box.kernel.fake_nics[f"eth{at}"] = FakeNic(f"eth{at}", at, mac=mac, reaches=True)
    return box


def test_the_bond_is_used_and_its_members_are_not(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.look()
    assert box.log.events == [("link.up", {"interface": "bond0"})]
    assert box.kernel.fake_nics["eth1"].master == "bond0"
    box.kernel.fake_nics["bond0"].has_lease = box.kernel.fake_nics["bond0"].reaches = True
    box.look()
    assert box.used == box.kernel.default == "bond0"
    assert not box.log.named("bond.failed")


def test_a_member_that_comes_late_joins(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    late = box.kernel.fake_nics.pop("eth1")
    box.wait(130, box.look())
    (missing,) = box.log.named("nic.missing")
    assert (missing["nic"], missing["next"]) == (SECOND, "the bond goes on without it")
    late.has_lease = True
    box.kernel.fake_nics["eth1"] = late
    box.look()
    assert late.master == "bond0"
    assert not late.has_lease
    assert box.log.named("nic.found") == [{"nic": SECOND}]


def test_a_member_loses_the_address_that_it_got_while_it_joined(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.look()
    box.kernel.fake_nics["eth1"].has_lease = True  # dhcpcd did not know yet
    box.kernel.fake_nics["eth1"].extra.append("fd00::5/64")
    box.kernel.commands.clear()
    box.look()
    assert box.kernel.commands[0] == ("address", "flush", "dev", "eth1")
    assert box.kernel.nics()[1].addresses == ()
    assert box.kernel.fake_nics["eth1"].master == "bond0"


def test_a_nic_that_cannot_join_is_used_alone_and_the_bond_goes_on(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.kernel.refused = "eth1 master"
    box.look()
    for _ in range(3):
        box.look()
    (failed,) = box.log.named("bond.failed")
    assert failed["interface"] == "eth1"
    assert failed["next"] == "goes on without that"
    assert box.kernel.commands[-1] == ("link", "set", "dev", "eth1", "up")
    assert len([words for words in box.kernel.commands if "flush" in words]) == 2
    box.kernel.fake_nics["eth1"].has_lease = True
    box.look()
    assert box.used == "eth1"


def test_a_nic_that_can_neither_join_nor_be_set_up_again_is_reported(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.kernel.refused = "dev eth1"
    box.look()
    assert [one["interface"] for one in box.log.named("bond.failed")] == ["eth1"]


@pytest.mark.parametrize("seen", [True, False])
def test_a_member_that_comes_again_joins_at_once(tmp_path: Path, *, seen: bool) -> None:
    """`seen`: a look falls between its end and its new start."""
    box = with_bond(tmp_path)
    box.look()
    for index in (7, 8):
        box.time += 1
        del box.kernel.fake_nics["eth1"]
        if seen:
            box.look()
        box.kernel.fake_nics["eth1"] = FakeNic("eth1", 1, mac=SECOND, index=index)
        box.look()
        assert box.kernel.fake_nics["eth1"].master == "bond0"


def test_a_refused_member_by_which_the_host_is_reached_keeps_its_link(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.kernel.refused = "eth1 master"
    box.look()
    box.kernel.fake_nics["eth1"].has_lease = True
    pause = box.look()
    box.kernel.commands.clear()
    box.wait(2 * STEP_AGAIN_CEILING_SECONDS, pause)
    assert ("link", "set", "dev", "eth1", "down") not in box.kernel.commands
    assert box.kernel.fake_nics["eth1"].has_lease
    box.kernel.refused, box.kernel.fake_nics["eth1"].reaches = "", False
    box.wait(STEP_AGAIN_CEILING_SECONDS, 1)
    assert box.kernel.fake_nics["eth1"].master == "bond0"


def test_a_refused_member_without_a_way_tries_more_and_more_rarely(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.kernel.refused = "eth1 master"
    box.wait(4000, box.look())
    tries = [words for words in box.kernel.commands if words[-1] == "down" and "eth1" in words]
    assert 6 <= len(tries) <= 11


def test_a_refused_option_keeps_no_other_from_being_set(tmp_path: Path) -> None:
    box = with_bond(tmp_path, f"{BOND}:mode=1,lacp_rate=fast,min_links=1")
    box.kernel.refused = "lacp_rate"
    box.look()
    (failed,) = box.log.named("bond.failed")
    assert "lacp_rate" in failed["error"]
    assert any("min_links" in words for words in box.kernel.commands)
    assert box.kernel.fake_nics["eth0"].master == "bond0"


def test_a_name_that_another_interface_has_makes_no_bond(tmp_path: Path) -> None:
    box = with_bond(tmp_path)
    box.kernel.fake_nics["bond0"] = FakeNic("bond0", 7)
    box.kernel.refused = "link add"
    box.look()
    assert box.log.named("bond.failed")[0]["error"].startswith("ip link add name bond0")
    for nic in box.kernel.fake_nics.values():
        nic.has_lease = True
    box.look()
    assert box.used in ("eth0", "eth1")


def from_metadata(folder: Path) -> Any:
    """Return a machine whose metadata asks for the bond, in the run that makes it."""
    (folder / "bond").write_text(f"{BOND.partition('=')[2]}\n")
    box = machine(folder, 0)
    bond = box.metadata.read()
    made = NetworkPlan.from_parameters(read_parameters(Cmdline.parse("")), bond)
    box.service.plan, box.choice.wanted = made.static, made.wanted
    for at, mac in enumerate((FIRST, SECOND)):
        box.kernel.fake_nics[f"eth{at}"] = FakeNic(f"eth{at}", at, mac=mac, reaches=True)
    return box


def test_a_bond_that_the_metadata_asks_for_is_made_by_the_next_run(tmp_path: Path) -> None:
    box = machine(tmp_path)
    assert box.metadata.read() is None
    assert not box.service.is_over()
    (tmp_path / "bond").write_text("bond0:eth0,eth1:mode=802.3ad,x=1")
    assert box.service.is_over()
    assert box.log.named("bond.found") == [
        {
            "bond": "bond0:eth0,eth1:mode=802.3ad,miimon=100",
            "next": "starts again, and makes it",
        }
    ]
    box.metadata.has_parameter = True
    assert not box.service.is_over()


@pytest.mark.parametrize("text", ["", "x", "bond0:", "bond0:eth0" + "0" * 5000, "\0\xff"])
def test_a_file_that_asks_for_no_bond_is_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "bond").write_text(text)
    box = machine(tmp_path)
    assert box.metadata.read() is None
    assert not box.service.is_over()


def test_a_bond_of_the_metadata_that_reaches_the_host_stays(tmp_path: Path) -> None:
    box = from_metadata(tmp_path)
    box.look()
    box.kernel.fake_nics["bond0"].has_lease = box.kernel.fake_nics["bond0"].reaches = True
    box.look()
    assert not box.service.is_over()
    box.kernel.fake_nics["bond0"].reaches = False
    for _ in range(5):
        box.time += BOND_TRIAL_SECONDS
        box.look()
        assert not box.service.is_over()


def test_a_vlan_moves_to_the_bond_that_the_metadata_asks_for(tmp_path: Path) -> None:
    """The run before has made it on a NIC, which is a part of the bond now."""
    (tmp_path / "bond").write_text(f"{BOND.partition('=')[2]}\n")
    box = machine(tmp_path, 0)
    for at, mac in enumerate((FIRST, SECOND)):
        box.kernel.fake_nics[f"eth{at}"] = FakeNic(f"eth{at}", at, mac=mac, reaches=True)
    line = read_parameters(Cmdline.parse(f"vlan_id=30 hw_addr={FIRST}"))
    for bond, below in ((None, "eth0"), (box.metadata.read(), "bond0")):
        made = NetworkPlan.from_parameters(line, bond)
        box.service.plan, box.choice.wanted = made.static, made.wanted
        for _ in range(2):
            box.look()
        assert box.kernel.fake_nics["vlan30"].below == below
    assert box.kernel.fake_nics["eth0"].master == "bond0"
    assert len([words for words in box.kernel.commands if "delete" in words]) == 1


def test_a_bond_that_has_reached_the_host_stays_after_a_restart(tmp_path: Path) -> None:
    """The host is down when the service ends, and for long after that."""
    box = from_metadata(tmp_path)
    box.look()
    box.kernel.fake_nics["bond0"].has_lease = box.kernel.fake_nics["bond0"].reaches = True
    box.look()
    assert not box.service.is_over()
    again = from_metadata(tmp_path)
    for _ in range(3):
        again.look()
        assert not again.service.is_over()
        again.time += BOND_TRIAL_SECONDS


def test_a_bond_that_the_kernel_does_not_give_up_is_not_forgotten(tmp_path: Path) -> None:
    """Without it in the next run's plan, its NICs would be out of use for good."""
    box = from_metadata(tmp_path)
    box.look()
    box.kernel.refused = "link delete"
    assert not box.service.is_over()
    box.time += BOND_TRIAL_SECONDS
    assert box.service.is_over()
    assert box.log.named("network.failed")[0]["step"] == "take the bond back"
    assert machine(tmp_path).metadata.read() is not None


def test_a_bond_is_given_up_although_one_of_its_nics_is_gone(tmp_path: Path) -> None:
    box = from_metadata(tmp_path)
    box.look()
    box.kernel.refused = "eth0 up"
    assert not box.service.is_over()
    box.time += BOND_TRIAL_SECONDS
    assert box.service.is_over()
    assert box.kernel.fake_nics["eth1"].is_up
    assert machine(tmp_path).metadata.read() is None


def test_a_bond_of_the_metadata_that_leads_nowhere_is_taken_back(tmp_path: Path) -> None:
    box = from_metadata(tmp_path)
    box.look()
    box.kernel.fake_nics["bond0"].has_lease = True
    assert not box.service.is_over()
    box.time += BOND_TRIAL_SECONDS
    box.look()
    assert box.service.is_over()
    assert box.log.names[-1] == "bond.failed"
    assert [(nic.name, nic.master, nic.is_up) for nic in box.kernel.fake_nics.values()] == [
        ("eth0", "", True),
        ("eth1", "", True),
    ]
    after = machine(tmp_path)
    assert after.metadata.read() is None
    assert not after.service.is_over()


def test_of_a_bond_whose_nics_never_came_there_is_nothing_to_take_back(tmp_path: Path) -> None:
    box = from_metadata(tmp_path)
    box.kernel.fake_nics.clear()
    assert not box.service.is_over()
    box.time += BOND_TRIAL_SECONDS
    assert box.service.is_over()
    assert box.kernel.commands == []


def test_the_trial_ends_in_time(tmp_path: Path) -> None:
    """While no NIC reaches the host, looks are up to a minute apart."""
    box = from_metadata(tmp_path)
    pause, start = box.look(), box.time
    while not box.service.is_over():
        box.time += pause
        pause = box.look(is_woken=False)
    assert box.time - start <= BOND_TRIAL_SECONDS + 1


def test_a_bond_that_cannot_be_taken_back_is_reported(tmp_path: Path) -> None:
    box = from_metadata(tmp_path)
    box.look()
    (tmp_path / "refused").mkdir()
    assert not box.service.is_over()
    box.time += BOND_TRIAL_SECONDS
    assert box.service.is_over()
    assert box.log.named("network.failed")[0]["step"] == "take the bond back"


# == drawn events

MEMBERS = st.integers(0, 1)
EVENTS = st.one_of(
    st.tuples(st.just("plug"), MEMBERS),
    st.tuples(st.just("unplug"), MEMBERS),
    st.tuples(st.just("take out"), MEMBERS),
    st.tuples(st.just("refuse"), st.sampled_from(["", "master", "link add", "mode", "up"])),
    st.tuples(st.just("kill"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.just(0)),
    st.tuples(st.just("down"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 9, 70])),
)


class KilledError(Exception):
    """The service ends in the middle of a look."""


@given(st.lists(EVENTS, max_size=20))
def test_whatever_happens_the_bond_is_complete_in_the_end(events: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        box = with_bond(folder)
        index = 100
        for kind, value in events:
            index += 1
            cards = box.kernel.fake_nics
            nic = f"eth{value}"
            match kind:
                case "plug" if nic not in cards:
                    cards[nic] = FakeNic(nic, value, mac=(FIRST, SECOND)[value], index=index)
                case "unplug":
                    cards.pop(nic, None)
                case "take out" if nic in cards:
                    cards[nic].master = ""
                case "refuse":
                    box.kernel.refused = value
                case "delete" if "bond0" in cards:
                    box.kernel._link(("link", "delete", "dev", "bond0"))
                case "down" if "bond0" in cards:
                    cards["bond0"].is_up = False
                case "wait":
                    box.wait(value, 1)
                case "kill":
                    box = killed(box, folder, value)
            box.look()
        box.kernel.refused = ""
        before = len(box.kernel.commands)
        box.wait(2 * STEP_AGAIN_CEILING_SECONDS, 1)
        found = [card for card in box.kernel.fake_nics.values() if card.name != "bond0"]
        assert all((card.master, card.is_up) == ("bond0", True) for card in found)
        assert not found or box.kernel.fake_nics["bond0"].is_up
        assert len(box.kernel.commands) - before < 30


def killed(box: Any, folder: Path, after: int) -> Any:
    """Return the next run, after the service was killed behind so many commands."""
    kernel, real = box.kernel, box.kernel.ip
    left = iter(range(after))

    def ip(*words: str) -> str:
        if next(left, None) is None:
            raise KilledError
        return str(real(*words))

    kernel.ip = ip
    with suppress(KilledError):
        box.look()
    kernel.ip = real
    again = with_bond(folder)
    again.kernel.fake_nics, again.kernel.refused = kernel.fake_nics, kernel.refused
    again.time = box.time
    return again
