from __future__ import annotations

from dataclasses import replace

import pytest

from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.table import read_parameters
from tinkie.running.redaction import secrets_in

BOTH = Proxies("http://p:1", "http://p:2")


def read(text: str) -> Proxies:
    parameters = read_parameters(Cmdline.parse(text))
    assert not parameters.problems
    return Proxies.given_by(parameters)


def test_both_cases_are_read_and_upper_case_wins() -> None:
    assert read("http_proxy=http://a HTTPS_PROXY=http://b https_proxy=http://c") == Proxies(
        "http://a", "http://b"
    )


def test_nothing_given_is_no_environment_at_all() -> None:
    assert read("NO_PROXY=a,b").environment() == {}
    assert not read("HTTP_PROXY= quiet")


def test_the_environment_has_both_cases() -> None:
    assert read("HTTP_PROXY=http://p:1 grpc_authority=10.0.0.1").environment() == {
        "HTTP_PROXY": "http://p:1",
        "NO_PROXY": "10.0.0.1",
        "http_proxy": "http://p:1",
        "no_proxy": "10.0.0.1",
    }


def test_tinkerbells_hosts_are_added_once_and_behind() -> None:
    line = "NO_PROXY=a,,b grpc_authority=b:1 tinkerbell=c metadata_url=http://c"
    assert read(line).no_proxy == ("a", "b", "c")


def test_passwords_and_certificates_for_everything_come_by_the_proxy_unless_it_is_excluded() -> (
    None
):
    """The host may be a registry's, whose pulls must not bypass the proxy because of this."""
    line = "https_proxy=http://p:2 trusted_ca_url=https://ca.example/c "
    line += "registry_auth_url=https://harbor.example/auth.json"
    proxies = read(line)
    assert proxies.no_proxy == ()
    assert proxies.for_url("https://harbor.example/auth.json") == "http://p:2"
    excluded = read(f"{line} NO_PROXY=harbor.example")
    assert excluded.for_url("https://harbor.example/auth.json") is None
    assert excluded.for_url("https://ca.example/c") == "http://p:2"


def test_credentials_are_not_in_the_repr() -> None:
    assert "secret" not in repr(Proxies("http://user:secret@p:1", "http://user:secret@p:1"))


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxy"),
    [
        ("http://r.example/x", (), "http://p:1"),
        ("https://r.example/x", (), "http://p:2"),
        ("http://r.example/x", ("*",), None),
        ("http://r.example/x", ("r.example",), None),
        ("http://R.example/x", ("r.EXAMPLE",), None),
        ("http://a.r.example/x", ("r.example",), None),
        ("http://a.r.example/x", (".r.example",), None),
        ("http://r.example:8080/x", ("r.example:8080",), None),
        ("http://evilr.example/x", ("r.example",), "http://p:1"),
        ("http://10.1.2.3/x", ("10.0.0.0/8",), None),
        ("http://11.1.2.3/x", ("10.0.0.0/8",), "http://p:1"),
        ("http://r.example/x", ("10.0.0.0/8", "not/anetwork"), "http://p:1"),
        ("http://[fd00::1]:80/x", ("fd00::/8",), None),
        ("http://[fd00::1]:80/x", ("fd00::1",), None),
        ("http://[fd00::1]:80/x", ("[fd00::1]",), "http://p:1"),
        ("http://r.example/x", (".r.example",), "http://p:1"),
        ("http://r.example/x", ("*.r.example",), "http://p:1"),
        ("http://a.r.example/x", ("*.r.example",), None),
        ("http://a.r.example:81/x", ("r.example:81",), None),
        ("http://r.example/x", ("r.example:81",), "http://p:1"),
        ("https://r.example/x", ("r.example:443",), None),
        ("https://r.example/x", ("r.example:80",), "http://p:2"),
        ("http://r.example/x", ("a", "*", "b"), None),
        ("http://10.0.0.1/x", ("10.0.0.1:80",), None),
        ("http://10.0.0.1/x", ("10.0.0.1:81",), "http://p:1"),
        ("http://10.0.0.1/x", ("::ffff:10.0.0.1",), None),
        ("http://10.0.0.1/x", ("10.0.0.0/255.0.0.0",), "http://p:1"),
        ("http://r.example/x", (":80", "", "[]:80"), "http://p:1"),
        ("http://[fd00::1]:80/x", ("[fd00::1]:80",), None),
        ("http://127.0.0.1/x", (), None),
        ("http://localhost/x", (), None),
    ],
)
def test_which_proxy_is_used(url: str, no_proxy: tuple[str, ...], proxy: str | None) -> None:
    assert replace(BOTH, no_proxy=no_proxy).for_url(url) == proxy


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("p:3128", "http://p:3128"),
        ("HTTPS://p", "https://p"),
        ("http://p:3128/", "http://p:3128"),
        (r"http://CORP\svc:pw@p:1", "http://CORP%5Csvc:pw@p:1"),
        ("u:50%@p:1", "http://u:50%25@p:1"),
        ("u:a%2Fb%@p:1", "http://u:a%2Fb%25@p:1"),
        ("u:a/b?c#d@p:1", "http://u:a%2Fb%3Fc%23d@p:1"),
        ("u:a@b:c@[::1]:1", "http://u:a%40b%3Ac@[::1]:1"),
    ],
)
def test_it_has_a_scheme_and_is_encoded(text: str, proxy: str) -> None:
    assert read(f"HTTP_PROXY={text}").http == proxy


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("http://user:secret@p:1", {"secret"}),
        ("user:secret@p:1", {"secret"}),
        ("http://user:a/b@p:1", {"a/b", "a%2Fb"}),
        ("http://user:a@b@p:1", {"a@b", "a%40b"}),
        ("http://user:a@p:1/x@y", {"a@p:1/x", "a%40p%3A1%2Fx"}),
        ("http://user:a://b@p:1", {"a://b", "a%3A%2F%2Fb"}),
        ("http://user:a%2Fb@p:1", {"a%2Fb", "a/b"}),
        ("http://user:secret@[::1", {"secret"}),
        ("http://[::1", set()),
        ("http://token@p:1", {"token"}),
        ("http://p:1", set()),
    ],
)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy"])
def test_its_credentials_are_known(name: str, url: str, secrets: set[str]) -> None:
    assert set(secrets_in(Cmdline.parse(f"{name}={url}"))) == secrets


@pytest.mark.parametrize("url", ["foo://p:1", "http://", "p:port", "http://[::1", "http://:1"])
def test_what_is_no_proxy_is_named_and_left_out(url: str) -> None:
    parameters = read_parameters(Cmdline.parse(f"https_proxy={url} http_proxy=p:1"))
    assert list(parameters.problems) == ["HTTPS_PROXY"]
    assert Proxies.given_by(parameters) == Proxies("http://p:1", None)


def test_a_password_behind_a_quote_that_is_not_closed_is_a_secret() -> None:
    line = 'registry_username="me registry_password=hunter2 quiet'
    assert secrets_in(Cmdline.parse(line)) == ("me registry_password=hunter2 quiet",)
