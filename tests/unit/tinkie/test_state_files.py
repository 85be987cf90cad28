"""State files, and what an action may put in their place."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinkie.policy import STATE_FILE_BYTES
from tinkie.state_files import read_state

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

KINDS = {"count": int, "at": float, "is_up": bool}
GOOD: dict[str, Any] = {"count": 3, "at": 1.5, "is_up": True}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_what_is_asked_for_is_read(path: Path, events: Events) -> None:
    path.write_text(json.dumps({**GOOD, "more": []}))
    assert read_state(path, KINDS) == GOOD
    assert not events


def test_a_missing_file_is_not_reported(path: Path, events: Events) -> None:
    assert read_state(path, KINDS) is None
    assert read_state(path / "below", KINDS) is None
    path.with_name("file").touch()
    assert read_state(path.with_name("file") / "below", KINDS) is None
    assert not events


def link(path: Path) -> None:
    path.with_name("other").write_text(json.dumps(GOOD))
    path.symlink_to(path.with_name("other"))


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (os.mkfifo, "no regular file"),
        (os.mkdir, "no regular file"),
        (link, "symbolic links"),
        (huge, f"more than {STATE_FILE_BYTES} bytes"),
    ],
)
def test_what_is_no_file_of_ours_is_reported_once(
    path: Path, events: Events, make: Callable[[Path], None], error: str
) -> None:
    make(path)
    for _ in range(2):
        assert read_state(path, KINDS) is None
    (event,) = events
    assert (event["event"], event["path"]) == ("state.invalid", str(path))
    assert error in event["error"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}", "\xff", "[" * STATE_FILE_BYTES, '{"count":' * 400),
        *(json.dumps(GOOD | {"count": one}) for one in (-1, 1.0, True, None, "3", 2**63, 10**4000)),
        *(json.dumps(GOOD | {"at": one}) for one in (-1, True, "1", 10**400)),
        *(json.dumps(GOOD | {"at": float(one)}) for one in ("nan", "inf", "-inf", "1e300")),
        *(json.dumps(GOOD | {"is_up": one}) for one in (0, 1, None, "true")),
    ],
)
def test_invalid_content_is_reported_once(path: Path, events: Events, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    for _ in range(2):
        assert read_state(path, KINDS) is None
    assert [event["event"] for event in events] == ["state.invalid"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.dictionaries(st.text(), st.floats()).map(json.dumps).map(str.encode))
def test_no_content_raises(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_state(path, KINDS) is None
