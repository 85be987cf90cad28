from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settings.files import main

if TYPE_CHECKING:
    from pathlib import Path


VLAN = {"network": "nic 52:54:00:ab:00:01\nvlan 30\n", "nics": "vlan30\n52:54:00:ab:00:01\n"}
FULL = (
    "de-ad-be-ef-fe-ed:30:192.168.2.193:255.255.255.0:192.168.2.1:server.example.com"
    ":1.1.1.1,8.8.8.8:example.com,team.example.com:132.163.97.1,132.163.96.1"
)
ALL_OF_IT = """\
nic de:ad:be:ef:fe:ed
vlan 30
address 192.168.2.193/24
gateway 192.168.2.1
hostname server.example.com
name_servers 1.1.1.1,8.8.8.8
search example.com,team.example.com
time_servers 132.163.97.1,132.163.96.1
"""
SHORTEST = {
    "network": "nic 52:54:00:ab:00:01\naddress 10.0.0.5/8\n",
    "nics": "52:54:00:ab:00:01\n",
}
IPV6 = """\
nic 52:54:00:ab:00:01
address fd00::5/64
gateway fd00::1
name_servers fd00::53
time_servers fd00::123,ntp.example
"""


def settings(folder: Path, cmdline: str) -> tuple[int, dict[str, str]]:
    (folder / "cmdline").write_text(cmdline + "\n")
    output = folder / "settings"
    code = main(["--cmdline", str(folder / "cmdline"), "--output", str(output)])
    return code, {path.name: path.read_text() for path in output.iterdir()}


@pytest.mark.parametrize(
    ("cmdline", "files"),
    [
        ("", {}),
        ("syslog_host= ntp interface=", {}),
        ("syslog_port=515", {}),
        ("syslog_host=192.168.1.1", {"syslog": "192.168.1.1:514\n"}),
        ("syslog_host=log.example syslog_port=1514", {"syslog": "log.example:1514\n"}),
        ("syslog_host=fd00::1", {"syslog": "[fd00::1]:514\n"}),
        ("syslog_host=[fd00::1]", {"syslog": "[fd00::1]:514\n"}),
        ("ntp=10.0.0.1", {"ntp.sources": "server 10.0.0.1 iburst\n"}),
        ("ntp=[fd00::1]", {"ntp.sources": "server fd00::1 iburst\n"}),
        ("ntp=a,,b.c", {"ntp.sources": "server a iburst\nserver b.c iburst\n"}),
        ("interface=eno1", {"nics": "eno1\n"}),
        (
            "interface=eth0.30 syslog_host=a syslog_host=b",
            {"nics": "eth0.30\n", "syslog": "b:514\n"},
        ),
        ("hw_addr=52:54:00:AB:00:01", {"nics": "52:54:00:ab:00:01\n"}),
        ("BOOTIF=01-52-54-00-ab-00-01", {"nics": "52:54:00:ab:00:01\n"}),
        (
            "worker_id=52:54:00:00:00:02 BOOTIF=01-52-54-00-00-00-01 hw_addr=52-54-00-00-00-01",
            {"nics": "52:54:00:00:00:01\n52:54:00:00:00:02\n"},
        ),
        ("hw_addr=52:54:00:ab:00:01 interface=eno1", {"nics": "eno1\n52:54:00:ab:00:01\n"}),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=30", VLAN),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=0", {"nics": "52:54:00:ab:00:01\n"}),
        (f"ipam={FULL}", {"network": ALL_OF_IT, "nics": "vlan30\n"}),
        (f"ipam={FULL} vlan_id=7", {"network": ALL_OF_IT, "nics": "vlan30\n"}),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8", SHORTEST),
        (
            "ipam=52-54-00-ab-00-01::[fd00::5]:64:[fd00::1]::[fd00::53]::[fd00::123],ntp.example",
            {"network": IPV6, "nics": "52:54:00:ab:00:01\n"},
        ),
        ("worker_id=9f1c hw_addr= BOOTIF=x", {}),
    ],
)
def test_files_are_there_only_if_asked_for(
    tmp_path: Path, cmdline: str, files: dict[str, str]
) -> None:
    assert settings(tmp_path, cmdline) == (0, files)


@pytest.mark.parametrize(
    ("cmdline", "name"),
    [
        ('syslog_host="a b"', "syslog_host"),
        ('syslog_host="a\nb"', "syslog_host"),
        ("syslog_host=a;reboot", "syslog_host"),
        ("syslog_host=$(reboot)", "syslog_host"),
        ("syslog_host=1::2::3", "syslog_host"),
        ("ntp=:::::", "ntp"),
        ("syslog_host=-x", "syslog_host"),
        ("syslog_host=:", "syslog_host"),
        ('ntp="10.0.0.1 iburst\nallow all"', "ntp"),
        ("interface=../x", "interface"),
        ("interface=eth0,eth1", "interface"),
        ("interface=0123456789abcdef", "interface"),
    ],
)
def test_a_bad_value_is_reported_and_writes_nothing(
    tmp_path: Path, cmdline: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings(tmp_path, cmdline) == (2, {})
    assert f"bad kernel parameter {name}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cmdline", "places"),
    [
        (
            "metadata_url=http://[fd00::1]:7080/x packet_base_url=10.0.0.2:8080/misc",
            ["fd00::1 7080", "10.0.0.2 8080", "fd00::1 50061", "fd00::1 80", "10.0.0.2 7080"],
        ),
        ("registry_ca_url=https://ca.example/ca.pem", ["ca.example 7080", "ca.example 50061"]),
    ],
)
def test_who_can_be_asked_for_the_time(tmp_path: Path, cmdline: str, places: list[str]) -> None:
    _, files = settings(tmp_path, cmdline)
    assert files.get("clock", "").splitlines()[: len(places)] == places


