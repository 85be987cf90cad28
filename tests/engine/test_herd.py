"""Machines that failed at the same moment spread their retries: no thundering herd."""

from pathlib import Path

from sandbox.registry import IMAGES
from sandbox.tinkerbell import Tinkerbell
from tests.engine.servers import AGENT_IMAGE
from tests.engine.world import World
from tests.herd.simulation import Servers, simulate


def test_a_small_herd_recovers_spread_over_time(world: World, tmp_path: Path) -> None:
    assert isinstance(world.servers, Tinkerbell)
    _remove_engines_rules(world)
    servers = Servers(
        tmp_path,
        world.network,
        world.ca,
        world.servers,
        world.registry.credentials,
        world.registry.folder / IMAGES,
        AGENT_IMAGE,
    )
    figures = simulate(servers, 20, 10.0, print)
    assert figures.problems() == []
    assert len(figures.recovered) == 20
    for load, least in ((figures.metadata, 20), (figures.registry, 60)):
        assert len(load.times) >= least, "not every machine was counted"


def _remove_engines_rules(world: World) -> None:
    """Remove what engines of other tests left in this network: see tests.matrix.packets.nft_in."""
    options = ["--rm", "--privileged", "--network", f"container:{world.anchor}"]
    world.docker("run", *options, "tinkie/tink-docker:build", "nft", "flush", "ruleset")
