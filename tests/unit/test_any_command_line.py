"""Whatever stands on the command line: both programs plan or report what is wrong, by name."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import bootkit.cli
import tink_docker.cli
from bootkit.machine.metadata import MachineMetadata
from bootkit.plan.inputs import Inputs, plan
from settings.files import main as settings
from tests.strategies import LINES, PARAMETERS, TEXT, as_bytes
from tink_docker.plan import Plan
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.cmdline import KEPT_BYTES, Cmdline
from tinkie.parameters.ipam import StaticAddress, StaticRoute
from tinkie.parameters.table import (
    DOCKER_REGISTRY,
    TABLE,
    TINK_WORKER_IMAGE,
    WORKER_ID,
    read_parameters,
)
from tinkie.parameters.types import Secret, in_url
from tinkie.parameters.url_secrets import secrets_in_url
from tinkie.running.redaction import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bootkit.plan.worker import WorkerSpec
    from tinkie.parameters.parameter import Parameter

SHELL = set(";$`'\"&|<>\\")
WORKER = "worker_id=w tink_worker_image=r.example/w"


@pytest.fixture(autouse=True, scope="module")
def _no_metadata() -> Iterator[None]:
    """Have the metadata service answer 404; a fixture of a function would not fit properties."""
    with pytest.MonkeyPatch.context() as patch:
        transport = httpx.MockTransport(lambda _: httpx.Response(404))
        patch.setattr(Inputs, "fetcher", lambda _: Fetcher(transport=transport))
        yield


def check_problems(problems: Mapping[str, str]) -> None:
    assert set(problems) <= set(PARAMETERS)
    for reason in problems.values():
        assert reason.isprintable()
        assert len(reason) < 500


def check_texts(texts: Iterable[str]) -> None:
    """Texts that leave for another program: UTF-8, one line, nothing that moves a cursor."""
    for text in texts:
        assert text.isprintable(), text


@given(LINES)
@example("worker_id=w tink_worker_image=x HTTP_PROXY=http://p\udcff")
@example('worker_id=w tink_worker_image=x registry_username="a\nb"')
@example('worker_id=w tink_worker_image=x registry_password="a\nb" registry_username=u')
@example("worker_id=w tink_worker_image=x grpc_authority=$(reboot):1")
@example("worker_id=w tink_worker_image=x grpc_authority=h:\u0665\u0661\u0664")
def test_bootkit_has_a_plan_or_tells_what_is_wrong(line: str) -> None:
    cmdline = Cmdline.parse(line)
    inputs = Inputs.from_cmdline(cmdline)
    check_problems(inputs.problems)
    if inputs.known_id and (inputs.parameters[TINK_WORKER_IMAGE] or not inputs.problems):
        check_spec(plan(inputs, MachineMetadata(id="m")), inputs)


def check_spec(spec: WorkerSpec, inputs: Inputs) -> None:
    check_texts(spec.environment.values())
    check_texts(map(str, spec.images))
    server = spec.environment.get("TINKERBELL_GRPC_AUTHORITY", "")
    assert server.isascii()
    assert not set(server) & SHELL
    json.dumps(spec.as_json(), ensure_ascii=False).encode()
    registry = inputs.parameters[DOCKER_REGISTRY]
    for image in spec.images:
        if spec.credentials_for(image):
            assert registry
            ours, theirs = registry.domain, image.domain
            assert theirs.lower() == ours.lower()


@given(LINES)
@example("packet_base_url=http://tb docker_registry=a.b HTTPS_PROXY=http://p\udcff")
@example("HTTP_PROXY=http://p tinkerbell=http://\udcff")
def test_tink_docker_always_has_a_plan(line: str) -> None:
    made = Plan.from_cmdline(Cmdline.parse(line))
    check_problems(made.problems)
    text = json.dumps(made.as_json(), ensure_ascii=False)
    text.encode()
    check_texts(strings_in(json.loads(text)))


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in (*value, *value.values()) for text in strings_in(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in strings_in(item))


@given(line=LINES)
def test_what_was_understood_is_understood_again(line: str) -> None:
    once = read_parameters(Cmdline.parse(line))
    values = [(row.name, written(once[row])) for row in TABLE]
    again = read_parameters(Cmdline(tuple((name, value) for name, value in values if value)))
    assert [again[row] for row in TABLE] == [once[row] for row in TABLE]


def written(value: object) -> str:
    """Return the text that means a value."""
    match value:
        case None:
            return ""
        case tuple():
            return ",".join(map(str, value))
        case Secret():
            return value.reveal()
        case StaticAddress():
            return written_ipam(value)
        case _:
            return str(value)


def written_ipam(value: StaticAddress) -> str:
    address, prefix = value.address.split("/")
    hosts = [",".join(map(in_url, many)) for many in (value.name_servers, value.search)]
    times = ",".join(map(in_url, value.time_servers))
    head = [value.mac.replace(":", "-"), str(value.vlan or ""), in_url(address), prefix]
    routes = ",".join(map(written_route, value.routes))
    more = [*hosts, times, str(value.mtu or ""), routes]
    return ":".join([*head, in_url(value.gateway), in_url(value.hostname), *more])


def written_route(route: StaticRoute) -> str:
    address, prefix = route.network.split("/")
    gateway = f"@{in_url(route.gateway)}" if route.gateway else ""
    return f"{in_url(address)}/{prefix}{gateway}"


@given(st.sampled_from(TABLE), st.sampled_from(["a\udcffb", "\udcc3"]))
def test_a_value_that_is_not_utf8_is_reported_by_its_name_and_others_are_used(
    row: Parameter[object], value: str
) -> None:
    cmdline = Cmdline.parse(f"{WORKER} docker_registry=r.example {row.name}={value}")
    parameters = read_parameters(cmdline)
    assert list(parameters.problems) == [row.name]
    assert parameters[row] == row.default
    for other in {WORKER_ID, TINK_WORKER_IMAGE, DOCKER_REGISTRY} - {row}:
        assert parameters[other]


def cmdline_file(folder: str, data: bytes) -> Path:
    path = Path(folder) / "cmdline"
    path.write_bytes(data)
    return path


def run(main: Callable[[list[str]], int], *arguments: str) -> tuple[int, str, str]:
    """Run a program; return its exit code and what it printed, as a pipe gets it."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    REDACTOR.reset()
    return code, read_back(out), read_back(err)


