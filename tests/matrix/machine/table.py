"""The fault matrix of virtual machines: every fault, when, and the console's line that names it."""

from tests.matrix.case import Case, FaultInjection, Moment, Sign
from tests.matrix.machine import faults
from tests.matrix.machine.backend import Site
from tests.matrix.machine.faults import killed

AWAY_SECONDS = 15.0

_NAMED = {
    "system's containerd": Sign("init", "program.ended", text="name=containerd"),
    "engine's containerd": Sign("tink-docker", "containerd.ended"),
    "dockerd": Sign("tink-docker", "engine.ended"),
    "tink-docker": Sign("tink-docker", "program.started"),
    "bootkit": Sign("bootkit", "program.started"),
    "worker": Sign("bootkit", "worker.ended"),
    "dhcpcd": Sign("dhcp", "program.ended"),
    "services' shim": Sign("bootkit", "program.started"),
}
_AGENTS = ("system's containerd", "tink-docker", "bootkit", "dockerd", "engine's containerd")


def _death(when: Moment, *names: str) -> Case[Site]:
    return Case(f"killed: {' and '.join(names)}", killed(*names), _NAMED[names[0]], when)


def _away(
    name: str,
    inject: FaultInjection[Site],
    event: str,
    *,
    when: Moment = Moment.IDLE,
    lasts: float = 0.0,
) -> Case[Site]:
    """Return a fault between the machine and its servers; event: "program: noun.verb"."""
    return Case(name, inject, Sign(*event.split(": ")), when, lasts=lasts)


_AT_REST = tuple(_death(Moment.IDLE, name) for name in _NAMED)
_IN_ACTION = tuple(
    _death(Moment.ACTION, name)
    for name in ("system's containerd", "bootkit", "services' shim", "tink-docker")
)
_LINK_DOWN = _away("link: down", faults.link_down, "dhcp: link.down", lasts=AWAY_SECONDS)
_SERVER_REFUSES = _away("server: refuses", faults.server_refuses, "bootkit: server.disconnected")

TABLE: tuple[Case[Site], ...] = (
    *_AT_REST,
    _LINK_DOWN,
    _away("network: loses everything", faults.host_away, "dhcp: host.unreachable"),
    _away("dhcp: silent past the lease", faults.dhcp_silent, "dhcp: address.lost"),
    _SERVER_REFUSES,
    _away("server: killed", faults.server_killed, "bootkit: server.disconnected"),
    _away(  # nothing fails for good, only more slowly: the line is that of the worker's death
        "killed: worker, and every fifth packet is lost",
        faults.packets_lost,
        "bootkit: worker.ended",
        lasts=AWAY_SECONDS,
    ),
    *_IN_ACTION,
    _away(
        "link: down",
        faults.link_down,
        "dhcp: link.down",
        when=Moment.ACTION,
        lasts=AWAY_SECONDS,
    ),
    _death(Moment.IDLE, *_AGENTS),
)
# One of each sort, for `make test`.
SAMPLE = (_AT_REST[0], _LINK_DOWN, _SERVER_REFUSES, _IN_ACTION[-1])
