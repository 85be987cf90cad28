"""Our idea of what dockerd takes, beside the dockerd that we ship: both accept, or both refuse."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from bootkit.engine.json import tag_if_needed
from sandbox.waiting import wait_for
from tests.engine.docker import Docker
from tink_docker.engine.daemon_json import daemon_json
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.table import read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinkie.parameters.parameter import Parameters

IMAGE = "tinkie/tink-docker:build"
NAME = f"tinkie-values-{os.getpid()}"
SECONDS = 60.0
MIRRORS = (
    *("https://m", "http://m:5000/", "HTTPS://m", "https://m/path", "https://m//a//b/", "m", "m:1"),
    *("https://u:p@m", "https://u@m", "https://m?x=y", "https://m/?x", "https://m/#x", "ftp://m"),
    *("https://m/%zz", "https://m/100%", "https://m/%41", "https://[fd00::1]:5000", "https://m/ü"),
    *("https://[fd00::1", "https://[fe80::1%eth0]", "https://m/a@b", "https://m/{x}", "://m"),
    *("https://m/a:b", "https://m:x", "https://m%zz"),
)
INSECURE = (
    *("a", "a:5000", "http://a:5000", "https://a:5000", "HTTP://a", "10.0.0.0/8", "10.0.0.1/8"),
    *(
        "fd00::/8",
        "fd00::1",
        "[fd00::1]:5000",
        "[fd00::1]",
        "a/b",
        "-a",
        "a-",
        "a_b",
        "a.b-",
        "10.0.0.0/33",
    ),
    *("10.0.0.0/255.0.0.0", "ftp://a", "*.example.com", "https://10.0.0.0/8", "A:5000", "a b"),
    *("index.docker.io", "localhost", "é", "a:x", "[fd00::1", "fd00::1]", "::1/128", "10.0.0.0/08"),
    *("http://http://a", "https://", "a,b"),
)
IMAGES = (
    *("a", "a:1", "a/b", "a.b/c", "a.b:5000/c/d:e", "localhost/a", "A/b", "a/B", "A.b/c", "a..b/c"),
    *("a.b/c@sha256:" + "0" * 64, "a@sha256:00", "a.b/c:t@sha256:" + "0" * 64, ":a", "a@"),
    *("a.b/c:" + "t" * 128, "a.b/c:" + "t" * 129, "a.b/c:-t", "a.b/c:.t", "a.b/c:_t"),
    *("a.b/" + "c" * 251, "a.b/" + "c" * 252, "[fd00::1]/a", "[fd00::1]:5000/a"),
    *("a.b/c__d", "a.b/c___d", "a.b/c--d"),
    *("a.b/-c", "a.b/c-", "a.b//c", "a.b/c/", "/a", "a b", "a.b/é", "https://a.b/c", "0" * 64),
    *("a.b/" + "0" * 64, "a.b:x/c", "-a.b/c", "a.b-/c", "a.b/c%41", "a.b/c?x"),
    *("a.b/c@sha512:" + "0" * 128, "a.b/c@md5:" + "0" * 32, "a.b/c@sha256:" + "A" * 64),
    "index.docker.io/a",
)  # fmt: skip
# What dockerd takes although it cannot work: we say so.
STRICTER = {
    "registry_mirrors": (
        "https://",
        "https://m:99999",
        "https://m#",
        "https://m?",
        "https://a..b",
        "https://-a",
    ),
    "insecure_registries": ("a:0", "10.0.0.256"),
    "tink_worker_image": ("a:", "a.b:0/c", "a.b:99999/c", "a" * 64 + ".b/c", "a_b.c/d"),
}
KEYS = {"registry_mirrors": "registry-mirrors", "insecure_registries": "insecure-registries"}


@dataclass(frozen=True)
class Reloaded:
    """A dockerd whose configuration is read again."""

    docker: Docker
    folder: Path
    numbers: Iterator[int]

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "docker.sock"

    def takes(self, key: str, value: str) -> bool:
        """Return whether it takes a value into a list of its configuration."""
        return self.reload({key: [value]})

    def reload(self, more: dict[str, list[str]]) -> bool:
        """Let it read other values; return whether it uses them."""
        label = f"try={next(self.numbers)}"
        refused = self._errors()
        self.write({**more, "labels": [label]})
        self.docker("kill", "--signal", "HUP", NAME)
        wait_for(
            "dockerd to read its configuration",
            lambda: label in self._info() or self._errors() > refused,
            seconds=SECONDS,
        )
        return label in self._info()

    def takes_image(self, text: str) -> bool:
        """Return whether it takes a text for an image's name; here, no pull succeeds."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            parameters = {"fromImage": text, **tag_if_needed(text)}
            answer = client.post("http://engine/images/create", params=parameters)
        return answer.status_code != httpx.codes.BAD_REQUEST

    def write(self, more: dict[str, list[str]]) -> None:
        config = daemon_json(read_parameters(Cmdline()), Proxies())
        # A key that is missing leaves what was read before.
        none: dict[str, list[str]] = {key: [] for key in KEYS.values()}
        (self.folder / "daemon.json").write_text(json.dumps(none | config | more))

    def answers(self) -> bool:
        return self.socket.exists() and bool(self._info())

    def _info(self) -> str:
        return Docker(f"unix://{self.socket}")("info")

    def _errors(self) -> int:
        path = Path(self.docker.inspect(NAME)["LogPath"])  # `docker logs` has it on stderr
        return path.read_text(encoding="utf-8").count("level=error")


