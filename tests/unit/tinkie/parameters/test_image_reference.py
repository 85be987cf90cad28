from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinkie.parameters.image_reference import (
    ImageReference,
    Registry,
    same_registry,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("tinkerbell/tink-agent", "docker.io/tinkerbell/tink-agent:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/a/b", "docker.io/a/b:latest"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a:b", "localhost:5000/a:b"),
        ("ghcr.io/tinkerbell/tink-agent:v0.25.0", "ghcr.io/tinkerbell/tink-agent:v0.25.0"),
        ("192.168.1.1/tink-worker", "192.168.1.1/tink-worker:latest"),
        ("192.168.1.1:443/tink-worker:x", "192.168.1.1:443/tink-worker:x"),
        ("[::1]/a", "[::1]/a:latest"),
        ("[fd00::1]:5000/a/b:c", "[fd00::1]:5000/a/b:c"),
        ("REG/a", "REG/a:latest"),
        (f"r.example/a@{DIGEST}", f"r.example/a@{DIGEST}"),
        (f"r.example/a:v1@{DIGEST}", f"r.example/a:v1@{DIGEST}"),
        ("r.example/a__b-c.d/e", "r.example/a__b-c.d/e:latest"),
    ],
)
def test_names_are_read_as_docker_does(text: str, full: str) -> None:
    assert full_name(ImageReference.parse(text)) == full


def full_name(reference: ImageReference) -> str:
    tag = f":{reference.tag}" if reference.tag else ""
    digest = f"@{reference.digest}" if reference.digest else ""
    return f"{reference.domain}/{reference.path}{tag}{digest}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "r.example/",
        "r.example/A",
        "r.example:port/a",
        "http://r.example/a",
        "user@r.example/a",
        "user:pw@r.example/a",
        "r.example/a:",
        "r.example/a b",
        "r.example/../a",
        "r.example//a",
        "r..example/a",
        "-r.example/a",
        "[::1/a",
        "r.example/a@sha256:00",
        "r.example/a@sha256:" + "0" * 63,
        "r.example/a@sha256:" + "A" * 64,
        "r.example/a@md5:" + "0" * 64,
        "0" * 64,
        "r.example/" + "a" * 256,
        "r.example/a@",
        "registrу.example.com/a",  # noqa: RUF001 - a Cyrillic letter
        "r.example/a\n",
    ],
)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Docker understands"):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("registry", "domain"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("reg.example.com:5000", "reg.example.com:5000"),
        ("ghcr.io/tinkerbell", "ghcr.io"),
        ("docker.io", "docker.io"),
        ("[fd00::1]:5000", "[fd00::1]:5000"),
    ],
)
def test_the_host_of_a_registry(registry: str, domain: str) -> None:
    assert Registry.parse(registry).domain == domain


@pytest.mark.parametrize("registry", ["https://reg.example.com", "a b", "reg.example.com:x", "@"])
def test_what_is_no_registry(registry: str) -> None:
    with pytest.raises(ValueError, match="without https"):
        Registry.parse(registry)


@pytest.mark.parametrize("host", ["a" * 64 + ":5000", "b." + "a" * 64 + ".example:5000"])
def test_a_registry_has_no_name_that_no_resolver_takes(host: str) -> None:
    with pytest.raises(ValueError, match="over 63"):
        ImageReference.parse(f"{host}/a")


def test_hosts_know_no_upper_case() -> None:
    assert same_registry("REG.example.com", "reg.Example.com")
    assert same_registry("reg.example.com", "REG.example.com:443")
    assert same_registry("[fd00::1]:443", "[fd00::1]")
    assert not same_registry("[fd00::443]", "[fd00::]")
    assert not same_registry("reg.example.com", "reg.example.com:5000")
    assert not same_registry("reg.example.com", "reg.example.com:8443")


@pytest.mark.parametrize(
    ("registry", "user"),
    [("someone", True), ("someone/else", True), ("r.example", False), ("R", False)],
)
def test_a_host_without_dot_or_port_is_a_user_of_docker_hub(registry: str, *, user: bool) -> None:
    assert Registry.parse(registry).is_docker_hub_user is user


PARTS = """
    a b A 0 a.b a-b a_b a__b . .. : :1 :x / // @ localhost docker.io index.docker.io library
    [::1] [fd00::1]:5000 [ ] r.example R.example -a é http://
""".split()  # noqa: SIM905 - one a line would be a page
PIECES = st.sampled_from([*PARTS, f"@{DIGEST}", "", " "])
NAMES = st.lists(PIECES, max_size=7).map("".join)


@given(NAMES)
@example("a__b.c/d")
@example("a:1/b:c@d")
def test_names_are_read_as_dockers_own_program_does(text: str) -> None:
    try:
        ours = full_name(ImageReference.parse(text))
    except ValueError:
        ours = None
    assert ours == dockers_reading(text)


@given(NAMES)
def test_a_full_name_is_its_own(text: str) -> None:
    full = dockers_reading(text)
    assert full is None or full_name(ImageReference.parse(full)) == full


OURS = st.sampled_from(["r.example", "r.example:5000", "10.0.0.1", "[fd00::1]:5000", "localhost"])


@given(OURS, PIECES, PIECES, PIECES)
@example("r.example", "", ".evil", "/x")
@example("r.example", "evil", "", "/x")
@example("r.example", "", "@evil", "/x")
@example("r.example", "evil/", "", "/x")
@example("r.example", "", ":443", "/x")
def test_only_a_name_that_starts_with_the_registry_is_of_it(
    registry: str, before: str, behind: str, rest: str
) -> None:
    """Credentials go to a host that is the same; one that only looks like it is another."""
    text = f"{before}{registry}{behind}{rest}"
    full = dockers_reading(text)
    if full and same_registry(ImageReference.parse(full).domain, Registry.parse(registry).domain):
        assert text.lower().startswith((f"{registry}/", f"{registry}:443/"))


def dockers_reading(text: str) -> str | None:
    """Read a name as ParseNormalizedNamed() does: fill in what is left out, then match it whole."""
    label = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    domain = rf"(?:{label}(?:\.{label})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
    part = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
    digest = "sha256:[a-f0-9]{64}"
    first, slash, rest = text.partition("/")
    is_host = slash and (set(first) & set(".:") or first == "localhost" or first.lower() != first)
    host, remainder = (first, rest) if is_host else ("docker.io", text)
    host = "docker.io" if host == "index.docker.io" else host
    if host == "docker.io" and "/" not in remainder:
        remainder = f"library/{remainder}"
    whole = re.fullmatch(
        rf"({domain})/({part}(?:/{part})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@({digest}))?",
        f"{host}/{remainder}",
    )
    if not whole or whole[1] != host or re.fullmatch("[a-f0-9]{64}", text):
        return None
    tag = whole[3] or (None if whole[4] else "latest")
    return f"{host}/{whole[2]}" + (f":{tag}" if tag else "") + (f"@{whole[4]}" if whole[4] else "")
