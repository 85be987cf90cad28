"""The build host's own programs that pack, for tests that have no base image."""

from pathlib import Path

from release.packers import CLEAN_ENVIRONMENT, Packers


class HostPackers(Packers):
    """Programs of PATH."""

    def command(self, program: str) -> list[Path | str]:
        """Return the start of a command with its name."""
        return [*CLEAN_ENVIRONMENT, program]


HOST = HostPackers(Path("/"))
