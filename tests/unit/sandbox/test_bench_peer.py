from __future__ import annotations

from pathlib import Path

from sandbox.bench_peer import System, named

OURS = System("ours", Path("/tinkie/out"))


def names(*folders: str) -> list[str]:
    return [system.name for system in named(OURS, [Path(folder) for folder in folders])]


def test_an_os_has_the_name_of_its_folder() -> None:
    assert names("/builds/hook/", "/former/out") == ["ours", "hook", "former"]


def test_names_differ() -> None:
    assert names("/a/hook", "/b/hook", "/ours") == ["ours", "hook", "hook-2", "ours-2"]
