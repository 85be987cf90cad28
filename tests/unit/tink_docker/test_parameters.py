from __future__ import annotations

import pytest

from tink_docker.parameters import EngineParams
from tinkie.parameters.cmdline import Cmdline

SUM = "ab" * 32


def read(line: str) -> tuple[EngineParams, dict[str, str]]:
    return EngineParams.read(Cmdline.parse(line))


def test_nothing_is_needed() -> None:
    params, problems = read("quiet console=ttyS0")
    assert problems == {}
    assert params.syslog_port == 514
    assert params.insecure_registries == ()


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
        ("registry_mirrors", "https://m.example,http://m:5000/", None),
        ("syslog_host", "logs.example.com", None),
        ("syslog_host", "fd00::1", None),
        ("syslog_host", "[fd00::1]", "fd00::1"),
        ("syslog_port", "1514", 1514),
    ],
)
def test_good_values(parameter: str, value: str, kept: object) -> None:
    params, problems = read(f"{parameter}={value}")
    assert problems == {}
    expected = kept if kept is not None else value
    found = getattr(params, parameter)
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
        ("insecure_registries", "ok,a b", "host"),
        ("insecure_registries", "10.0.0.0/99", "host"),
        ("insecure_registries", "a_b", "host"),
        ("insecure_registries", "a..b:5000", "host"),
        ("registry_mirrors", "http://m%41", "mirror"),
        ("registry_mirrors", "http://m^", "mirror"),
        ("registry_mirrors", "http://m\\x", "mirror"),
        ("registry_mirrors", "m.example", "http://"),
        ("registry_mirrors", "https://user:pw@m.example", "mirror"),
        ("registry_mirrors", "https://m.example/path", "mirror"),
        ("syslog_host", "a/b", "host name"),
        ("syslog_host", "[1:2]", "host name"),
        ("syslog_host", "fe80::1%eth0", "host name"),
        ("syslog_host", "udp://a", "host name"),
        ("syslog_port", "0", "port"),
        ("syslog_port", "65536", "port"),
        ("syslog_port", "syslog", "port"),
    ],
)
def test_bad_values_are_told_and_left_out(parameter: str, value: str, reason: str) -> None:
    params, problems = read(f'"{parameter}={value}"')
    assert list(problems) == [parameter]
    assert reason in problems[parameter]
    assert getattr(params, parameter) == EngineParams.model_fields[parameter].default


def test_a_bad_value_takes_nothing_else_with_it() -> None:
    params, problems = read("syslog_port=x syslog_host=10.0.0.1 insecure_registries=a/b,c")
    assert sorted(problems) == ["insecure_registries", "syslog_port"]
    assert params.syslog_host == "10.0.0.1"
