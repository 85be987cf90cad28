"""Our reading of NO_PROXY beside Go's, which dockerd and the workers use."""

from __future__ import annotations

import json
import random
import subprocess
from itertools import product

from release import gotools
from tinkie.parameters.proxy import Proxies

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


def test_every_entry_means_what_it_means_to_go() -> None:
    urls = [
        f"{scheme}://{host}{port}/x"
        for scheme, host, port in product(("http", "https"), HOSTS, PORTS)
    ]
    chance = random.Random(1)  # noqa: S311 - the same lists each time
    lists: list[tuple[str, ...]] = [(entry,) for entry in ENTRIES]
    lists += [tuple(chance.sample(ENTRIES, 3)) for _ in range(40)]
    asked = list(product(urls, lists))
    lines = [json.dumps({"url": url, "no_proxy": ",".join(entries)}) for url, entries in asked]
    program = gotools.build("no-proxy")
    printed = subprocess.run(
        [program], input="\n".join(lines), check=True, capture_output=True, text=True, timeout=120
    ).stdout.split()
    ours = [Proxies("http://p:1", "http://p:2", entries).for_url(url) for url, entries in asked]
    different = [
        f"{url} {entries}: Go {theirs}, we {mine}"
        for (url, entries), theirs, mine in zip(asked, printed, ours, strict=True)
        if (theirs == "true") != (mine is None)
    ]
    assert different == []