@pytest.fixture(scope="module")
def dockerd(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reloaded]:
    folder = tmp_path_factory.mktemp("values")
    made = Reloaded(docker, folder, count(1))
    made.write({})
    options = ["--detach", "--privileged", "--network", "none", "--log-driver", "json-file"]
    options += ["--volume", f"{folder}:/test", "--volume", f"{folder}/run:/var/run"]
    options += ["--mount", "type=tmpfs,destination=/var/lib/docker"]
    both = (
        "containerd & exec dockerd --config-file /test/daemon.json --host unix:///var/run/docker.sock"
        " --containerd /run/containerd/containerd.sock"
    )
    command = ["sh", "-c", both]
    docker("run", "--name", NAME, *options, IMAGE, *command)
    try:
        wait_for("dockerd", made.answers, seconds=SECONDS)
        yield made
    finally:
        docker.remove(NAME)


@pytest.mark.parametrize(
    ("parameter", "values"), [("registry_mirrors", MIRRORS), ("insecure_registries", INSECURE)]
)
def test_lists(dockerd: Reloaded, parameter: str, values: tuple[str, ...]) -> None:
    key = KEYS[parameter]
    different = {}
    for text in values:
        ours = daemon_json(_read(parameter, text), Proxies()).get(key, [])
        theirs = all(dockerd.takes(key, value) for value in ours or [text])
        if theirs != bool(ours):
            different[text] = (ours, theirs)
    assert different == {}


def test_images(dockerd: Reloaded) -> None:
    assert dockerd.reload({})  # no odd mirror
    name = "tink_worker_image"
    different = [
        text for text in IMAGES if bool(_read(name, text).problems) == dockerd.takes_image(text)
    ]
    assert different == []


@pytest.mark.parametrize("parameter", STRICTER)
def test_what_we_refuse_although_dockerd_takes_it(dockerd: Reloaded, parameter: str) -> None:
    values = STRICTER[parameter]
    assert all(_read(parameter, text).problems for text in values)
    assert dockerd.reload({})
    if parameter in KEYS:
        refused = [text for text in values if not dockerd.takes(KEYS[parameter], text)]
    else:
        refused = [text for text in values if not dockerd.takes_image(text)]
    assert refused == []


def _read(parameter: str, text: str) -> Parameters:
    return read_parameters(Cmdline(((parameter, text),)))
