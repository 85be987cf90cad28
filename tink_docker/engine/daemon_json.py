"""dockerd's configuration, worked out from the kernel parameters. No IO here.

Source of the keys: dockerd(8), "Daemon configuration file", of docker 20.10 to 29.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tink_docker import policy
from tinkie.parameters.table import (
    INSECURE_REGISTRIES,
    REGISTRY_MIRRORS,
    SYSLOG_HOST,
    SYSLOG_PORT,
)

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameters
    from tinkie.parameters.proxy import Proxies

DATA_ROOT = Path("/var/lib/docker")
EXEC_ROOT = Path("/var/run/docker")
# Not in /etc, which has a file system with the volumes of templates: actions can fill it, and
# without its configuration the next dockerd does not start.
CONFIG_PATH = EXEC_ROOT / "daemon.json"
PID_PATH = Path("/var/run/docker.pid")

_LOG_SIZE = f"{policy.CONTAINER_LOG_FILE_MEBIBYTES}m"
_TAG = "container/{{.Name}}"  # no container's name has a slash: none looks like a program's of ours
_LOG_COUNT = str(policy.CONTAINER_LOG_FILES)


def daemon_json(parameters: Parameters, proxies: Proxies) -> dict[str, Any]:
    """Return daemon.json without the engine's networks, which `networks.py` chooses.

    `hosts` is missing, since the socket is handed over. `proxies` may hold credentials.
    """
    always = {
        "data-root": str(DATA_ROOT),
        "exec-root": str(EXEC_ROOT),
        "pidfile": str(PID_PATH),
        "log-level": "warn",  # otherwise a start logs a hundred lines
        "live-restore": True,  # a worker outlives the engine
        "userland-proxy": False,  # one process less for each published port
    }
    lists = {
        "insecure-registries": list(parameters[INSECURE_REGISTRIES]),
        "registry-mirrors": [str(mirror) for mirror in parameters[REGISTRY_MIRRORS]],
        "proxies": _proxies(proxies),
    }
    return always | _logs(parameters) | {key: value for key, value in lists.items() if value}


def _logs(parameters: Parameters) -> dict[str, Any]:
    """Bound every log; `docker logs`, which workers use, works with both drivers."""
    # A name that does not resolve would keep every container down.
    host, port = parameters[SYSLOG_HOST], parameters[SYSLOG_PORT]
    if host is None or not host.is_address:
        size = {"max-size": _LOG_SIZE, "max-file": _LOG_COUNT}
        return {"log-driver": "local", "log-opts": size}
    options = {
        "syslog-address": f"udp://{host.in_url}:{port}",
        "tag": _TAG,
        "cache-max-size": _LOG_SIZE,  # of docker's own copy, else 100 MB a container
        "cache-max-file": _LOG_COUNT,
    }
    return {"log-driver": "syslog", "log-opts": options}


def _proxies(proxies: Proxies) -> dict[str, str]:
    if not proxies:
        return {}
    keys = {
        "http-proxy": proxies.http,
        "https-proxy": proxies.https,
        "no-proxy": ",".join(proxies.no_proxy),
    }
    return {key: value for key, value in keys.items() if value}
