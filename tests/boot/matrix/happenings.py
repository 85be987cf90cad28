"""What can happen to a machine, as generators of three steps (see Case.happens)."""

import time
from collections.abc import Generator
from contextlib import AbstractContextManager

from sandbox.waiting import wait_for
from tests.boot.matrix.case import Happening, Site
from tests.engine.matrix.packets import refused

TASKS = "/run/containerd/io.containerd.runtime.v2.task/services.linuxkit"
OF_SYSTEM = "cat /run/containerd.pid"
OF_ENGINE = "ps -o pid,args | awk '$2 ~ /containerd$/ && $3 ~ /^--/ {print $1}'"
# How a program's number is found in the machine; its containerds are two.
NUMBER = {
    "system's containerd": OF_SYSTEM,
    "engine's containerd": OF_ENGINE,
    "dockerd": "pidof dockerd",
    "tink-docker": f"cat {TASKS}/tink-docker/init.pid",
    "bootkit": f"cat {TASKS}/bootkit/init.pid",
    "worker": "pidof tink-agent",
    "dhcpcd": "pidof dhcpcd | tr ' ' '\\n' | sort -n | head -n 1",
}
AWAY_SECONDS = 15.0
BACK_SECONDS = 180.0
CONNECTED_SECONDS = 3.0  # an engine looks for its containerd about once a second


def killed(*names: str) -> Happening:
    """Kill programs with -9, in one moment; nobody heals that but the machine."""

    def happens(site: Site) -> Generator[None]:
        numbers = " ".join(f"$({NUMBER[name]})" for name in names)
        site.shell.run(f"kill -9 {numbers}")
        yield
        yield
        wait_for("the machine's parts", lambda: _is_whole(site), seconds=BACK_SECONDS)
        time.sleep(CONNECTED_SECONDS)
        yield

    return happens


def _is_whole(site: Site) -> bool:
    """Say whether all is there that a workflow needs: the worker reports an earlier one failed."""
    engine = f'[ $(pidof dockerd tink-agent | wc -w) = 2 ] && [ -n "$({OF_ENGINE})" ]'
    return site.shell.run(f"{engine} && kill -0 $({OF_SYSTEM}) && echo whole || :") == "whole"


def link_down(site: Site) -> Generator[None]:
    """Pull the cable for a while."""
    site.monitor.set_link("net0", up=False)
    try:
        yield
        time.sleep(AWAY_SECONDS)
        yield
    finally:
        site.monitor.set_link("net0", up=True)
    yield


def host_away(site: Site) -> Generator[None]:
    """Let the network lose every packet of the machine, with the link up."""
    with _refused(site, "drop"):
        yield
        yield
    yield


def dhcp_silent(site: Site) -> Generator[None]:
    """Let nobody hear the machine's questions for a lease, until the lease is over."""
    with refused(site.here.network.name, "tinkie", "udp dport 67 drop"):
        yield
        yield
    yield


def server_refuses(site: Site) -> Generator[None]:
    """Let the network end each connection to the worker's server."""
    port = site.here.tinkerbell.grpc_endpoint.rpartition(":")[2]
    with _refused(site, f"tcp dport {port} reject with tcp reset"):
        yield
        yield
    yield


def packets_lost(site: Site) -> Generator[None]:
    """Let the network lose every fifth packet, which slows all down and stops nothing."""
    with _refused(site, "numgen random mod 5 == 0 drop"):
        site.shell.run(f"kill -9 $({NUMBER['worker']})")
        yield
        time.sleep(AWAY_SECONDS)
        yield
    yield


def _refused(site: Site, rule: str) -> AbstractContextManager[None]:
    """Have a rule for what comes from the machine."""
    address = site.machine.hardware.identity.address
    return refused(site.here.network.name, "tinkie", f"ip saddr {address} {rule}")


def server_killed(site: Site) -> Generator[None]:
    """Kill all of Tinkerbell; it is started again, with the database that it had."""
    tinkerbell = site.here.tinkerbell
    tinkerbell.program.process.kill()
    tinkerbell.program.process.wait()
    try:
        yield
        yield
    finally:
        tinkerbell.program.start()
        tinkerbell.wait_until_it_serves()
    yield
