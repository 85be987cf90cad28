"""Read the state files (JSON) of our programs, whatever stands in their place.

A worker can write to all of /run, and so can an action: what it leaves there neither hangs nor ends
a program.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tinkie.errors import NONSENSE
from tinkie.files import read_file
from tinkie.policy import STATE_FILE_BYTES
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = get_logger()

_LARGEST = 2**63 - 1  # the kernel counts bytes with such numbers
_reported: set[Path] = set()


def read_state(path: Path, kinds: Mapping[str, type]) -> dict[str, Any] | None:
    """Return what the file has under the names in `kinds`: each a bool, an int or a float.

    None if there is no file, or an unusable one, which is reported once. A number is finite and not
    negative.
    """
    try:
        content = json.loads(read_file(path, STATE_FILE_BYTES))
        return {name: _checked(name, content[name], kind) for name, kind in kinds.items()}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _report(path, str(error.strerror))
    except NONSENSE as error:
        _report(path, f"{type(error).__name__}: {error}")
    return None


def _checked(name: str, value: Any, kind: type) -> Any:
    fits = isinstance(value, (int, float) if kind is float else kind)
    if kind is not bool:
        fits = fits and not isinstance(value, bool) and 0 <= value <= _LARGEST
    if not fits:
        raise ValueError(f"{name} is out of range, or no {kind.__name__}")
    return value


def _report(path: Path, error: str) -> None:
    if path not in _reported:
        _reported.add(path)
        log.warning("state.invalid", path=str(path), error=error, next="continuing without it")
