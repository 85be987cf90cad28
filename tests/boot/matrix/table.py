"""The fault matrix of whole machines: every fault, when, and what the console says of it."""

from tests.boot.matrix import happenings as happen
from tests.boot.matrix.case import Case
from tests.boot.matrix.happenings import killed
from tests.engine.matrix.case import Moment

_NAMED = {
    "system's containerd": "init: program.ended name=containerd",
    "engine's containerd": "tink-docker: containerd.ended",
    "dockerd": "tink-docker: engine.ended",
    "tink-docker": "tink-docker: program.started",
    "bootkit": "bootkit: program.started",
    "worker": "bootkit: worker.ended",
    "dhcpcd": "dhcp: program.ended",
}
_AGENTS = ("system's containerd", "tink-docker", "bootkit", "dockerd", "engine's containerd")


def _death(when: Moment, *names: str) -> Case:
    return Case(f"killed: {' and '.join(names)}", when, killed(*names), _NAMED[names[0]])


_AT_REST = tuple(_death(Moment.IDLE, name) for name in _NAMED)
_IN_ACTION = tuple(
    _death(Moment.ACTION, name) for name in ("system's containerd", "bootkit", "tink-docker")
)

TABLE = (
    *_AT_REST,
    Case("link: down", Moment.IDLE, happen.link_down, "dhcp: link.down"),
    Case("network: loses everything", Moment.IDLE, happen.host_away, "dhcp: host.unreachable"),
    Case("dhcp: silent past the lease", Moment.IDLE, happen.dhcp_silent, "dhcp: address.lost"),
    Case("server: refuses", Moment.IDLE, happen.server_refuses, "bootkit: server.disconnected"),
    Case("server: killed", Moment.IDLE, happen.server_killed, "bootkit: server.disconnected"),
    Case(  # nothing fails for good: what is slow now has the worker's death to be told by
        "killed: worker, and every fifth packet is lost",
        Moment.IDLE,
        happen.packets_lost,
        "bootkit: worker.ended",
    ),
    *_IN_ACTION,
    Case("link: down", Moment.ACTION, happen.link_down, "dhcp: link.down"),
    _death(Moment.IDLE, *_AGENTS),
)
