"""The parameter `bond`: what is understood of it, and what is reported."""

from __future__ import annotations

import re

import pytest

from network.nics import Nic
from tinkie.parameters.bond import Bond, mode_of
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import BOND, read_parameters
from tinkie.parameters.types import BadElements

NICS = ("eth0", "52:54:00:ab:00:02")
TEXT = "bond0:eth0,52-54-00-AB-00-02"


def test_without_options_it_is_lacp() -> None:
    bond = Bond.parse(TEXT)
    assert (bond.name, bond.members, bond.mtu) == ("bond0", NICS, 0)
    assert bond.options == (("mode", "802.3ad"), ("miimon", "100"))
    assert str(bond) == "bond0:eth0,52-54-00-ab-00-02:mode=802.3ad,miimon=100"


@pytest.mark.parametrize(
    ("options", "understood"),
    [
        ("mode=1", "mode=active-backup,miimon=100"),
        ("lacp_rate=1,miimon=50,mode=802.3ad", "mode=802.3ad,miimon=50,lacp_rate=fast"),
        (
            "mode=active-backup,arp_interval=200,arp_ip_target=10.0.0.1;10.0.0.2",
            "mode=active-backup,arp_interval=200,arp_ip_target=10.0.0.1;10.0.0.2",
        ),
        ("mode=1,primary=eth0", "mode=active-backup,miimon=100,primary=eth0"),
        (
            "primary=525400ab0002,mode=1",
            "mode=active-backup,miimon=100,primary=52-54-00-ab-00-02",
        ),
        ("ad_select=2,mode=4", "mode=802.3ad,miimon=100,ad_select=count"),
    ],
)
def test_options_are_those_of_the_kernel_in_its_order(options: str, understood: str) -> None:
    bond = Bond.parse(f"{TEXT}:{options}:9000")
    assert str(bond) == f"{TEXT.lower()}:{understood}:9000"
    assert Bond.parse(str(bond)) == bond


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bond0", "it has no NICs"),
        ("bond0:,", "it has no NICs"),
        ("bond0:" + ",".join(f"eth{at}" for at in range(17)), "or more than 16"),
        (":eth0", "not a name of a network interface"),
        ("bond0:eth0,../x", "one of its NICs"),
        ("bond0:eth0:mode=1:1500:x", "more than 4 parts"),
        ("bond0:52:54:00:ab:00:01", "more than 4 parts with colons in between (a MAC has hyphens)"),
        ("vlan30:eth0", "interfaces of another kind"),
        ("all:eth0", "interfaces of another kind"),
        ("default:eth0", "interfaces of another kind"),
    ],
)
def test_what_no_bond_can_be_made_of(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        Bond.parse(text)
    assert not isinstance(caught.value, BadElements)


@pytest.mark.parametrize("name", ["lo", "docker0", "br-1f", "veth12ab"])
def test_its_name_is_none_that_the_network_service_leaves_alone(name: str) -> None:
    assert not Nic(name).is_managed
    with pytest.raises(ValueError, match="interfaces of another kind"):
        Bond.parse(f"{name}:eth0")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (":mode=7", "mode: not one of balance-rr, "),
        (":mode=1,password=x", "option 2: no such option"),
        (":miimon=-1", "miimon: not a number from 0 to "),
        (":lp_interval=0", "lp_interval: not a number from 1 to "),
        (":arp_ip_target=10.0.0.1;x", "arp_ip_target: not IPv4 addresses"),
        (":primary=eth7", "primary: not one of its NICs"),
        ("::90", "MTU: not an MTU from 576"),
    ],
)
def test_the_bond_is_made_without_a_bad_option(more: str, reason: str) -> None:
    parameters = read_parameters(Cmdline.parse(f"bond={TEXT}{more}"))
    assert parameters.problems["bond"].startswith(reason)
    assert parameters.problems["bond"].endswith("; the bond is made without that")
    bond = parameters[BOND]
    assert bond is not None
    assert (bond.name, bond.members, bond.mtu) == ("bond0", NICS, 0)
    assert not bond.option("primary")


def test_a_mode_of_the_metadata_is_a_number() -> None:
    assert (mode_of(4), mode_of(1)) == ("802.3ad", "active-backup")
    with pytest.raises(ValueError, match="not one of"):
        mode_of(7)
