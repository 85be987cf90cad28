from __future__ import annotations

import gc
import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from bootkit.boot import Boot
from bootkit.cli import main
from bootkit.plan.inputs import Inputs
from tests.fakes.engine import FakeEngine
from tests.fakes.metadata import FakeMetadata
from tinkie.errors import ShutdownRequested
from tinkie.fetch.fetcher import Fetcher
from tinkie.running.arguments import BAD_PARAMETERS
from tinkie.running.run_record import RunRecord
from tinkie.running.signals import ShutdownSignals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKER = "grpc_authority=10.0.0.1:42113 tink_worker_image=r.example/w:1"


def dry_run(folder: Path, cmdline: str, metadata: str | None = None) -> int:
    (folder / "cmdline").write_text(cmdline + "\n")
    arguments = ["--dry-run", "--cmdline", str(folder / "cmdline")]
    if metadata is not None:
        (folder / "metadata").write_text(metadata)
        arguments += ["--metadata", str(folder / "metadata")]
    return main(arguments)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeMetadata:
    fake = FakeMetadata()
    monkeypatch.setattr(Inputs, "fetcher", lambda _: Fetcher(transport=fake.transport))
    return fake


def test_every_bad_parameter_is_reported_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, "worker_id=w grpc_authority=: tinkerbell_tls=y") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    for name in ("grpc_authority", "tinkerbell_tls", "tink_worker_image"):
        assert f"bad kernel parameter {name}: " in printed.err


def test_metadata_that_is_needed_and_not_reached(
    tmp_path: Path, network: FakeMetadata, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, WORKER) == 3
    assert "the metadata service must provide the worker id" in capsys.readouterr().err
    assert network.asked == ["http://10.0.0.1:7080/2009-04-04/meta-data/instance-id"]
    assert network.seconds == [pytest.approx(10.0, abs=1)]


def test_metadata_that_is_only_wanted(
    tmp_path: Path, network: FakeMetadata, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, f"worker_id=w {WORKER}") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["worker_id"] == "w"
    assert "continuing without metadata" in printed.err
    assert network.seconds == [pytest.approx(2.0, abs=1)]


def test_metadata_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run(tmp_path, WORKER, '{"id": "m"}') == 0
    assert json.loads(capsys.readouterr().out)["worker_id"] == "m"


@pytest.mark.parametrize("metadata", ["no json", "[]"])
def test_a_broken_file_of_metadata_that_is_only_wanted(
    tmp_path: Path, metadata: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, f"worker_id=w {WORKER}", metadata) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["worker_id"] == "w"
    assert "continuing without metadata: read metadata: the answer is not" in printed.err


def test_a_missing_file_of_metadata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cmdline").write_text(f"worker_id=w {WORKER}")
    files = ["--cmdline", str(tmp_path / "cmdline"), "--metadata", str(tmp_path / "none")]
    assert main(["--dry-run", *files]) == BAD_PARAMETERS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"No such file or directory: '{tmp_path}/none'" in printed.err


def test_a_quote_that_is_not_closed_is_reported_and_shows_no_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f'worker_id=w {WORKER} registry_username="me registry_password=hunter2'
    assert dry_run(tmp_path, line, '{"id": "m"}') == 2
    printed = capsys.readouterr()
    assert "registry_username: a double quote is not closed" in printed.err
    assert "hunter2" not in printed.out + printed.err


def test_metadata_without_a_dry_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--metadata", "/dev/null"])
    assert "--metadata is for --dry-run only" in capsys.readouterr().err


@pytest.mark.parametrize(
    "bad",
    ["hw_addr=zz", "instance_id=\x07", "HTTP_PROXY=x:y:z", "ipam=1:2", "vlan_id=9999", "ntp=/"],
)
def test_an_invalid_optional_value_is_reported_beside_the_plan(
    tmp_path: Path, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, f"worker_id=w {WORKER} {bad}", '{"id": "m"}') == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out)["worker_id"] == "w"
    assert printed.err.count("bad kernel parameter") == 1
    assert f"bootkit: bad kernel parameter {bad.partition('=')[0]}: " in printed.err


def test_an_invalid_address_is_not_reported_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(tmp_path, "hw_addr=zz grpc_authority=h:999999 tink_worker_image=r/w") == 2
    printed = capsys.readouterr().err
    assert "hw_addr: " in printed
    assert "worker_id" not in printed


