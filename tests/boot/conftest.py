"""One sandbox for all machines that a process boots, and machines that many tests share.

A machine takes minutes, so it boots once, and tests check what was seen of it. A module that has a
function `observe` gets what that returns as the fixture `seen`. Machines whose tests are in
several files have a fixture of their own here.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from release import assemble
from release.arch import X86_64
from sandbox.accelerator import Accelerator, best_accelerator
from sandbox.images import actions_archive
from sandbox.ingredients import ingredients
from sandbox.network import PREFIX, Namespace
from sandbox.preflight import check
from sandbox.world import World, world
from tests.boot import empty_battery, static_machine, stressed_machine
from tests.boot.machines import MEMORY_MIB, Lab

ACTIONS = Path(__file__).parent / "actions"
# Machine -> the files of its tests, without "test_" and ".py".
SHARED = {
    "stressed": ("memory", "rights", "services", "time_server", "watchdog"),
    "battery": ("clock", "console", "shutdown", "volumes"),
    "static": ("disks", "static_network"),
}
MACHINE_OF = {f"test_{name}": machine for machine, names in SHARED.items() for name in names}

NewLab = Callable[[str], Lab]


class MachineScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Runs all tests of a machine in one process, so that it boots once."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return MACHINE_OF.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> MachineScheduling:
    return MachineScheduling(config, log)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sandbox")
    name = f"boot-{os.getpid()}"
    check(folder, MEMORY_MIB, Namespace(PREFIX + name), X86_64)
    with world(folder, name, ingredients(assemble.OUT)) as running:
        running.registry.push(actions_archive(folder / "inspect.tar", ACTIONS), "inspect:latest")
        yield running


@pytest.fixture(scope="session")
def accelerator(sandbox: World) -> Accelerator:
    return best_accelerator(sandbox.ingredients.kernel, sandbox.ingredients.target)


@pytest.fixture(scope="session")
def new_lab(
    sandbox: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> NewLab:
    """Call it with a name for the folder."""
    return lambda name: Lab(sandbox, accelerator, tmp_path_factory.mktemp(name))


@pytest.fixture
def lab(sandbox: World, accelerator: Accelerator, tmp_path: Path) -> Lab:
    """A lab for a test that boots a machine of its own."""
    return Lab(sandbox, accelerator, tmp_path)


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, new_lab: NewLab) -> Any:
    """What the module's function `observe` returns: it boots the machine of all tests there."""
    return request.module.observe(new_lab(request.path.stem))


@pytest.fixture(scope="session")
def stressed(new_lab: NewLab) -> stressed_machine.Seen:
    """A machine without memory, whose services are killed."""
    return stressed_machine.observe(new_lab("stressed"))


@pytest.fixture(scope="session")
def battery(new_lab: NewLab) -> empty_battery.Seen:
    """A machine whose hardware clock has an empty battery, and whose shutdown hangs."""
    return empty_battery.observe(new_lab("battery"))


@pytest.fixture(scope="session")
def static(new_lab: NewLab) -> static_machine.Seen:
    """A machine in a VLAN without DHCP, with a disk of each kind."""
    return static_machine.observe(new_lab("static"))
