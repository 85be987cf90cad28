"""`python -m release.audit`: known vulnerabilities in the Go modules of programs/.

govulncheck asks the Go vulnerability database (GOVULNDB; by default that of the Go project), and
names only what the programs can reach. The exit status is 1 if it finds something.
"""

import sys

from release import arch, gotools, programs
from release.errors import ReportedError, reported_errors
from release.process import run
from release.progress import Progress

REMEDY = "check that this machine reaches a Go vulnerability database, or set GOVULNDB to a copy"
FOUND = 3  # govulncheck's exit status


def audit(progress: Progress) -> bool:
    """Print what is known of each module; return whether there is anything.

    Raises ReportedError if a module or the database cannot be read.
    """
    govulncheck = gotools.build("govulncheck", progress)
    found, target = False, arch.wanted()
    for module, made in programs.PROGRAMS.items():
        with (
            progress.step(f"vulnerabilities of {module}"),
            programs.source(module, target) as source,
        ):
            for program in made:
                words = ["-tags", program.tags, program.package]
                done = run(
                    f"asking for vulnerabilities of {program.path}",
                    [govulncheck, *words],
                    cwd=source,
                    env=programs.environment(source / "go.mod", target),
                    seconds=None,
                    check=False,
                    shown=True,
                )
                if done.code not in (0, FOUND):
                    raise ReportedError(f"{program.path} was not checked (see above): {REMEDY}")
                found = found or done.code == FOUND
    return found


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        sys.exit(audit(Progress(1 + len(programs.PROGRAMS))))


if __name__ == "__main__":
    main()
