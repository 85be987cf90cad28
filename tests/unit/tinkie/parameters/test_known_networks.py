from __future__ import annotations

import pytest

from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.known_networks import known_networks
from tinkie.parameters.table import read_parameters


def known(line: str) -> list[str]:
    found = known_networks(read_parameters(Cmdline.parse(line)))
    return [f"{name} {network}" for name, network in found]


@pytest.mark.parametrize(
    ("line", "networks"),
    [
        ("grpc_authority=198.18.0.9:42113", ["grpc_authority 198.18.0.9/32"]),
        ("docker_registry=198.18.0.9:5000/team", ["docker_registry 198.18.0.9/32"]),
        ("tink_worker_image=198.18.0.9/w:1.2.3", ["tink_worker_image 198.18.0.9/32"]),
        ("metadata_url=http://198.18.0.9:7080/x", ["metadata_url 198.18.0.9/32"]),
        ("http_proxy=198.18.0.9:3128", ["HTTP_PROXY 198.18.0.9/32"]),
        ("syslog_host=198.18.0.9", ["syslog_host 198.18.0.9/32"]),
        ("ntp=198.18.0.9,time,198.18.0.8", ["ntp 198.18.0.9/32", "ntp 198.18.0.8/32"]),
        ("insecure_registries=10.9.0.0/16", ["insecure_registries 10.9.0.0/16"]),
        ("NO_PROXY=10.9.1.1/16,.x", ["NO_PROXY 10.9.0.0/16"]),
        ("unknown=198.18.0.9 syslog_host=tb worker_id=1.2.3.4.5 ntp=300.1.1.1", []),
        ("grpc_authority=[fd00::1]:42113", []),
        ("engine_networks=198.18.0.0/24", []),
    ],
)
def test_every_address_of_a_parameter_counts(line: str, networks: list[str]) -> None:
    assert known(line) == networks


def test_a_static_address_has_a_network() -> None:
    line = "ipam=de-ad-be-ef-fe-ed:30:198.19.255.9:255.254.0.0:198.18.0.1::198.18.0.2"
    found = known(line)
    assert {"ipam 198.18.0.0/15", "ipam 198.18.0.1/32", "ipam 198.18.0.2/32"} <= set(found)
    assert not any("/64" in one for one in known("ipam=de-ad-be-ef-fe-ed::[fd00::5]:64"))


def test_no_part_of_a_secret_is_found() -> None:
    line = "registry_password=10.1.1.1 metadata_url=http://u:10.1.1.2@10.1.1.3/"
    assert known(line) == ["metadata_url 10.1.1.3/32"]
