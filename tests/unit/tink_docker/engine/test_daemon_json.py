from __future__ import annotations

import json
from pathlib import Path

import pytest

from tink_docker.plan import Plan
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.parameter import Reader
from tinkie.parameters.table import names_read_by

DATA = Path(__file__).parents[3] / "data"
LINES = sorted(path.parent.name for path in DATA.glob("*/cmdline"))


def config(line: str) -> dict[str, object]:
    return dict(Plan.from_cmdline(Cmdline.parse(line)).config)


def test_there_are_three_generations_and_one_with_everything() -> None:
    assert LINES == ["2021-boots", "2024-smee", "2026-tinkerbell", "everything"]
    everything = Cmdline.read(DATA / "everything" / "cmdline").values()
    assert set(names_read_by(Reader.TINK_DOCKER)) <= everything.keys()


@pytest.mark.parametrize("line", LINES)
def test_golden_files(line: str) -> None:
    plan = Plan.from_cmdline(Cmdline.read(DATA / line / "cmdline"))
    golden = json.loads((DATA / line / "tink-docker.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(plan.as_json())) == golden
    assert plan.problems == {}


def test_the_socket_is_handed_over_and_nothing_else_listens() -> None:
    assert "hosts" not in config("")
    assert config("")["live-restore"] is True


def test_logs_are_bounded_and_can_be_read_with_both_drivers() -> None:
    assert config("")["log-opts"] == {"max-size": "4m", "max-file": "2"}
    forwarded = config("syslog_host=fd00::1 syslog_port=1514")
    assert forwarded["log-driver"] == "syslog"
    assert forwarded["log-opts"] == {
        "syslog-address": "udp://[fd00::1]:1514",
        "tag": "container/{{.Name}}",
        "cache-max-size": "4m",
        "cache-max-file": "2",
    }


def test_a_bad_port_does_not_cost_the_logs() -> None:
    options = config("syslog_host=192.0.2.1 syslog_port=none")["log-opts"]
    assert isinstance(options, dict)
    assert options["syslog-address"] == "udp://192.0.2.1:514"


def test_a_name_that_may_not_resolve_keeps_no_container_down() -> None:
    assert config("syslog_host=logs.example")["log-driver"] == "local"
    assert Plan.from_cmdline(Cmdline.parse("syslog_host=logs.example")).syslog_name
    assert not Plan.from_cmdline(Cmdline.parse("syslog_host=192.0.2.1")).syslog_name


def test_registries_and_proxies() -> None:
    line = "insecure_registries=a:5000 registry_mirrors=https://m https_proxy=http://u:p@px:3128"
    found = config(line + " NO_PROXY=x grpc_authority=10.0.0.1:42113")
    assert found["insecure-registries"] == ["a:5000"]
    assert found["registry-mirrors"] == ["https://m"]
    assert found["proxies"] == {"https-proxy": "http://u:p@px:3128", "no-proxy": "x,10.0.0.1"}


def test_what_is_not_asked_for_is_not_there() -> None:
    absent = {"insecure-registries", "registry-mirrors", "proxies"}
    assert absent.isdisjoint(config("NO_PROXY=x"))
