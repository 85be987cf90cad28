"""bundles.jq, by the host's jq: what LinuxKit's bundles need before their containers exist."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent / "lib/bundles.jq"


def commands(*bundles: dict[str, Any]) -> list[str]:
    documents = "\n".join(map(json.dumps, bundles))
    done = subprocess.run(
        ["jq", "-r", "-f", str(PROGRAM)],
        input=documents,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def mount(**values: object) -> dict[str, Any]:
    return {"mounts": [{"source": "from", "destination": "/to", **values}]}


@pytest.mark.parametrize(
    ("bundle", "lines"),
    [
        ({}, []),
        ({"mkdir": ["/run/a", "/run/b c"]}, ["'mkdir' '-p' '/run/a'", "'mkdir' '-p' '/run/b c'"]),
        (mount(options=["bind", "private"]), ["'mount' '--make-private' '/to'"]),
        (mount(options=["bind"]), ["'mount' '-o' 'bind' 'from' '/to'"]),
        (mount(type="tmpfs"), ["'mount' '-t' 'tmpfs' '-o' 'size=20%' 'from' '/to'"]),
        (
            mount(type="tmpfs", options=["size=1%", "nosuid"]),
            ["'mount' '-t' 'tmpfs' '-o' 'size=1%,nosuid' 'from' '/to'"],
        ),
        (
            mount(type="overlay", options=["lowerdir=/l", "upperdir=/u/1", "workdir=/w/1"]),
            [
                "'mkdir' '-p' '/u/1'",
                "'mkdir' '-p' '/w/1'",
                "'mount' '-t' 'overlay' '-o' 'lowerdir=/l,upperdir=/u/1,workdir=/w/1' 'from' '/to'",
            ],
        ),
        ({"mkdir": ["/it's; rm *"]}, [r"'mkdir' '-p' '/it'\''s; rm *'"]),
    ],
)
def test_bundle_becomes_commands(bundle: dict[str, Any], lines: list[str]) -> None:
    assert commands(bundle) == lines


def test_every_bundle_is_read() -> None:
    assert len(commands({"mkdir": ["/a"]}, {}, {"mkdir": ["/b"]})) == 2
