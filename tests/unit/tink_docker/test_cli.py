from __future__ import annotations

import json
import os
import signal
from typing import IO, TYPE_CHECKING

import pytest

from tink_docker import cli
from tink_docker.cli import main
from tinkie.errors import ShutdownRequested
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from pathlib import Path

    from tink_docker.plan import Plan
    from tinkie.running.run_record import RunRecord

SECRETS = "registry_password=s3cret/Word HTTPS_PROXY=http://user:pr0xy%2Fpw@px.example:3128"


@pytest.fixture
def cmdline(tmp_path: Path) -> Path:
    return tmp_path / "cmdline"


@pytest.fixture
def arguments(cmdline: Path, tmp_path: Path) -> list[str]:
    return ["--cmdline", str(cmdline), "--state", str(tmp_path / "state.json")]


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_dry_run_prints_the_plan_and_no_secret(
    cmdline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cmdline.write_text(f"docker_registry=a.b packet_base_url=http://u:p@tb {SECRETS}\n")
    assert main(["--dry-run", "--cmdline", str(cmdline)]) == 0
    output = capsys.readouterr()
    plan = json.loads(output.out)
    assert plan["daemon.json"]["proxies"]["https-proxy"] == "http://********@px.example:3128"
    (certificates,) = plan["certificates"]
    assert certificates["url"] == "http://********@tb/ca.pem"
    assert certificates["paths"] == ["/etc/docker/certs.d/a.b/ca.crt"]
    assert output.err == ""
    assert "pr0xy" not in output.out


def test_a_dry_run_names_every_bad_parameter(
    cmdline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cmdline.write_text("syslog_port=x registry_mirrors=y docker_registry=a.b")
    assert main(["--dry-run", "--cmdline", str(cmdline)]) == 2
    output = capsys.readouterr()
    assert "syslog_port: " in output.err
    assert "registry_mirrors: " in output.err
    assert json.loads(output.out)["daemon.json"]["log-driver"] == "local"


def test_a_dry_run_without_a_command_line(
    cmdline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dry-run", "--cmdline", str(cmdline)]) == 2
    assert "No such file" in capsys.readouterr().err


class Keeps:
    """Stands for the keeper: ends with `error`."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, plan: Plan, **_keywords: object) -> Keeps:
        self.plan = plan
        return self

    def keep(self, record: RunRecord) -> None:
        self.record = record
        raise self.error


@pytest.fixture
def _harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RES_OPTIONS", "")
    monkeypatch.setattr(ShutdownSignals, "install", lambda _self: None)
    monkeypatch.setattr(ShutdownSignals, "ignore", lambda _self: None)


@pytest.mark.usefixtures("_harmless")
def test_a_signal_is_an_orderly_end(
    cmdline: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cmdline.write_text(f"syslog_port=x {SECRETS} x=".ljust(2047, "y") + "\n")
    keeps = Keeps(ShutdownRequested("SIGTERM"))
    monkeypatch.setattr(cli, "keeper", keeps)
    assert main(arguments) == 0
    assert keeps.record.path == cmdline.with_name("runs.json")
    logged = lines(capsys.readouterr().out)
    assert [line["event"] for line in logged] == [
        "program.started",
        "cmdline.truncated",
        "parameters.invalid",
        "program.ended",
    ]
    assert "the last parameters may be missing" in str(logged[1]["error"])
    assert logged[2]["next"] == "continuing without them"
    assert logged[3]["signal"] == "SIGTERM"
    assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"


@pytest.mark.usefixtures("signals")
def test_repeats_of_a_signal_do_not_change_its_exit_code(
    cmdline: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python takes our handlers away before the process ends."""
    cmdline.write_text("")
    monkeypatch.setenv("RES_OPTIONS", "")
    monkeypatch.setattr(cli, "keeper", Keeps(ShutdownRequested("SIGTERM")))
    assert main(arguments) == 0
    assert {signal.getsignal(number) for number in (1, 2, 15)} == {signal.SIG_IGN}


@pytest.mark.usefixtures("_harmless")
@pytest.mark.parametrize("error", [TypeError("s3cret/Word"), OSError(13, "Permission denied")])
def test_a_bug_is_logged_with_its_traceback_and_without_secrets(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    (tmp_path / "cmdline").write_text(SECRETS)
    monkeypatch.setattr(cli, "keeper", Keeps(error))
    assert main(arguments) == 1
    output = capsys.readouterr().out
    assert "Traceback" in str(lines(output)[-1]["exception"])
    state = (tmp_path / "state.json").read_text(encoding="utf-8")
    assert json.loads(state)["last_error"]["event"] == "program.failed"
    assert "s3cret" not in output + state


def test_a_wait_raises_a_signal_that_was_dropped() -> None:
    signals = ShutdownSignals()
    signals._dropped = ShutdownRequested("SIGTERM")
    with pytest.raises(ShutdownRequested):
        cli.wait(signals, 60, [])


def test_time_passes_until_a_file_is_readable() -> None:
    cli.wait(ShutdownSignals(), 0, [])
    read, write = cli_pipe()
    with read, write:
        write.write(b"x")
        cli.wait(ShutdownSignals(), 60, [read.fileno()])


def cli_pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb", buffering=0)