@pytest.mark.parametrize("port", ["0", "x", "65536"])
def test_a_bad_port_is_reported_and_logs_go_to_the_usual_one(
    tmp_path: Path, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"syslog_host=a syslog_port={port}"
    assert settings(tmp_path, line) == (2, {"syslog": "a:514\n"})
    assert "bad kernel parameter syslog_port: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cmdline", "message"),
    [
        ("vlan_id=30", "vlan_id: no NIC is named for it"),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=4095", "vlan_id: not a VLAN"),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=eth0", "vlan_id: not a VLAN"),
        ("ipam=x::10.0.0.5:8", "ipam: its MAC"),
        ("ipam=52-54-00-ab-00-01:x:10.0.0.5:8", "ipam: not a VLAN"),
        ("ipam=52-54-00-ab-00-01", "ipam: its address"),
        ("ipam=52:54:00:ab:00:01::10.0.0.5:8", "ipam: its MAC"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8:::::::", "ipam: more than 9 parts"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5", "ipam: its netmask"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:33", "ipam: its netmask"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:0.0.0.255", "ipam: its netmask"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:[ffff::]", "ipam: its netmask"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8:[fd00::1]", "ipam: its gateway and its address"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8:10.0.0.1:$(x)", "ipam: its host name"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8:10.0.0.1::name.example", "ipam: its DNS"),
        ("ipam=52-54-00-ab-00-01::10.0.0.5:8::::a;b", "ipam: its search"),
        ("ipam=52-54-00-ab-00-01::[fe80::1%eth0]:64", "ipam: its address"),
        ('"ipam=52-54-00-ab-00-01::[fe80::1%x\nvlan 9]:64"', "ipam: its address"),
        ("ipam=52-54-00-ab-00-01::[fd00::5]:64:[fe80::1%eth0]", "ipam: its gateway"),
        ('"ipam=52-54-00-ab-00-01::10.0.0.5:8:::[fe80::1%a b]"', "ipam: its DNS"),
        ('"ipam=52-54-00-ab-00-01::10.0.0.5:8:::::[fe80::1%$(x)]"', "ipam: its NTP"),
    ],
)
def test_a_network_that_makes_no_sense_is_reported_and_waited_for_by_nobody(
    tmp_path: Path, cmdline: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, files = settings(tmp_path, cmdline)
    assert (code, files["network"]) == (2, "")
    assert f"bad kernel parameter {message}" in capsys.readouterr().err


def test_good_elements_of_a_list_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, files = settings(tmp_path, "ntp=good,-bad,fd00::1")
    assert (code, files) == (2, {"ntp.sources": "server good iburst\nserver fd00::1 iburst\n"})
    assert "bad kernel parameter ntp: element 2: " in capsys.readouterr().err


def test_a_bad_value_does_not_stop_the_others(tmp_path: Path) -> None:
    code, files = settings(tmp_path, "syslog_host=; ntp=a interface=/")
    assert (code, list(files)) == (2, ["ntp.sources"])


@pytest.mark.parametrize(
    ("cmdline", "endpoint"),
    [
        ("grpc_authority=10.0.0.1:42113 tinkerbell=b", "10.0.0.1 42113\n"),
        ("grpc_authority=[fd00::1]:42113", "fd00::1 42113\n"),
        ("metadata_url=http://tink.example/x tinkerbell=b", "tink.example 80\n"),
        ("metadata_url=https://tink.example", "tink.example 443\n"),
        ("metadata_url=http://10.0.0.1:7080/2009-04-04", "10.0.0.1 7080\n"),
        ("tinkerbell=http://10.0.0.1", "10.0.0.1 80\n"),
        ("grpc_authority=10.0.0.1:65536 tinkerbell=tink.example", "tink.example 80\n"),
        ("grpc_authority=fd00::1", None),
        ("grpc_authority=tink.example tinkerbell=b", "tink.example 42113\n"),
        ("grpc_authority=-e:1", None),
        ('grpc_authority="a b:1"', None),
        ("metadata_url=http://$(reboot)/", None),
        ("tinkerbell=http://", None),
        ("syslog_host=10.0.0.1", None),
    ],
)
def test_a_nic_must_reach_the_workers_server(
    tmp_path: Path, cmdline: str, endpoint: str | None
) -> None:
    _, files = settings(tmp_path, cmdline)
    assert files.get("host") == endpoint


@pytest.mark.parametrize("arguments", [[], ["--output"], ["--x", "y"], ["--cmdline", "x"]])
def test_usage(arguments: list[str]) -> None:
    assert main(arguments) == 2
