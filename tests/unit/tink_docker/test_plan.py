from __future__ import annotations

import json
import os
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import plan as boot
from tink_docker.engine import networks as networks_module
from tink_docker.engine.daemons import EngineDaemons
from tink_docker.engine.routes import Route
from tink_docker.engine.socket import Listener
from tink_docker.plan import SIGNS, Plan, keeper
from tinkie.errors import PermanentError
from tinkie.parameters.cmdline import Cmdline

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]

POOLS = [{"base": base, "size": 24} for base in ("198.19.0.0/16", "172.29.0.0/16", "10.254.0.0/16")]
CA = "registry_ca_url=http://tb/ca.pem docker_registry=reg.example:5000"


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done on the way to a started dockerd, in order."""
    done: list[str] = []

    def start(_containerd: object, dockerd: Any, _serving: object, **_: object) -> str:
        assert SIGNS in dockerd.args  # a partial of start_dockerd
        done.append(f"start {(tmp_path / 'daemon.json').exists()}")
        return "engine"

    opened = Listener.open(tmp_path / "docker.sock", os.getgid())
    opened.socket.close()
    monkeypatch.setattr(Listener, "open", lambda: opened)
    monkeypatch.setattr(boot, "CONFIG_PATH", tmp_path / "daemon.json")
    route = Route("eth0", IPv4Network("198.18.0.0/16"))
    monkeypatch.setattr(networks_module, "read_routes", lambda: [route])
    monkeypatch.setattr(networks_module, "read_name_servers", list)
    monkeypatch.setattr(boot, "stop_leftovers", lambda: done.append("clear"))
    monkeypatch.setattr(boot, "remove_incomplete_layers", lambda: done.append("layers"))
    monkeypatch.setattr(EngineDaemons, "start", start)
    return done


def test_the_configuration_is_there_before_dockerd_is(
    started: list[str], tmp_path: Path, clock: Clock
) -> None:
    plan = Plan.from_cmdline(Cmdline.parse("HTTP_PROXY=http://u:secret@px"))
    ours = keeper(plan, wait=clock.wait, now=clock.now)
    assert str(ours.start(clock.wait)) == "engine"
    assert started == ["clear", "layers", "start True"]
    path = tmp_path / "daemon.json"
    networks = {"bip": "198.51.100.1/24", "default-address-pools": POOLS}  # eth0 has the first
    assert json.loads(path.read_text(encoding="utf-8")) == {**plan.config, **networks}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("started")
def test_a_configuration_that_cannot_be_written_is_an_error(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(boot, "CONFIG_PATH", tmp_path / "file/daemon.json")
    ours = keeper(Plan.from_cmdline(Cmdline()), wait=clock.wait, now=clock.now)
    with pytest.raises(PermanentError, match=r"writing .*daemon\.json"):
        ours.start(clock.wait)


@pytest.mark.usefixtures("started")
def test_a_ca_is_fetched_if_there_is_one(clock: Clock) -> None:
    with_one = keeper(Plan.from_cmdline(Cmdline.parse(CA)), wait=clock.wait, now=clock.now)
    assert [one.plan.url for one in with_one.ca_fetchers] == ["http://tb/ca.pem"]
    without = keeper(Plan.from_cmdline(Cmdline()), wait=clock.wait, now=clock.now)
    assert without.ca_fetchers == ()


@pytest.mark.usefixtures("started")
def test_a_bad_pin_stops_the_ca_and_not_the_engine(clock: Clock, events: Events) -> None:
    plan = Plan.from_cmdline(Cmdline.parse(f"{CA} registry_ca_sha256=zz"))
    ours = keeper(plan, wait=clock.wait, now=clock.now)
    assert ours.ca_fetchers == ()
    assert str(ours.start(clock.wait)) == "engine"
    assert events[0]["event"] == "ca.failed"
    assert "registry_ca_sha256" in events[0]["error"]


def test_a_network_that_would_hide_a_host_is_a_bad_parameter() -> None:
    line = "engine_networks=10.1.2.0/24,10.1.2.0/25,10.3.0.0/24 tinkerbell=10.1.2.9 syslog_port=x"
    plan = Plan.from_cmdline(Cmdline.parse(line))
    assert list(plan.problems) == ["syslog_port", "engine_networks"]
    assert plan.problems["engine_networks"] == (
        "element 2: it overlaps element 1; using the others (2); "
        "10.1.2.0/24 is not used, since it contains 10.1.2.9 (tinkerbell)"
    )
    assert plan.as_json()["daemon.json"]["bip"] == "10.3.0.1/24"


def test_tinkerbells_own_host_is_asked_without_the_proxy() -> None:
    line = "packet_base_url=http://10.0.0.1:8080/workflow docker_registry=10.0.0.1 HTTP_PROXY=http://px"
    plan = Plan.from_cmdline(Cmdline.parse(line))
    (certificates,) = plan.certificates.plans
    assert plan.proxies.for_url(certificates.url) is None
    assert plan.proxies.for_url("http://elsewhere/") == "http://px"


@pytest.mark.usefixtures("started")
def test_a_reboot_waits_for_the_containers_of_our_own_engine(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def running(path: Path) -> list[str]:
        asked.append(path)
        return ["action_stream"]

    monkeypatch.setattr(boot, "running_containers", running)
    ours = keeper(Plan.from_cmdline(Cmdline()), wait=clock.wait, now=clock.now)
    before = ours.listener.address
    assert ours.broker.idle.running() == ["action_stream"]
    ours.listener.publish()
    assert ours.broker.idle.running() == ["action_stream"]
    assert asked == [before, ours.listener.path]


@pytest.mark.usefixtures("started")
def test_the_worker_of_our_own_engine_makes_way_for_another_bridge(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[Path, str]] = []
    monkeypatch.setattr(boot, "running_containers", lambda path: [str(path)])
    monkeypatch.setattr(boot, "kill_container", lambda path, name: killed.append((path, name)))
    ours = keeper(Plan.from_cmdline(Cmdline()), wait=clock.wait, now=clock.now)
    assert ours.planned_restart.idle.running() == [str(ours.listener.address)]
    ours.planned_restart.kill("tink-worker")
    assert killed == [(ours.listener.address, "tink-worker")]
