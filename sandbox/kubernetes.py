"""Tinkerbell's objects (Hardware, Template, Workflow) by the Kubernetes API, over plain HTTPS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.certificates import CA, Pair
from sandbox.http_client import SECONDS, answers, request
from sandbox.network import Network

GROUP = "apis/tinkerbell.org/v1alpha1"
DEFINITIONS = "apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACE = "default"

Object = dict[str, Any]  # a Kubernetes object as its JSON


@dataclass(frozen=True)
class Api:
    """The API server of one Tinkerbell, used with a client certificate.

    url: https://ADDRESS:6443
    trust: TLS context that holds the CA certificate and the client certificate.
    """

    url: str
    network: Network
    trust: ssl.SSLContext = field(repr=False)

    def create(self, plural: str, thing: Object) -> Object:
        """Create an object; plural as in the URL: hardware, templates, workflows."""
        return self._request("POST", self._path(plural), thing)

    def get(self, plural: str, name: str) -> Object:
        """Return one object."""
        return self._request("GET", self._path(plural, name))

    def redefine(self, definition: Object) -> None:
        """Replace a CustomResourceDefinition that exists already."""
        url = f"{self.url}/{DEFINITIONS}/{definition['metadata']['name']}"
        present = self._request("GET", url)
        version = {"resourceVersion": present["metadata"]["resourceVersion"]}
        metadata = {**definition["metadata"], **version}
        self._request("PUT", url, {**definition, "metadata": metadata})

    def serves(self, plural: str) -> bool:
        """Return whether the server is up and serves this kind of object."""
        return answers(self.network, self._path(plural), verify=self.trust, seconds=SECONDS)

    def _path(self, plural: str, name: str = "") -> str:
        return f"{self.url}/{GROUP}/namespaces/{NAMESPACE}/{plural}/{name}".rstrip("/")

    def _request(self, method: str, url: str, body: Object | None = None) -> Object:
        response = request(
            "the API server", self.network, method, url, body=body, verify=self.trust
        )
        answer: Object = response.json()
        return answer


def trust(ca: CA, client: Pair) -> ssl.SSLContext:
    """Return the TLS context of a client of an API server."""
    context = ssl.create_default_context(cafile=str(ca.certificate))
    context.load_cert_chain(client.certificate, client.key)
    return context


def write_kubeconfig(folder: Path, url: str, ca: CA, client: Pair) -> Path:
    """Write a kubeconfig for the API server at `url`, and return its path."""
    cluster = {"server": url, "certificate-authority": str(ca.certificate)}
    user = {"client-certificate": str(client.certificate), "client-key": str(client.key)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        "current-context": "sandbox",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
