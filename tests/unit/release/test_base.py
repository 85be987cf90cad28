"""How old the Debian packages in the cache are, and which state of Debian they are."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import assemble, base
from release.errors import ReportedError
from release.process import Finished
from release.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
HOUR, DAY = 3600, 86400


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINKIE_CACHE", str(tmp_path))
    for name in ("BASE", "SNAPSHOT", "SNAPSHOT_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(assemble, "OUT", tmp_path / "out")
    return tmp_path


def make_base(age_seconds: float) -> None:
    base._tar().touch()
    os.utime(base._tar(), (NOW, NOW - age_seconds))


@pytest.mark.parametrize(
    ("age", "message"),
    [
        (HOUR, "the Debian packages are 0 days old"),
        (DAY, "the Debian packages are 1 day old"),
        (7 * DAY - 1, "the Debian packages are 6 days old"),
        (7 * DAY, "the Debian packages are 7 days old: `make refresh` renews them"),
        (40 * DAY + HOUR, "the Debian packages are 40 days old: `make refresh` renews them"),
    ],
)
def test_from_a_week_on_the_message_names_what_renews_them(age: float, message: str) -> None:
    make_base(age)
    assert base.age_message(NOW) == message


def test_without_packages_there_is_no_message(cache: Path) -> None:
    assert base.age_message(NOW) == ""
    assert list(cache.iterdir()) == []


def test_the_age_of_another_base_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    make_base(40 * DAY)
    monkeypatch.setenv("BASE", "debian:trixie")
    assert base.age_message(NOW) == ""


@pytest.mark.parametrize(
    ("is_there", "refresh", "pulls"),
    [(True, False, 0), (True, True, 1), (False, False, 1), (False, True, 1)],
)
def test_another_base_is_pulled_if_the_engine_lacks_it_and_to_be_renewed(
    monkeypatch: pytest.MonkeyPatch, *, is_there: bool, refresh: bool, pulls: int
) -> None:
    monkeypatch.setenv("BASE", "debian:trixie")
    commands = []

    def run(_what: str, command: list[str], **_options: object) -> Finished:
        commands.append(command)
        return Finished(0 if is_there or "inspect" not in command else 1)

    monkeypatch.setattr(base, "run", run)
    base.provide({}, Progress(), refresh=refresh)
    assert commands.count(["docker", "pull", "--quiet", "debian:trixie"]) == pulls
    build = commands[-1]
    assert build[:3] == ["docker", "buildx", "build"]
    assert "FROM=debian:trixie" in build
    assert ("--no-cache" in build) == refresh


MIRROR = "http://mirror.example"
TIME = "20261129T120000Z"
TIME_SECONDS = 1_795_953_600.0  # since 1970


def use_snapshot(monkeypatch: pytest.MonkeyPatch, time: str = TIME, mirror: str = MIRROR) -> None:
    monkeypatch.setenv("SNAPSHOT", time)
    monkeypatch.setenv("SNAPSHOT_MIRROR", mirror)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (6, ""),
        (7, "the Debian packages are 7 days old: `make refresh` renews them"),
    ],
)
def test_a_build_warns_of_packages_of_a_week(days: int, message: str) -> None:
    make_base(days * DAY + HOUR)
    assert base.warning(NOW) == message


def test_the_age_of_a_snapshot_is_that_of_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    use_snapshot(monkeypatch)
    make_base(0)
    message = "the Debian packages are 8 days old: SNAPSHOT names their time"
    assert base.warning(TIME_SECONDS + 8 * DAY) == message
    assert base.warning(TIME_SECONDS + 6 * DAY) == ""


@pytest.mark.parametrize(
    ("time", "mirror", "message"),
    [
        (TIME, "", "needs a mirror that keeps former states .*SNAPSHOT_MIRROR=URL"),
        (TIME, "https://mirror.example", "is no URL that begins with http://"),
        (TIME, "mirror.example", "is no URL that begins with http://"),
        (TIME, "http://mirror.example/ x", "is no URL that begins with http://"),
        ("2026-11-29", MIRROR, "is no time; write it as 20261128T060000Z"),
        ("20261129T120000", MIRROR, "is no time"),
        ("20261329T120000Z", MIRROR, "is no time"),
        ("2026112T120000Z", MIRROR, "is no time"),
        (f"{TIME}/../../x", MIRROR, "is no time"),
    ],
)
def test_a_snapshot_that_cannot_be_used_ends_the_build_at_once(
    monkeypatch: pytest.MonkeyPatch, time: str, mirror: str, message: str
) -> None:
    use_snapshot(monkeypatch, time, mirror)
    with pytest.raises(ReportedError, match=message):
        assemble.assemble("quick", Progress(stream=io.StringIO()))


@pytest.mark.parametrize("scheme", ["http://", "https://", ""])
@pytest.mark.parametrize(
    "rest", ["me:secret@mirror", "secret@mirror/x", "mirror/?t=secret", "mirror/#secret"]
)
def test_a_mirror_with_a_password_is_refused_and_not_printed(
    monkeypatch: pytest.MonkeyPatch, scheme: str, rest: str
) -> None:
    use_snapshot(monkeypatch, mirror=scheme + rest)
    with pytest.raises(ReportedError, match="has a user, a password, a query") as error:
        assemble.assemble("quick", Progress(stream=io.StringIO()))
    assert "secret" not in str(error.value)


def test_a_snapshot_of_another_base_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use_snapshot(monkeypatch)
    monkeypatch.setenv("BASE", "debian:trixie")
    with pytest.raises(ReportedError, match="leave out SNAPSHOT or BASE"):
        base.identity()


def test_each_snapshot_and_mirror_has_a_base_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    bases = {base._tar()}
    for time, mirror in ((TIME, MIRROR), ("20261128T120000Z", MIRROR), (TIME, f"{MIRROR}/x")):
        use_snapshot(monkeypatch, time, mirror)
        bases.add(base._tar())
    assert len(bases) == 4
    monkeypatch.setenv("SNAPSHOT", "")  # a mirror that is configured changes nothing by itself
    assert base._tar() in bases


def test_packages_come_from_the_snapshot_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert base._sources() == []
    use_snapshot(monkeypatch, mirror=f"{MIRROR}/")
    found = [line.split("] ")[1] for line in base._sources()]
    assert found == [
        f"{MIRROR}/archive/debian/{TIME}/ trixie main non-free-firmware",
        f"{MIRROR}/archive/debian/{TIME}/ trixie-updates main non-free-firmware",
        f"{MIRROR}/archive/debian-security/{TIME}/ trixie-security main non-free-firmware",
    ]


FIELDS = (
    b"Origin: Debian\nCodename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\nSHA256:\n 00 1 x\n"
)
SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"


ALL_SUITES = ("trixie", "trixie-updates", "trixie-security")
BEFORE, AFTER = "Sun, 29 Nov 2026 12:00:00 UTC", "Sun, 29 Nov 2026 12:00:01 UTC"  # of TIME
# It writes its output, the argument after the suite, from the tar that FOUND names.
MMDEBSTRAP = """#!/bin/sh
while [ "$1" != trixie ]; do shift; done
cp "$FOUND" "$2"
"""


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (dict.fromkeys(ALL_SUITES, BEFORE), ""),
        *(
            (dict.fromkeys(ALL_SUITES, BEFORE) | {suite: AFTER}, f"{suite} of 20261129T120001Z;")
            for suite in ALL_SUITES
        ),
        ({"trixie": BEFORE, "trixie-updates": BEFORE}, "the time of trixie-security is unknown"),
        ({}, "the time of trixie, trixie-security, trixie-updates is unknown"),
    ],
)
def test_a_mirror_that_serves_another_time_makes_no_base(
    cache: Path, monkeypatch: pytest.MonkeyPatch, dates: dict[str, str], message: str
) -> None:
    use_snapshot(monkeypatch)
    found = cache / "found"
    with tarfile.open(found, "w") as tar:
        for suite, date in dates.items():
            content = f"Codename: {suite}\nDate: {date}\n".encode()
            entry = tarfile.TarInfo(f"./var/lib/apt/lists/mirror_{suite}_InRelease")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    program = cache / "bin" / "mmdebstrap"
    program.parent.mkdir()
    program.write_text(MMDEBSTRAP)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FOUND", str(found))
    if message:
        with pytest.raises(ReportedError, match=message):
            base._bootstrap(base._tar())
    else:
        base._bootstrap(base._tar())
    assert [path.name for path in cache.glob("base-*")] == [base._tar().name] * (not message)


@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize(("name", "content"), [("InRelease", SIGNED + FIELDS), ("Release", FIELDS)])
def test_the_time_of_each_suite_is_read_from_the_lists(
    prefix: str, name: str, content: bytes
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in (f"var/lib/apt/lists/a_dists_trixie_{name}", f"var/lib/apt/lists/x/a_{name}"):
            entry = tarfile.TarInfo(prefix + path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
            content = b"nothing"
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        assert base.suites(tar) == {"trixie": "20261121T091544Z"}
