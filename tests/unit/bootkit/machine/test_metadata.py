from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootkit.machine.metadata import (
    MachineMetadata,
    MetadataService,
    ec2_leaves,
    metadata_url,
    parse_hegel,
)
from tests.fakes.metadata import FakeMetadata
from tests.strategies import TEXT, mutants, outcome
from tinkie.errors import BootError, PermanentError, TransientError
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

if TYPE_CHECKING:
    from collections.abc import MutableMapping

EC2 = "/2009-04-04/meta-data/"


def service(fake: FakeMetadata, url: str = "http://10.0.0.1:7080") -> MetadataService:
    return MetadataService(url, Fetcher(transport=fake.transport))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", None),
        ("grpc_authority=10.0.0.1:42113", "http://10.0.0.1:7080"),
        ("grpc_authority=[fd00::1]:42113", "http://[fd00::1]:7080"),
        ("grpc_authority=10.0.0.1:1 tinkerbell=http://b", "http://b:50061/metadata"),
        ("tinkerbell=b", "http://b:50061/metadata"),
        ("tinkerbell=http://b:8080/", "http://b:50061/metadata"),
        ("tinkerbell=https://[fd00::1]", "https://[fd00::1]:50061/metadata"),
        ("tinkerbell=http://b metadata_url=http://c/metadata", "http://c/metadata"),
    ],
)
def test_where_the_metadata_is(text: str, url: str | None) -> None:
    parameters = read_parameters(Cmdline.parse(f"tink_worker_image=a/b {text}"))
    assert (metadata_url(parameters), parameters.problems) == (url, {})


RECORD = {
    "id": "hardware",
    "metadata": {"instance": {"id": "instance", "hostname": "host"}},
    "network": {"interfaces": [{"dhcp": {"hostname": "lease"}}]},
}


@pytest.mark.parametrize(
    ("body", "machine"),
    [
        pytest.param(json.dumps(RECORD), MachineMetadata("hardware", "host"), id="whole record"),
        pytest.param(
            json.dumps(RECORD | {"metadata": {"instance": {}}}),
            MachineMetadata("hardware", "lease"),
            id="whole record without an instance",
        ),
        pytest.param('{"id": "i", "hostname": "h"}', MachineMetadata("i", "h"), id="instance"),
        pytest.param('{"id": " i\\n"}', MachineMetadata("i"), id="white space"),
        pytest.param("", MachineMetadata(), id="empty"),
        pytest.param("\n", MachineMetadata(), id="blank"),
        pytest.param('{"metadata": {"instance": {"storage": {}}}}', MachineMetadata(), id="2026"),
        pytest.param(
            '{"id": 5, "metadata": [], "network": "x"}', MachineMetadata(), id="odd types"
        ),
        pytest.param('{"network": {"interfaces": ["x"]}}', MachineMetadata(), id="odd interface"),
        pytest.param('{"id": null, "metadata": null}', MachineMetadata(), id="nulls"),
    ],
)
def test_the_shapes_of_hegels_answer(body: str, machine: MachineMetadata) -> None:
    assert parse_hegel(body.encode()) == machine


FIRST, SECOND = "52:54:00:AB:00:01", "52:54:00:ab:00:02"
MADE = "bond0:52-54-00-ab-00-01,52-54-00-ab-00-02:mode=802.3ad,miimon=100"
BONDED = [{"name": "eth0", "mac": FIRST, "bond": "bond0"}, {"mac": SECOND, "bond": "bond0"}]
LEASES = [{"dhcp": {"mac": FIRST}, "netboot": {}}, {"dhcp": {"mac": SECOND}}]


def packet(interfaces: object, mode: object = 4) -> dict[str, object]:
    return {"id": "i", "network": {"bonding": {"mode": mode}, "interfaces": interfaces}}


def record(interfaces: object, mode: object = 4) -> dict[str, object]:
    return {"metadata": {"bonding_mode": mode}, "network": {"interfaces": interfaces}}


