from __future__ import annotations

from typing import TYPE_CHECKING

from tinkie.running.arguments import agent_parser
from tinkie.running.run_record import RunRecord

if TYPE_CHECKING:
    from pathlib import Path


def test_the_help_names_both_files_that_an_agent_writes(tmp_path: Path) -> None:
    beside = RunRecord.beside(tmp_path / "state.json", lambda: 0.0).path
    text = agent_parser("bootkit", "x").format_help()
    assert beside.name in text
    assert "/run/tinkie/bootkit/state.json" in " ".join(text.split())
