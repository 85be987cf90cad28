"""What dockerd asks a registry when it pulls, and the words in which it tells what came back."""

import base64
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bootkit.shared.reference import ImageReference

ANSWER_SECONDS = 15.0
# The registry's log tells by it which requests are an engine's.
USER_AGENT = "docker/26.1.5 (simulated)"
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)

Message = dict[str, Any]


class PullError(Exception):
    """A pull failed; the message is dockerd's."""


@dataclass(frozen=True)
class RegistryClient:
    """Asks for `/v2/` and the image's manifest; layers are left where they are.

    trust: context with the registry's CA certificate; made once, since it is slow to make.
    """

    trust: ssl.SSLContext

    @classmethod
    def trusting(cls, ca: Path) -> "RegistryClient":
        """Make one that trusts a CA certificate."""
        return cls(ssl.create_default_context(cafile=str(ca)))

    def pull(self, image: str, auth: str) -> list[Message]:
        """Return what dockerd streams: the error among the messages, if there is one."""
        reference = ImageReference.parse(image)
        first = {"status": f"Pulling from {reference.path}", "id": reference.tag or ""}
        try:
            digest = self._manifest(reference, _basic(auth))
        except PullError as error:
            return [first, {"errorDetail": {"message": str(error)}, "error": str(error)}]
        return [first, {"status": f"Digest: {digest}"}]

    def _manifest(self, reference: ImageReference, credentials: httpx.BasicAuth) -> str:
        v2 = f"https://{reference.domain}/v2/"
        headers = {"User-Agent": USER_AGENT, "Accept": ",".join(MANIFESTS)}
        with httpx.Client(
            verify=self.trust, headers=headers, timeout=ANSWER_SECONDS, trust_env=False
        ) as client:
            ping = _get(client, v2, None)
            asks = ping.status_code == httpx.codes.UNAUTHORIZED
            url = f"{v2}{reference.path}/manifests/{reference.digest or reference.tag}"
            answer = _get(client, url, credentials if asks else None)
        return str(answer.headers.get("docker-content-digest", ""))


def _get(client: httpx.Client, url: str, credentials: httpx.BasicAuth | None) -> httpx.Response:
    try:
        answer = client.get(url, auth=credentials)
    except httpx.TimeoutException as error:
        told = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise PullError(f'Get "{url}": {told}') from error
    except httpx.TransportError as error:
        raise PullError(f'Get "{url}": {_in_go(error)}') from error
    if answer.is_error and (credentials or answer.status_code != httpx.codes.UNAUTHORIZED):
        raise PullError(_refusal(answer))
    return answer


def _in_go(error: httpx.TransportError) -> str:
    """Say a failed connection as Go's libraries do."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    if isinstance(cause, ConnectionRefusedError):
        return "dial tcp: connect: connection refused"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {cause.verify_message}"
    return "EOF" if isinstance(error, httpx.RemoteProtocolError) else str(cause)


def _refusal(answer: httpx.Response) -> str:
    known = {
        401: "unauthorized: authentication required",
        404: f"manifest for {answer.url} not found: manifest unknown: manifest unknown",
        429: "toomanyrequests: too many requests",
    }
    other = f"received unexpected HTTP status: {answer.status_code} {answer.reason_phrase}"
    return known.get(answer.status_code, other)


def _basic(header: str) -> httpx.BasicAuth:
    """Read the credentials that came with the pull (X-Registry-Auth)."""
    said = json.loads(base64.urlsafe_b64decode(header))
    return httpx.BasicAuth(said.get("username", ""), said.get("password", ""))
