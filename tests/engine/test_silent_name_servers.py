"""Three silent name servers and two search domains: the resolver itself would take 12 s."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RESOLV_CONF = "search a.example b.example\n" + "".join(
    f"nameserver 127.0.0.{number}\n" for number in (1, 2, 3)
)
ALONE = ("unshare", "--net", "--mount", "sh", "-c")
STORY = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
PROGRAM = """
import socket
from tinkie.errors import BootError
from tinkie.fetch.fetcher import Fetcher
from tinkie.fetch.name_lookups import bound_name_lookups

silent = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
for number, server in enumerate(silent, start=1):
    server.bind((f"127.0.0.{number}", 53))
bound_name_lookups()
for url in ("http://tb.example.com/ca.pem", "https://tb/ca.pem"):
    try:
        Fetcher().get(url, seconds=5.0)
    except BootError as error:
        print(error.kind, error)
"""


def test_a_download_is_given_up_before_the_resolver_is(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(RESOLV_CONF)
    words = [str(tmp_path / "resolv.conf"), sys.executable, "-c", PROGRAM]
    printed = subprocess.run(
        [*ALONE, STORY, "sh", *words],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert printed.splitlines() == [
        f"name-resolution GET {url}: [Errno -3] temporary failure in name resolution: "
        "no answer within 1.5 s"
        for url in ("http://tb.example.com/ca.pem", "https://tb/ca.pem")
    ]
