"""Each service has the rights that linuxkit.yml gives it, and SECURITY.md names, and no others."""

import pytest

from tests.boot.rights import ADMIN, NET, OWN, SERVICES, SYSCTLS, TARGETS
from tests.boot.stressed_machine import Seen as Stressed
from tests.fakes.script_root import LINUXKIT

pytestmark = pytest.mark.long

YAML = {one["name"]: one for one in (*LINUXKIT["onboot"], *LINUXKIT["services"])}
CAPABILITIES = {  # linux/capability.h
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_TIME": 25,
}
CONFINED = [name for name in SERVICES if name != "tink-docker"]
FILTERED = "2"  # /proc/<pid>/status: SECCOMP_MODE_FILTER


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_the_user_that_linuxkit_yml_names(stressed: Stressed, name: str) -> None:
    status = stressed.rights.status[name]
    assert set(status["Uid"].split()) == {str(YAML[name].get("uid", 0))}
    assert set(status["Gid"].split()) == {str(YAML[name].get("gid", 0))}


@pytest.mark.parametrize("name", CONFINED)
def test_a_service_has_a_seccomp_filter_and_its_capabilities(stressed: Stressed, name: str) -> None:
    status = stressed.rights.status[name]
    assert (status["Seccomp"], status["NoNewPrivs"]) == (FILTERED, "1")
    capabilities = sum(1 << CAPABILITIES[one] for one in YAML[name].get("capabilities", ()))
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == capabilities


def test_the_engine_has_every_capability_and_no_filter(stressed: Stressed) -> None:
    status = stressed.rights.status["tink-docker"]
    assert status["Seccomp"] == "0"
    assert int(status["CapEff"], 16) & (1 << CAPABILITIES["CAP_SYS_ADMIN"])


def test_the_settings_are_files_of_their_own_user(stressed: Stressed) -> None:
    assert stressed.rights.settings_owner == YAML["settings"]["uid"]


def test_no_service_puts_a_link_where_root_or_another_one_looks(stressed: Stressed) -> None:
    for name, own in OWN.items():
        attacks = stressed.rights.attacks[name]
        assert attacks.keys() == {*TARGETS, own}
        assert attacks[own] == "done", "or the attack is none"
    assert stressed.rights.links == {OWN["dhcp"], OWN["bootkit"]}  # ntp's is in its own /run


def test_rngd_can_do_nothing_else_with_its_capability(stressed: Stressed) -> None:
    assert stressed.rights.attacks["rngd"] == dict.fromkeys(ADMIN, "failed")


def test_of_the_kernels_parameters_dhcp_changes_those_of_the_network_only(
    stressed: Stressed,
) -> None:
    assert stressed.rights.sysctls == {NET: "done", **dict.fromkeys(SYSCTLS, "failed")}
