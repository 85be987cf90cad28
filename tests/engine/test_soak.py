"""A machine that gets one random fault after the other ends with one worker that works."""

import os
from pathlib import Path

from tests.engine.machine import WORKER
from tests.engine.world import World
from tests.matrix.containers.site import Site
from tests.matrix.containers.soak import soak

MINUTES = float(os.environ.get("MINUTES", "3"))
SEED = int(os.environ.get("SEED", "7"))
NUMBER = 99  # of the machine


def test_random_faults_end_with_one_worker(world: World, tmp_path: Path) -> None:
    with soak(Site(world, NUMBER, tmp_path), SEED, print) as run:
        run.run(MINUTES * 60)
        assert run.site.machine.running().count(WORKER) == 1
