from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settings.files import main

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
        ("syslog_host=a syslog_host=b", {"syslog": "b:514\n"}),
        ("interface=/ ipam=x vlan_id=y hw_addr=z", {}),
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


def test_good_elements_of_a_list_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, files = settings(tmp_path, "ntp=good,-bad,fd00::1")
    assert (code, files) == (2, {"ntp.sources": "server good iburst\nserver fd00::1 iburst\n"})
    assert "bad kernel parameter ntp: element 2: " in capsys.readouterr().err


def test_a_bad_value_does_not_stop_the_others(tmp_path: Path) -> None:
    code, files = settings(tmp_path, "syslog_host=; ntp=a syslog_port=x")
    assert (code, list(files)) == (2, ["ntp.sources"])


@pytest.mark.parametrize("arguments", [[], ["--output"], ["--x", "y"], ["--cmdline", "x"]])
def test_usage(arguments: list[str]) -> None:
    assert main(arguments) == 2
