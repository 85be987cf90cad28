"""Faults of a virtual machine, as generators of three steps (see FaultInjection)."""

import time
from collections.abc import Generator
from contextlib import AbstractContextManager

from sandbox.waiting import wait_for
from tests.matrix.case import FaultInjection
from tests.matrix.machine.backend import Site
from tests.matrix.packets import nft_in, refused

TASKS = "/run/containerd/io.containerd.runtime.v2.task/services.linuxkit"
OF_SYSTEM = "cat /run/containerd.pid"
OF_ENGINE = "ps -o pid,args | awk '$2 ~ /containerd$/ && $3 ~ /^--/ {print $1}'"
SHIM = "/containerd-shim/ && / services\\.linuxkit / && !/ -id tink-docker /"
# How a program's number is found in the machine; its containerds are two.
NUMBER = {
    "system's containerd": OF_SYSTEM,
    "engine's containerd": OF_ENGINE,
    "dockerd": "pidof dockerd",
    "tink-docker": f"cat {TASKS}/tink-docker/init.pid",
    "bootkit": f"cat {TASKS}/bootkit/init.pid",
    "worker": "pidof tink-agent",
    "dhcpcd": "pidof dhcpcd | tr ' ' '\\n' | sort -n | head -n 1",
    "services' shim": f"ps -o pid,args | awk '{SHIM} && $2 !~ /awk/ {{ print $1 }}'",
}
BACK_SECONDS = 180.0
CONNECTED_SECONDS = 3.0  # an engine looks for its containerd about once a second


def killed(*names: str) -> FaultInjection[Site]:
    """Kill programs with -9, at once; only the machine itself repairs that."""

    def inject(site: Site) -> Generator[None]:
        yield
        numbers = " ".join(f"$({NUMBER[name]})" for name in names)
        site.shell.run(f"kill -9 {numbers}")
        yield
        wait_for("the machine's parts", lambda: _is_whole(site), seconds=BACK_SECONDS)
        time.sleep(CONNECTED_SECONDS)
        yield

    return inject


def _is_whole(site: Site) -> bool:
    """Return whether all runs that a workflow needs: the worker reports an earlier one failed."""
    engine = f'[ $(pidof dockerd tink-agent | wc -w) = 2 ] && [ -n "$({OF_ENGINE})" ]'
    return site.shell.run(f"{engine} && kill -0 $({OF_SYSTEM}) && echo whole || :") == "whole"


def link_down(site: Site) -> Generator[None]:
    """Pull the cable."""
    yield
    site.monitor.set_link("net0", up=False)
    try:
        yield
    finally:
        site.monitor.set_link("net0", up=True)
    yield


def host_away(site: Site) -> Generator[None]:
    """Let the network lose every packet of the machine, with the link up."""
    yield
    with _refused(site, "drop"):
        yield
    yield


def dhcp_silent(site: Site) -> Generator[None]:
    """Drop the machine's DHCP requests until its lease has ended."""
    yield
    with refused(nft_in(site.sandbox.network.name), "tinkie", "udp dport 67 drop"):
        yield
    yield


def server_refuses(site: Site) -> Generator[None]:
    """Reset each connection to the worker's server."""
    yield
    port = site.sandbox.tinkerbell.grpc_endpoint.rpartition(":")[2]
    with _refused(site, f"tcp dport {port} reject with tcp reset"):
        yield
    yield


def packets_lost(site: Site) -> Generator[None]:
    """Kill the worker and lose every fifth packet, which slows all down and stops nothing."""
    yield
    with _refused(site, "numgen random mod 5 == 0 drop"):
        site.shell.run(f"kill -9 $({NUMBER['worker']})")
        yield
    yield


def _refused(site: Site, rule: str) -> AbstractContextManager[None]:
    """Refuse what comes from the machine, by a rule."""
    address = site.machine.hardware.identity.address
    return refused(nft_in(site.sandbox.network.name), "tinkie", f"ip saddr {address} {rule}")


def server_killed(site: Site) -> Generator[None]:
    """Kill all of Tinkerbell, and start it again with the database that it had."""
    yield
    tinkerbell = site.sandbox.tinkerbell
    tinkerbell.program.process.kill()
    tinkerbell.program.process.wait()
    try:
        yield
    finally:
        tinkerbell.program.start()
        tinkerbell.wait_until_it_serves()
    yield
