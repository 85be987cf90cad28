from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootkit.settings import main

if TYPE_CHECKING:
    from pathlib import Path


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
        ("interface=eno1", {"cards": "eno1\n"}),
        (
            "interface=eth0.30 syslog_host=a syslog_host=b",
            {"cards": "eth0.30\n", "syslog": "b:514\n"},
        ),
        ("hw_addr=52:54:00:AB:00:01", {"cards": "52:54:00:ab:00:01\n"}),
        ("BOOTIF=01-52-54-00-ab-00-01", {"cards": "52:54:00:ab:00:01\n"}),
        (
            "worker_id=52:54:00:00:00:02 BOOTIF=01-52-54-00-00-00-01 hw_addr=52-54-00-00-00-01",
            {"cards": "52:54:00:00:00:01\n52:54:00:00:00:02\n"},
        ),
        ("hw_addr=52:54:00:ab:00:01 interface=eno1", {"cards": "eno1\n52:54:00:ab:00:01\n"}),
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
        ("ntp=good,-bad", "ntp"),
        ("interface=../x", "interface"),
        ("interface=eth0,eth1", "interface"),
        ("interface=0123456789abcdef", "interface"),
    ],
)
def test_a_bad_value_is_told_and_writes_nothing(
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
def test_a_bad_port_is_told_and_logs_go_to_the_usual_one(
    tmp_path: Path, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"syslog_host=a syslog_port={port}"
    assert settings(tmp_path, line) == (2, {"syslog": "a:514\n"})
    assert "bad kernel parameter syslog_port: " in capsys.readouterr().err


def test_a_bad_value_does_not_stop_the_others(tmp_path: Path) -> None:
    code, files = settings(tmp_path, "syslog_host=; ntp=a interface=/")
    assert (code, list(files)) == (2, ["ntp.sources"])


@pytest.mark.parametrize(
    ("cmdline", "place"),
    [
        ("grpc_authority=10.0.0.1:42113 tinkerbell=b", "10.0.0.1 42113\n"),
        ("grpc_authority=[fd00::1]:42113", "fd00::1 42113\n"),
        ("metadata_url=http://tink.example/x tinkerbell=b", "tink.example 80\n"),
        ("metadata_url=https://tink.example", "tink.example 443\n"),
        ("metadata_url=http://10.0.0.1:7080/2009-04-04", "10.0.0.1 7080\n"),
        ("tinkerbell=http://10.0.0.1", "10.0.0.1 80\n"),
        ("grpc_authority=10.0.0.1:65536 tinkerbell=tink.example", "tink.example 80\n"),
        ("grpc_authority=fd00::1", None),
        ("grpc_authority=-e:1", None),
        ('grpc_authority="a b:1"', None),
        ("metadata_url=http://$(reboot)/", None),
        ("tinkerbell=http://", None),
        ("syslog_host=10.0.0.1", None),
    ],
)
def test_a_card_must_reach_the_workers_server(
    tmp_path: Path, cmdline: str, place: str | None
) -> None:
    _, files = settings(tmp_path, cmdline)
    assert files.get("host") == place


@pytest.mark.parametrize("arguments", [[], ["--output"], ["--x", "y"], ["--cmdline", "x"]])
def test_usage(arguments: list[str]) -> None:
    assert main(arguments) == 2