def read_back(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def run_settings(cmdline: Path, folder: str) -> tuple[int, dict[str, str], str]:
    output = Path(folder) / "settings"
    code, _, messages = run(settings, "--cmdline", str(cmdline), "--output", str(output))
    return code, {path.name: path.read_text() for path in output.iterdir()}, messages


@given(LINES)
@example("syslog_host=h syslog_port=\u0665\u0661\u0664")
@example("syslog_host=h syslog_port=" + "9" * 5000)
@example("syslog_host=:")
def test_settings_are_lines_that_their_readers_understand(line: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code, files, problems = run_settings(cmdline_file(folder, as_bytes(line)), folder)
    assert (code == 2) == bool(problems)
    for text in files.values():
        for row in text.splitlines():
            assert row.isascii()
            assert row.isprintable()
            assert not set(row) & SHELL
    assert all(len(row) < 300 for row in problems.splitlines())


@given(
    LINES, st.none() | st.sampled_from(["", "x", '{"id": "m"}', '{"id": "a\\u001bb"}', "[" * 9999])
)
def test_dry_runs_end_with_one_of_their_exit_codes(line: str, metadata: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = cmdline_file(folder, as_bytes(line))
        options = ["--dry-run", "--cmdline", str(path)]
        engine = run(tink_docker.cli.main, *options)
        if metadata is not None:
            (Path(folder) / "metadata").write_text(metadata)
            options += ["--metadata", str(Path(folder) / "metadata")]
        worker = run(bootkit.cli.main, *options)
    assert engine[0] in (0, 2)
    json.loads(engine[1])
    assert worker[0] in (0, 2, 3)
    assert bool(worker[1]) >= (worker[0] == 0)
    assert not (worker[1] and worker[0] == 3)
    check_texts((engine[2] + worker[2]).splitlines())


def dry_runs(line: str) -> str:
    """Return all that both programs print for a command line."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--dry-run", "--cmdline", str(cmdline_file(folder, as_bytes(line))))
        printed = run(tink_docker.cli.main, *options)[1:] + run(bootkit.cli.main, *options)[1:]
    return "".join(printed)


CANARY = st.text(alphabet="aB9'\\@:/%+$;#?é,[]!~", max_size=6).map("canary{}".format)
IN_A_URL = (
    "metadata_url", "tinkerbell", "grpc_cert_url", "packet_base_url", "registry_ca_url",
    "registry_auth_url", "trusted_ca_url", "registry_mirrors", "insecure_registries", "HTTP_PROXY",
    "https_proxy", "NO_PROXY",
)  # fmt: skip


@given(CANARY, st.sampled_from(IN_A_URL), st.sampled_from(["http://u:", "https://u:", "u:"]), TEXT)
@example("canary'b", "HTTP_PROXY", "http://u:", "h")
@example("canary@b", "metadata_url", "http://u:", "h")
@example("canary@b", "packet_base_url", "http://u:", "h")
@example("canary://b", "HTTP_PROXY", "http://u:", "h")
@example("canary", "metadata_url", "http://u:", "h\u2100")
@example("canary/b", "HTTPS_PROXY", "http://u:", "h")
@example("a@ss/canary", "HTTPS_PROXY", "http://u:", "h")
@example("canary]", "registry_ca_url", "http://[", "h")
def test_a_dry_run_shows_no_password(canary: str, name: str, start: str, host: str) -> None:
    if name == "NO_PROXY":
        start = "http://u:"
    assume('"' not in host and "@" not in host)
    line = f'{WORKER} docker_registry=r.example registry_username=u registry_password="{canary}" '
    line += f'instance_id=i {name}="{start}{canary}@{host}"'
    assert "canary" not in dry_runs(line)


@given(
    st.sampled_from(IN_A_URL), st.sampled_from(["\udcff", "u\udce4", "u:p\udce4", "u:\udce4%zz"])
)
def test_a_user_that_is_not_utf8_is_reported_and_the_rest_goes_on(name: str, user: str) -> None:
    line = f"{WORKER} docker_registry=r.example {name}=http://{user}@h"
    assert [one.lower() for one in read_parameters(Cmdline.parse(line)).problems] == [name.lower()]
    with tempfile.TemporaryDirectory() as folder:
        path = cmdline_file(folder, line.encode(errors="surrogateescape"))
        for main in (bootkit.cli.main, tink_docker.cli.main):
            code, planned, _ = run(main, "--dry-run", "--cmdline", str(path))
            assert code in (0, 2)
            assert planned


SHORT = [
    "registry_password={} registry_username=u", "HTTPS_PROXY=http://user:{}@proxy.example:3128",
    "http_proxy=http://{}@proxy.example:3128", "HTTP_PROXY=http://user:{}@ss/w0rd@proxy.example",
]  # fmt: skip


@pytest.mark.parametrize("parameter", SHORT)
def test_a_short_password_is_masked_in_its_place_and_makes_nothing_else_unreadable(
    parameter: str,
) -> None:
    start = f"{WORKER} docker_registry=r.example instance_id=i"
    expected = dry_runs(f"{start} {parameter.format('correct-horse')}")
    assert "correct-horse" not in expected
    for password in ("p", "ö", "pqr"):
        assert dry_runs(f"{start} {parameter.format(password)}") == expected


WITH_A_QUERY = [
    *(row.name for row in TABLE if row.secrets is secrets_in_url),
    *("registry_mirrors", "HTTP_PROXY", "https_proxy"),
]
# A token in base64 may end with one = or two.
QUERIES = [
    "{}", "t={}", "code={}&t=abcdefghij", "a=1&{}", "X-Amz-Signature={}&v=1", "{}=", "{}==",
    "v=12345678&{}=", "{}=&v=12345678", "token={}=", "t=canary@{}",
]  # fmt: skip


@given(
    CANARY,
    st.sampled_from(WITH_A_QUERY),
    st.sampled_from(QUERIES),
)
@example("canary//", "packet_base_url", "code={}")
@example("canary%", "grpc_cert_url", "code={}&t=abcdefghij")
@example("canary#", "grpc_cert_url", "code={}&t=abcdefghij")
@example("canary", "grpc_cert_url", "{}=")
@example("canary", "registry_ca_url", "v=12345678&{}=")
def test_a_dry_run_shows_no_query(canary: str, name: str, query: str) -> None:
    line = f'{WORKER} docker_registry=r.example instance_id=i {name}="http://h/c?'
    line += f'{query.format(canary)}"'
    printed = dry_runs(line)
    assert "canary" not in printed
    assert "abcdefghij" not in printed


def test_every_parameter_that_is_a_url_is_among_them() -> None:
    urls = {row.name for row in TABLE if row.value.startswith("URL")}
    assert urls <= {*WITH_A_QUERY, "HTTPS_PROXY"}
    assert urls <= {*IN_A_URL, "HTTPS_PROXY"}


LONG = (WORKER + " docker_registry=r.example instance_id=i x=").ljust(KEPT_BYTES, "y")


@pytest.mark.parametrize("main", [bootkit.cli.main, tink_docker.cli.main])
@pytest.mark.parametrize(
    ("line", "reported"), [(LONG, True), (LONG[:-1], False), (LONG + "y", True)]
)
def test_a_dry_run_says_that_the_kernel_may_have_cut_the_line(
    main: Callable[[list[str]], int], line: str, tmp_path: Path, *, reported: bool
) -> None:
    path = cmdline_file(str(tmp_path), f"{line}\n".encode())
    code, _, errors = run(main, "--dry-run", "--cmdline", str(path))
    assert code == 0
    assert ("the kernel keeps 2047" in errors) is reported
