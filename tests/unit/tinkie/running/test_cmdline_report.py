from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tinkie.parameters.cmdline import KEPT_BYTES, Cmdline
from tinkie.running.cmdline_report import cmdline_problems, log_cmdline_problems

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("worker_id=w", []),
        ('worker_id="w x=y', ["worker_id: a double quote is not closed"]),
        ('http_proxy="http://p x=y', ["http_proxy: a double quote is not closed"]),
        ('registry_password=a b"c d', ["a word that is not a parameter: a double quote"]),
        ('"\t', ["a word that is not a parameter: a double quote"]),
        ("x" * KEPT_BYTES, ["the command line has 2047 characters"]),
        ('"' + "x" * KEPT_BYTES, ["the command line has 2048", "a word that is not a parameter"]),
    ],
)
def test_each_problem_has_a_message_without_the_text_around_it(
    line: str, messages: list[str], tmp_path: Any, events: list[MutableMapping[str, Any]]
) -> None:
    path = tmp_path / "cmdline"
    path.write_text(line)
    cmdline = Cmdline.read(path)
    found = cmdline_problems(cmdline)
    assert len(found) == len(messages)
    assert all(text.startswith(start) for text, start in zip(found, messages, strict=True))
    log_cmdline_problems(cmdline)
    assert len(events) == len(messages)
