from __future__ import annotations

import pytest

from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters
from tinkie.parameters.tinkerbell import tinkerbell_hosts


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ("grpc_authority=10.0.0.1:42113 tinkerbell=http://tb.example", ("10.0.0.1", "tb.example")),
        ("metadata_url=http://[fd00::1]:7 grpc_authority=[fd00::1]:42113", ("fd00::1",)),
        ("packet_base_url=192.168.1.1:8080/workflow tinkerbell=tb", ("tb", "192.168.1.1")),
        ("registry_ca_url=https://user:pw@ca.example/ca.pem", ("ca.example",)),
        ("registry_auth_url=https://harbor.example/a.json trusted_ca_url=http://ca.example/c", ()),
        ("grpc_authority=[x tinkerbell=http://[", ()),
        ("quiet", ()),
    ],
)
def test_every_parameter_that_names_a_host_counts(line: str, hosts: tuple[str, ...]) -> None:
    assert tinkerbell_hosts(read_parameters(Cmdline.parse(line))) == hosts
