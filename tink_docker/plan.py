"""From the command line to a running engine: the plan, and how the parts are put together."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tink_docker.ca.late_trust import LateTrust
from tink_docker.ca.plan import CertificatePlans, plan_certificates
from tink_docker.embedded import embed
from tink_docker.engine.api import kill_container, processes, running_containers
from tink_docker.engine.containerd import is_serving, start_containerd
from tink_docker.engine.daemon_json import CONFIG_PATH, daemon_json
from tink_docker.engine.daemons import EngineDaemons
from tink_docker.engine.dockerd import dockerd_command, start_dockerd
from tink_docker.engine.networks import NetworkPlan
from tink_docker.engine.socket import Listener
from tink_docker.file_systems import FileSystemsMonitor
from tink_docker.keeper import Keeper
from tink_docker.reboot import RebootBroker
from tink_docker.repair.hidden_routes import HiddenRoutes
from tink_docker.repair.layers import remove_incomplete_layers
from tink_docker.repair.leftovers import stop_leftovers
from tink_docker.repair.lost_containers import LostContainers
from tink_docker.repair.missing_bridge import BRIDGE_FAILURE, MissingBridge
from tink_docker.repair.networks import START_FAILURE, NetworkRecord
from tink_docker.repair.planned_restart import PlannedRestart
from tink_docker.space import SpaceMonitor
from tinkie.errors import PermanentError
from tinkie.files import write_atomically
from tinkie.parameters.parameter import Reader
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.table import SYSLOG_HOST, problems_for, read_parameters
from tinkie.running.idle import Idle
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tink_docker.ca.fetching import CaFetcher
    from tinkie.parameters.cmdline import Cmdline

log = get_logger()

SIGNS = (START_FAILURE, BRIDGE_FAILURE)  # in dockerd's lines, for the repairs


class Plan(NamedTuple):
    """All that the kernel parameters decide; `problems` has the reason for each bad one.

    `config` is daemon.json without the engine's networks, for which the machine's routes count too.
    """

    config: Mapping[str, Any]
    networks: NetworkPlan
    certificates: CertificatePlans
    proxies: Proxies
    problems: Mapping[str, str]
    syslog_name: str | None = None

    @classmethod
    def from_cmdline(cls, cmdline: Cmdline) -> Plan:
        """Return the plan; there is one for any command line."""
        parameters = read_parameters(cmdline)
        proxies = Proxies.given_by(parameters)
        host = parameters[SYSLOG_HOST]
        networks = NetworkPlan.from_parameters(parameters)
        return cls(
            config=daemon_json(parameters, proxies),
            networks=networks,
            certificates=plan_certificates(parameters),
            proxies=proxies,
            problems={**problems_for(Reader.TINK_DOCKER, parameters), **networks.problems},
            syslog_name=host if host and not host.is_address else None,
        )

    @property
    def local_logs(self) -> str | None:
        """Return why containers' logs are not forwarded although `syslog_host` is given."""
        if not self.syslog_name:
            return None
        return f"syslog_host={self.syslog_name} is a name: containers' logs stay on this machine"

    def as_json(self) -> dict[str, Any]:
        """Return the plan for people, without any routes; it may hold credentials of proxies."""
        networks = self.networks.choose(self.networks.destinations([], []))
        return {
            "daemon.json": {**self.config, **networks.as_json()},
            "certificates": [plan.as_json() for plan in self.certificates.plans],
            "command": dockerd_command(),
        }


def keeper(
    plan: Plan, *, wait: Callable[[float, Sequence[int]], None], now: Callable[[], float]
) -> Keeper:
    """Open the engine's socket and put together what keeps the engine running.

    Raises:
        OSError: the socket cannot be made.
    """
    _log_what_is_missing(plan)
    listener = Listener.open()
    fetchers = _ca_fetchers(plan, now)
    idle = Idle(lambda: running_containers(listener.address), now)
    broker = RebootBroker(idle, now)
    late_trust, hidden_routes = LateTrust(fetchers), HiddenRoutes(plan.networks, now)
    bridge = MissingBridge()
    return Keeper(
        listener=listener,
        start=lambda waiting: _start(plan, listener, waiting, now),
        ca_fetchers=fetchers,
        late_trust=late_trust,
        broker=broker,
        lost_containers=LostContainers(lambda: processes(listener.address)),
        networks=NetworkRecord(),
        missing_bridge=bridge,
        hidden_routes=hidden_routes,
        planned_restart=PlannedRestart(
            (bridge, hidden_routes, late_trust),
            Idle(idle.running, now),
            lambda name: kill_container(listener.address, name),
            lambda: broker.is_requested,
            now,
        ),
        space=SpaceMonitor(),
        file_systems=FileSystemsMonitor(now),
        wait=wait,
        now=now,
    )


def _log_what_is_missing(plan: Plan) -> None:
    """Log what the engine does without."""
    for refusal in plan.certificates.refusals:
        log.error("ca.failed", **refusal.fields)
    if plan.local_logs:
        log.warning("syslog.local", error=plan.local_logs, next="give an address to forward them")


def _ca_fetchers(plan: Plan, now: Callable[[], float]) -> tuple[CaFetcher, ...]:
    """Return what fetches the certificates; without any, nothing of TLS and hashes is loaded."""
    if not plan.certificates.plans:
        return ()
    from tink_docker.ca.fetching import CaFetcher  # noqa: PLC0415 - a tenth of the start
    from tinkie.fetch.fetcher import Fetcher  # noqa: PLC0415 - as above

    fetcher = Fetcher(user_agent="tink-docker", proxies=plan.proxies)
    return tuple(CaFetcher(one, fetcher, now) for one in plan.certificates.plans)


def _start(
    plan: Plan,
    listener: Listener,
    wait: Callable[[float, Sequence[int]], None],
    now: Callable[[], float],
) -> EngineDaemons:
    stop_leftovers()
    remove_incomplete_layers()
    config = {**plan.config, **plan.networks.choose_now().as_json()}
    try:
        write_atomically(CONFIG_PATH, json.dumps(config, indent=2).encode(), mode=0o600)
    except OSError as error:
        raise PermanentError(f"writing {CONFIG_PATH}: {error.strerror}") from error
    embed(wait, now)
    dockerd = partial(start_dockerd, listener.socket, dockerd_command(), SIGNS)
    return EngineDaemons.start(start_containerd, dockerd, is_serving, wait=wait, now=now)
