"""Machines that failed in the same moment do not come back to the servers in the same moment."""

from pathlib import Path

from sandbox.registry import IMAGES
from sandbox.tinkerbell import Tinkerbell
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import World
from tests.herd.stampede import Ground, stampede


def test_a_small_herd_comes_back_spread_and_whole(world: World, tmp_path: Path) -> None:
    assert isinstance(world.servers, Tinkerbell)
    ground = Ground(
        tmp_path,
        world.network,
        world.ca,
        world.servers,
        world.registry.credentials,
        world.registry.folder / IMAGES,
        AGENT_IMAGE,
    )
    figures = stampede(ground, 20, 10.0, print)
    assert figures.faults() == []
    assert len(figures.recovered) == 20
    for load in (figures.metadata, figures.registry):
        assert len(load.times) >= 20, "not every machine was counted"
