"""HTTP requests from inside a network of the sandbox."""

import ssl
from collections.abc import Collection
from typing import Any

import httpx

from release.errors import ReportedError
from sandbox.network import Network

SECONDS = 10.0
PROBE_SECONDS = 2.0


def send(
    network: Network,
    method: str,
    url: str,
    *,
    body: Any = None,
    verify: ssl.SSLContext | bool = True,
    seconds: float = SECONDS,
) -> httpx.Response:
    """Send a request, with a body as JSON, and return the response whatever its status."""
    with (
        network.inside(),
        httpx.Client(verify=verify, trust_env=False, timeout=seconds) as client,
    ):
        return client.request(method, url, json=body)


def request(
    server: str,
    network: Network,
    method: str,
    url: str,
    *,
    body: Any = None,
    verify: ssl.SSLContext | bool = True,
) -> httpx.Response:
    """Send a request and return the response; ReportedError without one or for a bad status.

    server: as the error names it.
    """
    try:
        response = send(network, method, url, body=body, verify=verify)
    except httpx.TransportError as error:
        raise ReportedError(f"{method} {url} failed: {server}: {error}") from error
    if response.is_error:
        status = f"{response.status_code} {response.text.strip()}"
        raise ReportedError(f"{method} {url} failed: {server} answered {status}")
    return response


def answers(
    network: Network,
    url: str,
    *,
    method: str = "GET",
    verify: ssl.SSLContext | bool = True,
    statuses: Collection[int] = (httpx.codes.OK,),
    seconds: float = PROBE_SECONDS,
) -> bool:
    """Return whether a server answers with one of these statuses."""
    try:
        response = send(network, method, url, verify=verify, seconds=seconds)
    except httpx.TransportError:
        return False
    return response.status_code in statuses
