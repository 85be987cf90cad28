"""The network service's image without a network: its hook, and its choice of a NIC.

The loopback interface is the NIC. Console lines are on stdout: there is no log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release.version import PROJECT

if TYPE_CHECKING:
    from tests.engine.docker import Docker

ANNOUNCE = "images/init/lib/announce"
ADDRESS = "10.9.9.9"
PREPARED = """
mkdir -p /run/init /run/tinkie/settings /run/dhcpcd/lease
mkfifo -m 600 /run/dhcpcd/events
: >/etc/resolv.conf
"""
ADVERTISED = """
export interface=lo protocol=ra reason=ROUTERADVERT if_up=true
export nd1_rdnss1_servers='fd00::53 fd00::54' nd1_rdnss1_lifetime=600
export nd1_rdnss2_servers=fd00::99 nd1_rdnss2_lifetime=0
export nd1_dnssl1_search=six.example nd1_dnssl1_lifetime=600
/usr/lib/tinkie/dhcp-event
"""


def _run(docker: Docker, script: str) -> list[str]:
    options = ["--rm", "--network=none", "--cap-add=NET_ADMIN", "--tmpfs=/run"]
    options.append(f"--volume={PROJECT / ANNOUNCE}:/usr/lib/tinkie/announce:ro")
    return docker("run", *options, "tinkie/dhcp:build", "sh", "-c", PREPARED + script).splitlines()


def test_name_servers_of_a_router_advertisement_are_used_until_it_ends(docker: Docker) -> None:
    show = "grep . /etc/resolv.conf; echo shown"
    ended = "if_up=false /usr/lib/tinkie/dhcp-event"
    before, after = " ".join(_run(docker, f"{ADVERTISED} {show}; {ended}; {show}")).split(" shown")[
        :2
    ]
    assert before == "search six.example nameserver fd00::53 nameserver fd00::54"
    assert not after


def test_a_nic_with_nothing_but_an_advertisement_is_not_chosen(docker: Docker) -> None:
    choice = "timeout 3 /usr/lib/tinkie/route; echo chosen=$(cat /run/dhcpcd/chosen)"
    leased = f"ip address add {ADDRESS}/32 dev lo"
    assert _run(docker, f"{ADVERTISED} {choice} 2>/dev/null") == ["chosen="]
    assert _run(docker, f"{ADVERTISED} {leased}; {choice}") == ["chosen=lo"]


def test_settings_that_come_after_many_leases_still_name_the_host(docker: Docker) -> None:
    script = f"""
        ip address add {ADDRESS}/32 dev lo
        : >/run/dhcpcd/lease/lo.dhcp
        timeout 20 /usr/lib/tinkie/route >/run/console &
        sleep 1
        for lease in $(seq 80); do echo lo >/run/dhcpcd/events; done
        sleep 1
        echo lo >/run/tinkie/settings/nics
        echo {ADDRESS} 1 >/run/tinkie/settings/host
        for i in $(seq 15); do grep -q reached /run/console && break; sleep 1; done
        cat /run/console
    """
    assert _run(docker, script) == [f"host.reached host={ADDRESS} interface=lo"]