@pytest.mark.parametrize("metadata", ["", "no json"])
def test_metadata_from_a_file_without_an_id(tmp_path: Path, metadata: str) -> None:
    assert dry_run(tmp_path, WORKER, metadata) == 3


def test_secrets_are_masked_on_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"worker_id=w {WORKER} docker_registry=r.example registry_username=u "
    text += "registry_password=hunter2 HTTP_PROXY=http://me:hunter3@p:1 instance_id=i"
    assert dry_run(tmp_path, text) == 0
    printed = capsys.readouterr()
    assert "hunter" not in printed.out + printed.err
    assert "REGISTRY_PASSWORD=********" in printed.err


def test_the_command_line_is_quoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'worker_id=w instance_id=i {WORKER} docker_registry=r.example registry_username="a b"'
    text += " registry_password=p"
    assert dry_run(tmp_path, text) == 0
    assert "'REGISTRY_USERNAME=a b'" in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run", "--cmdline", "/nonexistent"]) == BAD_PARAMETERS
    assert "/nonexistent" in capsys.readouterr().err


def test_nothing_is_written(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    (tmp_path / "cmdline").write_text(f"worker_id=w instance_id=i {WORKER}")
    arguments = ["--dry-run", "--cmdline", str(tmp_path / "cmdline"), "--state", str(state)]
    assert main(arguments) == 0
    assert not state.exists()


# Nobody closes the connection to the engine: the program has ended.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestTheRealRun:
    """Until the first sleep of the watch, when SIGTERM comes."""

    @pytest.fixture(autouse=True)
    def _signals_and_sleep(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        def sleep(_seconds: float) -> None:
            signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(time, "sleep", sleep)
        monkeypatch.setenv("RES_OPTIONS", "")
        before = {number: signal.getsignal(number) for number in (1, 2, 15)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def run(self, folder: Path, more: str = "", pull: str = "status") -> int:
        (folder / "cmdline").write_text(f"worker_id=w instance_id=i {WORKER} {more}\n")
        paths = {"cmdline": "cmdline", "state": "state.json", "engine": "docker.sock"}
        options = [f"--{name}={folder / path}" for name, path in paths.items()]
        options.append(f"--console={folder / 'console'}")
        engine = FakeEngine(folder / "docker.sock")
        engine.pulls["r.example/w:1"] = [{pull: f"the engine says {more}"}]
        with engine.serving():
            return main(options)

    def test_a_signal_ends_it_and_the_state_stays(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(tmp_path) == 0
        events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
        assert (events[0], events[-1]) == ("program.started", "program.ended")
        assert "worker.started" in events
        state = json.loads((tmp_path / "state.json").read_text())
        assert (state["phase"], state["worker_id"], state["last_error"]) == ("watch", "w", None)
        gc.collect()

    def test_repeats_do_not_change_its_exit_code(self, tmp_path: Path) -> None:
        """Python takes our handlers away before the process ends."""
        self.run(tmp_path)
        assert {signal.getsignal(number) for number in (1, 2, 15)} == {signal.SIG_IGN}
        gc.collect()

    def test_a_wait_raises_a_signal_that_was_dropped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def drop(signals: ShutdownSignals) -> None:
            signals._dropped = ShutdownRequested("SIGHUP")

        def sleep(_seconds: float) -> None:
            raise AssertionError("it waited all the same")

        monkeypatch.setattr(ShutdownSignals, "install", drop)
        monkeypatch.setattr(time, "sleep", sleep)
        assert self.run(tmp_path) == 0
        gc.collect()

    def test_a_password_that_the_engine_repeats_is_masked_everywhere(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        password = (
            "docker_registry=r.example insecure_registries=r.example registry_username=u "
            "registry_password=hunter2"
        )
        os.mkfifo(tmp_path / "console")
        console = os.open(tmp_path / "console", os.O_RDONLY | os.O_NONBLOCK)
        assert self.run(tmp_path, password, pull="error") == 0
        seen = {"console": os.read(console, 65536).decode(), "stdout": capsys.readouterr().out}
        os.close(console)
        seen["state"] = (tmp_path / "state.json").read_text()
        for sink, text in seen.items():
            assert "the engine says docker_registry=r.example" in text, sink
            assert "registry_password=********" in text, sink
            assert "hunter2" not in text, sink
        gc.collect()

    def test_silent_name_servers_are_given_up_soon(self, tmp_path: Path) -> None:
        self.run(tmp_path, pull="error")
        assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"
        gc.collect()

    def test_a_bug_in_the_boot_is_retried_and_logged_with_its_traceback(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def bug(_boot: Boot, _is_up: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Boot, "run", bug)
        assert self.run(tmp_path) == 0  # the signal comes in the wait for the retry
        failed = json.loads(capsys.readouterr().out.splitlines()[1])
        assert (failed["event"], failed["kind"]) == ("run.failed", "bug")
        assert "ZeroDivisionError" in failed["exception"]

    @pytest.mark.parametrize("failures", [1, 2])
    def test_a_crash_of_an_earlier_process_delays_the_first_run(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], failures: int
    ) -> None:
        record = RunRecord.beside(tmp_path / "state.json", time.monotonic)
        record.write(failures)
        assert self.run(tmp_path) == 0  # the signal comes in that wait, or in the watch
        events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
        assert ("run.delayed" in events) == (failures > 1)
        assert ("worker.started" in events) == (failures == 1)
        assert not record.path.exists()
        gc.collect()

    def test_a_run_is_recorded_while_it_is_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = ""

        def sleep(_seconds: float) -> None:
            nonlocal content
            content = (tmp_path / "runs.json").read_text()
            raise ShutdownRequested("SIGTERM")

        monkeypatch.setattr(time, "sleep", sleep)
        self.run(tmp_path)
        assert json.loads(content)["is_up"]
        gc.collect()

    def test_a_bug_before_that_ends_the_program(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def bug(_signals: ShutdownSignals) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(ShutdownSignals, "install", bug)
        assert self.run(tmp_path) == 1
        last = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert last["event"] == "program.failed"
        assert "ZeroDivisionError" in last["exception"]

    def test_a_signal_while_the_handlers_are_made_ends_it_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def install(_signals: ShutdownSignals) -> None:
            raise ShutdownRequested("SIGTERM")

        monkeypatch.setattr(ShutdownSignals, "install", install)
        assert self.run(tmp_path) == 0


class TestADryRunWithRegistryAuthUrl:
    URL = "https://t0psecret@f.example/auth.json"
    LINE = f"worker_id=w docker_registry=r.example registry_auth_url={URL} {WORKER}"

    def test_it_is_fetched_if_the_network_is_used_anyway(
        self, tmp_path: Path, network: FakeMetadata, capsys: pytest.CaptureFixture[str]
    ) -> None:
        auths = {
            "r.example": {"username": "u", "password": "Sesame-1"},
            "bad.example": {"auth": "Sesame-2"},
        }
        network.answers = {"/auth.json": json.dumps({"auths": auths}).encode()}
        assert dry_run(tmp_path, self.LINE) == 0
        printed = capsys.readouterr()
        plan = json.loads(printed.out)
        assert plan["registry_auth"] == {
            "url": "https://f.example/auth.json",
            "registries": ["r.example"],
        }
        assert plan["credentials_for"] == ["r.example/w:1"]
        assert plan["environment"]["REGISTRY_USERNAME"] == "u"
        assert "registry_auth_url: bad.example: its auth is not base64" in printed.err
        assert not [one for one in ("Sesame", "t0psecret") if one in printed.out + printed.err]

    def test_what_cannot_be_fetched_is_left_out(
        self, tmp_path: Path, network: FakeMetadata, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert dry_run(tmp_path, self.LINE) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["registry_auth"]["registries"] == []
        assert "continuing without registry_auth_url: GET https://f.example" in printed.err
        assert network.asked[-1].endswith("/auth.json")

    @pytest.mark.parametrize(("more", "metadata"), [("", "{}"), ("instance_id=i", None)])
    def test_it_is_not_fetched_otherwise(
        self, tmp_path: Path, network: FakeMetadata, more: str, metadata: str | None
    ) -> None:
        assert dry_run(tmp_path, f"{self.LINE} {more}", metadata) == 0
        assert network.asked == []
