"""The kernel parameters that bootkit reads (design, section 4; contracts, sections 1.2 and 1.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, SecretStr

from tinkie.parameters.image_reference import is_docker_hub_user
from tinkie.parameters.proxy import PARAMETERS as PROXIES
from tinkie.parameters.table import Base, Image, Parameters, Registry, Url, check_port
from tinkie.parameters.types import hardware_address

if TYPE_CHECKING:
    from collections.abc import Mapping

_GO_BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):([0-9]+)")


def _one_word(value: str) -> str:
    if not value.isprintable() or " " in value:
        raise ValueError("no blanks or control characters are allowed")
    return value


def _boolean(value: str) -> str:
    if value not in _GO_BOOLEANS:
        raise ValueError("neither true nor false")
    return value


def _authority(value: str) -> str:
    match = _AUTHORITY.fullmatch(value)
    if not match:
        raise ValueError("not host:port")
    check_port(match[2])
    return value


def _credential(value: str) -> str:
    """Refuse what HTTP does not let a user or a password have (RFC 7617)."""
    if not value.isprintable():
        raise ValueError("no control characters are allowed")
    return value


def _secret(value: SecretStr) -> SecretStr:
    _credential(value.get_secret_value())
    return value


Word = Annotated[str, AfterValidator(_one_word)]
Boolean = Annotated[str, AfterValidator(_boolean)]
Authority = Annotated[str, AfterValidator(_authority)]
User = Annotated[str, AfterValidator(_credential)]
Password = Annotated[SecretStr, AfterValidator(_secret)]
Mac = Annotated[str, AfterValidator(hardware_address)]


class WorkerParams(Parameters):
    """What the worker is, which server it talks to, and where its image comes from."""

    worker_id: Word | None = Field(None, alias="worker_id")
    hw_addr: Mac | None = Field(None, alias="hw_addr")
    bootif: Mac | None = Field(None, alias="BOOTIF")
    instance_id: Word | None = Field(None, alias="instance_id")
    grpc_authority: Authority | None = Field(None, alias="grpc_authority")
    grpc_cert_url: Url | None = Field(None, alias="grpc_cert_url")
    tinkerbell_tls: Boolean | None = Field(None, alias="tinkerbell_tls")
    tinkerbell_insecure_tls: Boolean | None = Field(None, alias="tinkerbell_insecure_tls")
    tink_worker_image: Image | None = Field(None, alias="tink_worker_image")
    docker_registry: Registry | None = Field(None, alias="docker_registry")
    registry_username: User | None = Field(None, alias="registry_username")
    registry_password: Password | None = Field(None, alias="registry_password")
    metadata_url: Url | None = Field(None, alias="metadata_url")
    tinkerbell: Base | None = Field(None, alias="tinkerbell")

    def contradictions(self, bad: frozenset[str]) -> dict[str, str]:
        """Say what is missing and what Docker would take for something else."""
        image = {"tink_worker_image", "docker_registry"}
        if not (self.tink_worker_image or self.docker_registry or bad & image):
            return {"tink_worker_image": "neither this nor docker_registry is given"}
        if self.registry_password and is_docker_hub_user(self.docker_registry):
            reason = f"Docker takes {self.docker_registry!r} for a user of Docker Hub, "
            return {"docker_registry": reason + "where no password goes: add the port, as :443"}
        return {}

    @property
    def known_id(self) -> str | None:
        """Return the worker's id as far as the parameters say it."""
        return self.worker_id or self.hw_addr or self.bootif


def stopping(params: WorkerParams, problems: Mapping[str, str]) -> dict[str, str]:
    """Return the problems that the worker cannot be started with.

    What is only wanted stops nothing: metadata, a proxy, what some workers read, and other ways to
    find the id or the image once there is one.
    """
    wanted = {"metadata_url", "tinkerbell", "instance_id", "grpc_cert_url"}
    wanted |= set(PROXIES)
    if params.known_id:
        wanted |= {"hw_addr", "BOOTIF"}
    if params.tink_worker_image:
        wanted |= {"docker_registry"}
    return {name: reason for name, reason in problems.items() if name not in wanted}
