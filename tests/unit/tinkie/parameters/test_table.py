from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.image_reference import ImageReference
from tinkie.parameters.table import (
    DOCKER_REGISTRY,
    ENGINE_NETWORKS,
    INSECURE_REGISTRIES,
    NO_PROXY,
    SYSLOG_PORT,
    TABLE,
    read_parameters,
)

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameter, Parameters

SUM = "ab" * 32


BY_NAME = {row.name: row for row in TABLE}


def read(line: str) -> Parameters:
    return read_parameters(Cmdline.parse(line))


def test_nothing_is_needed() -> None:
    parameters = read("quiet console=ttyS0")
    assert parameters.problems == {}
    assert parameters[SYSLOG_PORT] == 514
    assert parameters[INSECURE_REGISTRIES] == ()
    assert parameters[DOCKER_REGISTRY] is None


@pytest.mark.parametrize("line", ["syslog_port=", "syslog_port", "other=1", "ntp=,,"])
def test_absent_empty_and_bare_are_not_given(line: str) -> None:
    parameters = read(line)
    assert parameters.problems == {}
    assert all(parameters[row] == row.default for row in TABLE)


def test_a_value_that_is_a_secret_is_not_in_the_reason() -> None:
    parameters = read('registry_password="hunter2\n" https_proxy=ftp://u:hunter2@p')
    assert set(parameters.problems) == {"registry_password", "HTTPS_PROXY"}
    assert "hunter2" not in str(parameters.problems)


def test_each_parameter_stands_once_in_the_table() -> None:
    names = [name for row in TABLE for name in (row.name, *row.also)]
    assert len(names) == len(set(names))
    assert all(row.value and row.meaning and row.read_by for row in TABLE)


@pytest.mark.parametrize("text", ["${mac}", "a-${net0/mac:hexhyp}", "<worker id>", "{{.ID}}"])
@pytest.mark.parametrize("row", [row for row in TABLE if not row.free_text and row is not NO_PROXY])
def test_a_variable_that_nothing_replaced_is_reported(row: Parameter[object], text: str) -> None:
    parameters = read(f'"{row.name}={text}"')
    assert "variable" in parameters.problems[row.name]
    assert parameters[row] == row.default


@pytest.mark.parametrize("name", ["insecure_registries", "registry_mirrors", "ntp"])
def test_a_list_uses_its_good_elements(name: str) -> None:
    good = "http://m:5000" if name == "registry_mirrors" else "m.example"
    parameters = read(f'"{name}={good},a b,{good}"')
    assert parameters[BY_NAME[name]] == (good, good)
    assert parameters.problems[name].startswith("element 2: ")
    assert parameters.problems[name].endswith("; using the others (2)")


@pytest.mark.parametrize(
    ("text", "used", "problem"),
    [
        ("10.1.2.0/24,10.1.2.0/24", 1, "element 2: it overlaps element 1; using the others (1)"),
        ("10.1.2.0/24,x,10.1.0.0/16,10.2.0.0/24", 2, "; element 3: it overlaps element 1; "),
        ("10.1.0.0/16,10.2.0.0/24,10.1.2.0/24,10.2.0.0/25", 2, "element 4: it overlaps element 2"),
        # What overlaps an element that is not used is used.
        ("10.1.2.0/24,10.1.0.0/16,10.1.3.0/24", 2, "element 2: it overlaps element 1; using"),
    ],
)
def test_engine_networks_that_overlap_are_reported(text: str, used: int, problem: str) -> None:
    parameters = read(f"engine_networks={text}")
    assert len(parameters[ENGINE_NETWORKS]) == used
    assert problem in parameters.problems["engine_networks"]


@pytest.mark.parametrize("bad", ["${ntp}", "<ntp>", "{{ .ntp }}", "b\udcff"])
def test_a_variable_or_a_bad_byte_in_a_list_takes_only_its_own_element(bad: str) -> None:
    parameters = read(f'"ntp=10.0.0.1,{bad},fe80::1%eth0"')
    assert parameters[BY_NAME["ntp"]] == ("10.0.0.1", "fe80::1%eth0")
    assert parameters.problems["ntp"].startswith("element 2: ")


def test_the_local_of_windows_is_no_variable() -> None:
    parameters = read("NO_PROXY=localhost,<local>,10.0.0.0/8")
    assert parameters.problems == {}
    assert parameters[NO_PROXY] == ("localhost", "<local>", "10.0.0.0/8")


def test_pins_are_all_or_nothing() -> None:
    parameters = read(f"registry_ca_sha256={SUM},zz")
    assert parameters[BY_NAME["registry_ca_sha256"]] == ()
    assert "element 2" in parameters.problems["registry_ca_sha256"]
    assert "none is used" in parameters.problems["registry_ca_sha256"]