@pytest.mark.parametrize(
    ("answer", "bond"),
    [
        (packet(BONDED), MADE),
        (packet([*BONDED, {"mac": "52:54:00:ab:00:03", "bond": None}]), MADE),
        (packet([*BONDED, {"mac": "52:54:00:ab:00:03", "bond": "bond1"}]), MADE),
        (packet([one | {"bond": "agg"} for one in BONDED], 1), "agg" + MADE[5:]),
        (record(LEASES), MADE),
        (record(LEASES, 0), None),
        (record(LEASES, "0"), None),
        (record(LEASES, "4"), MADE),
        (record(LEASES, None), None),
        (record([*LEASES, {"dhcp": {"mac": ""}}, *LEASES]), MADE),
        ({"network": {"interfaces": BONDED}}, None),
        ({}, None),
    ],
)
def test_the_bond_of_both_styles(answer: dict[str, object], bond: str | None) -> None:
    expected = bond and bond.replace("802.3ad", "active-backup" if "agg" in bond else "802.3ad")
    found = parse_hegel(json.dumps(answer).encode()).bond
    assert (found and str(found)) == expected


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (packet(BONDED[:1]), "it has 1 NICs"),
        (packet("x"), "it has 0 NICs"),
        (record([LEASES[0], {"dhcp": {"mac": FIRST.lower()}}]), "it has 1 NICs"),
        (packet(BONDED, 7), "not one of balance-rr"),
        (packet(BONDED, [4]), "not one of balance-rr"),
        (packet([one | {"bond": "../x"} for one in BONDED]), "not a name"),
        (packet([one | {"bond": ["x"]} for one in BONDED]), "not a name"),
        (packet([BONDED[0], BONDED[1] | {"mac": "x/"}]), "one of its NICs"),
        (record([{}, {"dhcp": None}]), "it has 0 NICs"),
    ],
)
def test_a_bond_that_cannot_be_made_is_reported(
    answer: dict[str, object], why: str, events: list[MutableMapping[str, object]]
) -> None:
    machine = parse_hegel(json.dumps(answer | {"id": "i"}).encode())
    assert (machine.id, machine.bond) == ("i", None)
    (event,) = events
    assert event["event"] == "metadata.ignored"
    assert str(event["error"]).startswith(why)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"id"', b"\xff", b'{"id":'])
def test_an_invalid_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(PermanentError, match="read metadata: the answer is not"):
        parse_hegel(body)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:7080",
        "http://10.0.0.1:7080/",
        "http://10.0.0.1:7080/2009-04-04",
        "http://10.0.0.1:7080/2009-04-04/meta-data/",
    ],
)
def test_the_ec2_style(url: str) -> None:
    fake = FakeMetadata({EC2 + "instance-id": b"i-1\n", EC2 + "hostname": b"host"})
    assert service(fake, url).find(seconds=2) == MachineMetadata("i-1", "host")


def test_an_address_with_an_instance_in_it() -> None:
    url = "http://h/tootles/instanceID/i-1/2009-04-04"
    assert ec2_leaves(url) == url + "/meta-data/"


def test_a_missing_value_is_an_empty_answer() -> None:
    fake = FakeMetadata({EC2 + "instance-id": b"", EC2 + "hostname": 404})
    assert service(fake).find(seconds=2) == MachineMetadata()


def test_an_answer_of_another_service_is_an_error() -> None:
    fake = FakeMetadata({EC2 + "instance-id": b"<html>\n<body>"})
    with pytest.raises(PermanentError, match="the answer is not one plain value") as caught:
        service(fake).find(seconds=2)
    assert "metadata_url" in caught.value.hint


def test_an_unknown_machine_is_an_error() -> None:
    with pytest.raises(PermanentError, match="404") as caught:
        service(FakeMetadata()).find(seconds=2)
    assert caught.value.kind == "not-found"
    assert "metadata_url" in caught.value.hint


def test_a_service_that_is_down_is_a_transient_error() -> None:
    refused = httpx.ConnectError("refused")
    refused.__cause__ = OSError(111, "Connection refused")
    with pytest.raises(TransientError):
        service(FakeMetadata({"/metadata": refused}), "http://h/metadata").find(seconds=2)


def test_an_endless_answer_is_refused() -> None:
    huge = FakeMetadata({"/metadata": bytes(5 * 1024 * 1024)})
    with pytest.raises(PermanentError, match="larger than"):
        service(huge, "http://h/metadata").find(seconds=2)


def check_machine(machine: MachineMetadata | BootError) -> None:
    if isinstance(machine, BootError):
        assert "read metadata: " in str(machine)
        return
    for text in (machine.id, machine.hostname):
        assert text is None or (text.isprintable() and " " not in text and 0 < len(text) < 256)


@given(
    (mutants(RECORD) | mutants(packet(BONDED)) | mutants(record(LEASES)))
    .map(json.dumps)
    .map(str.encode)
    | st.binary()
)
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"id": "a\\u0000b"}')
@example(b'{"id": "a\\ud800b"}')
@example(b'{"id": "a\\u001b[31m"}')
@example(b'{"id": "' + b"a" * 100_000 + b'"}')
@example(b'{"id": "m", "hostname": "a\\nb"}')
@example(b'{"id": ' + b"9" * 5000 + b"}")
def test_hegels_answer_is_a_machine_or_an_error(body: bytes) -> None:
    check_machine(outcome(lambda: parse_hegel(body)))


@given(TEXT.map(lambda text: text.encode(errors="replace")) | st.binary())
@example(b"i-\xff")
@example(b"a\x1bb")
@example(b"a" * 100_000)
def test_an_ec2_value_is_a_word_or_an_error(value: bytes) -> None:
    fake = FakeMetadata({f"{EC2}instance-id": value, f"{EC2}hostname": value})
    check_machine(outcome(lambda: service(fake).find(seconds=9)))
