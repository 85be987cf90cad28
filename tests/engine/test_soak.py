"""A machine to which one random fault after the other happens ends with one worker that works."""

import os
from pathlib import Path

from tests.engine.machine import WORKER
from tests.engine.matrix.site import Site
from tests.engine.matrix.soak import soak
from tests.engine.world import World

MINUTES = float(os.environ.get("MINUTES", "3"))
SEED = int(os.environ.get("SEED", "7"))
NUMBER = 99  # of the machine


def test_random_faults_end_with_one_worker(world: World, tmp_path: Path) -> None:
    with soak(Site(world, NUMBER, tmp_path), SEED, print) as run:
        run.run(MINUTES * 60)
        assert run.site.machine.running().count(WORKER) == 1
