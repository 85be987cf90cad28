"""Our reading of proxies and of NO_PROXY beside Go's, which dockerd and the workers use."""

from __future__ import annotations

import json
import random
import subprocess
from itertools import product

import pytest

from release import gotools
from tinkie.parameters.proxy import Proxies
from tinkie.parameters.proxy_url import ProxyUrl

HOSTS = (
    *("example.com", "a.example.com", "b.a.example.com", "badexample.com", "EXAMPLE.com", "com"),
    *("localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "10.0.0.1", "10.1.0.1", "11.0.0.1"),
    *("[::1]", "[fd00::1]", "[fd00:0::1]", "[fe80::1]", "[::ffff:10.0.0.1]", "[fe80::1%25eth0]"),
)
PORTS = ("", ":80", ":443", ":8080")
ENTRIES = (
    *("", " ", "*", "*.", ".", "*.*", ":", ":80", "example.com", ".example.com", "*.example.com"),
    *("example.com:80", "example.com:443", ".example.com:8080", "*.example.com:80", "Example.COM"),
    *("example.com:", "example.com:x", "a.example.com", "*example.com", "e*.com", "com", ".com"),
    *(
        "localhost",
        "127.0.0.1",
        "10.0.0.1",
        "10.0.0.1:80",
        "10.0.0.1:443",
        "10.0.0.1:",
        "010.0.0.1",
    ),
    *("10.0.0.0/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/", "0.0.0.0/0"),
    *("fd00::1", "[fd00::1]", "[fd00::1]:80", "[fd00::1]:443", "[fd00::1]:", "fd00::/8", "::/0"),
    *("::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "[::ffff:10.0.0.1]:80"),
    *(
        "fe80::1",
        "fe80::1%eth0",
        "fe80::/10",
        "[]",
        "[]:80",
        "[example.com]:80",
        "<local>",
        "a:b:c",
    ),
)


# As somebody writes them on the command line: the user and the password that the proxy gets.
CREDENTIALS = (
    *(("user:secret", "user", "secret"), ("user", "user", ""), (":secret", "", "secret")),
    *((r"CORP\svc:pw", r"CORP\svc", "pw"), (r"u:a\b", "u", r"a\b"), ("u:50%", "u", "50%")),
    *(("u:%", "u", "%"), ("u:%%41", "u", "%A"), ("u:%zz", "u", "%zz"), ("u:a%2Fb", "u", "a/b")),
    *(("u:a@b", "u", "a@b"), ("u:a:b", "u", "a:b"), ("u@d:pw", "u@d", "pw"), ("u:a/b", "u", "a/b")),
    *(("u:a?b#c", "u", "a?b#c"), ("u:a b", "u", "a b"), ("u:ü€", "u", "ü€"), ("u:a+b", "u", "a+b")),
    *(("u:http://x", "u", "http://x"), ("u:[x]", "u", "[x]"), ('u:a"b', "u", 'a"b')),
    *(("u:<>^`{|}", "u", "<>^`{|}"), ("u:!$&'()*+,;=~-._", "u", "!$&'()*+,;=~-._")),
)


def test_every_entry_means_what_it_means_to_go() -> None:
    urls = [
        f"{scheme}://{host}{port}/x"
        for scheme, host, port in product(("http", "https"), HOSTS, PORTS)
    ]
    chance = random.Random(1)  # noqa: S311 - the same lists each time
    lists: list[tuple[str, ...]] = [(entry,) for entry in ENTRIES]
    lists += [tuple(chance.sample(ENTRIES, 3)) for _ in range(40)]
    asked = list(product(urls, lists))
    printed = go(
        *({"url": url, "proxy": "http://p:1", "no_proxy": ",".join(names)} for url, names in asked)
    )
    ours = [Proxies("http://p:1", "http://p:1", entries).for_url(url) for url, entries in asked]
    different = [
        f"{url} {entries}: Go {theirs}, we {mine}"
        for (url, entries), theirs, mine in zip(asked, printed, ours, strict=True)
        if bool(theirs["host"]) != bool(mine)
    ]
    assert different == []


@pytest.mark.parametrize("scheme", ["", "http://", "HTTPS://", "socks5://"])
def test_go_sends_the_user_and_the_password_that_were_written(scheme: str) -> None:
    proxies = [ProxyUrl.parse(f"{scheme}{text}@px.example:3128") for text, _, _ in CREDENTIALS]
    found = go(*({"url": "https://r.example/", "proxy": proxy} for proxy in proxies))
    expected = [
        {"host": "px.example:3128", "user": user, "password": password}
        for _, user, password in CREDENTIALS
    ]
    assert found == expected


def go(*asked: dict[str, str]) -> list[dict[str, str]]:
    """Return which proxy Go would use for each: its host, user and password."""
    lines = "\n".join(map(json.dumps, asked))
    program = gotools.build("proxy-rules")
    done = subprocess.run(
        [program], input=lines, check=True, capture_output=True, text=True, timeout=120
    )
    return list(map(json.loads, done.stdout.splitlines()))
