"""The hosts of Tinkerbell itself, from the parameters that `table.py` marks `names_tinkerbell`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinkie.parameters.table import GRPC_AUTHORITY, METADATA_URL, TABLE, TINKERBELL
from tinkie.parameters.types import HostPort, Url

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameter, Parameters

TINKERBELL_PARAMETERS: tuple[Parameter[Any], ...] = tuple(
    parameter for parameter in TABLE if parameter.names_tinkerbell
)
SERVER_PARAMETERS: tuple[Parameter[Any], ...] = (GRPC_AUTHORITY, METADATA_URL, TINKERBELL)
"""The first that is given names the server: the host that a NIC must reach."""


def tinkerbell_hosts(parameters: Parameters) -> tuple[str, ...]:
    """Return each host once, IPv6 addresses without brackets; no proxy stands in front of them."""
    endpoints = filter(None, map(_endpoint, _values(parameters, TINKERBELL_PARAMETERS)))
    return tuple(dict.fromkeys(str(endpoint.host) for endpoint in endpoints))


def http_endpoints(parameters: Parameters) -> tuple[HostPort, ...]:
    """Return host and port of each URL among them that is plain HTTP."""
    values = _values(parameters, TINKERBELL_PARAMETERS)
    urls = (value for value in values if isinstance(value, Url) and value.scheme == "http")
    return tuple(dict.fromkeys(url.endpoint for url in urls))


def server_endpoint(parameters: Parameters) -> HostPort | None:
    """Return the worker's server; the metadata service if the server is not given."""
    found = map(_endpoint, _values(parameters, SERVER_PARAMETERS))
    return next(filter(None, found), None)


def _values(parameters: Parameters, table: tuple[Parameter[Any], ...]) -> list[object]:
    return [parameters[parameter] for parameter in table]


def _endpoint(value: object) -> HostPort | None:
    if isinstance(value, Url):
        return value.endpoint
    return value if isinstance(value, HostPort) else None
