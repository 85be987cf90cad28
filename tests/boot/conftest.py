"""One sandbox for all booted machines of a test run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from release import assemble
from sandbox.accelerator import Accelerator, best_accelerator
from sandbox.images import actions_archive
from sandbox.ingredients import ingredients
from sandbox.network import PREFIX, Namespace
from sandbox.preflight import check
from sandbox.world import World, world

MEMORY_MIB = 2048
ACTIONS = Path(__file__).parent / "actions"


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sandbox")
    name = f"boot-{os.getpid()}"
    check(folder, MEMORY_MIB, Namespace(PREFIX + name))
    with world(folder, name, ingredients(assemble.OUT)) as found:
        found.registry.push(actions_archive(folder / "inspect.tar", ACTIONS), "inspect:latest")
        yield found


@pytest.fixture(scope="session")
def accelerator(here: World) -> Accelerator:
    return best_accelerator(here.ingredients.kernel)