@pytest.mark.parametrize(
    ("parameter", "value", "kept"),
    [
        ("docker_registry", "reg.example.com:5000/", "reg.example.com:5000"),
        ("docker_registry", "192.168.1.1/path", "192.168.1.1/path"),
        ("tink_worker_image", "ghcr.io/tinkerbell/tink-agent:v1", None),
        ("packet_base_url", "192.168.1.1:8080/workflow", "http://192.168.1.1:8080/workflow"),
        ("registry_ca_url", "https://[fd00::1]:8443/ca.pem", None),
        ("registry_ca_sha256", SUM, (SUM,)),
        ("registry_ca_sha256", f"sha256:{SUM.upper()},{'AB:' * 31}AB", (SUM, SUM)),
        ("insecure_registries", "a:5000,,b", ("a:5000", "b")),
        ("insecure_registries", "http://a:5000/,10.0.0.0/8", ("a:5000", "10.0.0.0/8")),
        ("insecure_registries", "[fd00::1]:5000,[fd00::1]", ("[fd00::1]:5000", "[fd00::1]")),
        ("registry_mirrors", "https://m.example,http://m:5000/,https://m/path/,http://m//", None),
        ("syslog_host", "logs.example.com", None),
        ("syslog_host", "fd00::1", None),
        ("syslog_host", "[fd00::1]", "fd00::1"),
        ("syslog_port", "1514", 1514),
    ],
)
def test_good_values(parameter: str, value: str, kept: object) -> None:
    parameters = read(f"{parameter}={value}")
    assert parameters.problems == {}
    expected = kept if kept is not None else value
    found = parameters[BY_NAME[parameter]]
    found = str(found) if isinstance(found, ImageReference) else found
    assert found == (expected if not isinstance(found, tuple) or kept else tuple(value.split(",")))


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [
        ("docker_registry", "https://reg.example.com", "without https"),
        ("docker_registry", "../../etc", "not a registry"),
        ("tink_worker_image", "UPPER:::", "not an image name"),
        ("packet_base_url", "ftp://192.168.1.1", "http://"),
        ("registry_ca_url", "reg.example.com/ca.pem", "http://"),
        ("registry_ca_url", "http://reg.example.com:x/", "port"),
        ("registry_ca_url", "http:///ca.pem", "http://"),
        ("registry_ca_sha256", "abcd", "64"),
        ("registry_ca_sha256", f"{SUM},zz", "64"),
        ("registry_ca_sha256", ",", "64"),
        ("insecure_registries", "a/b", "host"),
        ("insecure_registries", "a:0", "port"),
        ("insecure_registries", "a b", "host"),
        ("insecure_registries", "10.0.0.0/99", "host"),
        ("insecure_registries", "a_b", "host"),
        ("insecure_registries", "a..b:5000", "host"),
        ("registry_mirrors", "http://m%41", "host"),
        ("registry_mirrors", "http://m^", "host"),
        ("registry_mirrors", "http://m\\x", "host"),
        ("registry_mirrors", "m.example", "http://"),
        ("registry_mirrors", "https://user:pw@m.example", "mirror"),
        ("registry_mirrors", "https://m.example/path?x=y", "mirror"),
        ("registry_mirrors", "https://m.example/#x", "mirror"),
        ("insecure_registries", "a" * 64 + ":5000", "host"),
        ("ntp", "-bad", "host"),
        ("syslog_host", "a/b", "host name"),
        ("syslog_host", "[1:2]", "host name"),
        ("syslog_host", "fe80::1%eth0", "zone"),
        ("registry_mirrors", "http://[fe80::1%eth0]:5000", "mirror"),
        ("registry_mirrors", "http://[::1]x:80", "not a"),
        ("insecure_registries", "10.0.0.0/255.0.0.0", "host"),
        ("insecure_registries", "10.0.0.0/0.0.0.255", "host"),
        ("insecure_registries", "fe80::%eth0/64", "host"),
        ("syslog_host", "udp://a", "host name"),
        ("syslog_port", "0", "port"),
        ("syslog_port", "65536", "port"),
        ("syslog_port", "syslog", "port"),
    ],
)
def test_bad_values_are_reported_and_left_out(parameter: str, value: str, reason: str) -> None:
    parameters = read(f'"{parameter}={value}"')
    assert list(parameters.problems) == [parameter]
    assert reason in parameters.problems[parameter]
    assert parameters[BY_NAME[parameter]] == BY_NAME[parameter].default


def test_a_bad_value_takes_nothing_else_with_it() -> None:
    parameters = read("syslog_port=x syslog_host=10.0.0.1 insecure_registries=a/b,c")
    assert sorted(parameters.problems) == ["insecure_registries", "syslog_port"]
    assert parameters[BY_NAME["syslog_host"]] == "10.0.0.1"
