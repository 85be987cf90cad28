"""`python -m release.audit`: known vulnerabilities in what a release contains, by its SBOM.

DATA=folder or file has vulnerability data in OSV's format, for any of Debian, PyPI and Go. What it
lacks comes from the network: for PyPI from the package index of pip's configuration, for Go from
govulncheck, which asks the Go vulnerability database (GOVULNDB; by default that of the Go project)
and names only what the programs can reach. For Debian there is DATA only.

The exit status is 1 if a finding has a fixed version, or if there is no data of a kind of package.
SBOM=file is another SBOM than that of the release in this folder.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from release import arch, gotools, osv, programs
from release.errors import ReportedError, reported_errors
from release.filenames import Names
from release.osv import Finding, Package
from release.process import run
from release.progress import Progress
from release.version import PROJECT

REMEDY = "check that this machine reaches a Go vulnerability database, or set GOVULNDB to a copy"
OSV = "set DATA to vulnerability data in OSV's format (docs/sbom.md)"
FOUND = 3  # govulncheck's exit status
INDEX_SECONDS = 30.0


def audit(progress: Progress) -> bool:
    """Print what is known of each package; return whether an update would repair something.

    Raises ReportedError, after that, if there is no data of a kind of package.
    """
    packages, data = osv.packages(_sbom()), os.environ.get("DATA", "")
    if not packages:
        raise ReportedError(
            "the SBOM has no package: give one that `make dist` wrote (docs/sbom.md)"
        )
    found, covered = osv.search(Path(data), packages) if data else ([], set())
    missing, has_go_finding = [], False
    for ecosystem in sorted({one.ecosystem for one in packages}):
        of_it = [one for one in packages if one.ecosystem == ecosystem]
        try:
            if ecosystem not in covered:
                more, is_go_finding = _without_data(ecosystem, of_it, progress)
                found, has_go_finding = [*found, *more], has_go_finding or is_go_finding
            print(f"{ecosystem}: {len(of_it)} packages were compared", flush=True)
        except ReportedError as error:
            missing.append(ecosystem)
            print(f"{ecosystem}: {len(of_it)} packages were not compared: {error}", flush=True)
    for one in found:
        print(one)
    if missing:
        raise ReportedError(f"no vulnerability data of {', '.join(missing)}: {OSV}")
    return has_go_finding or any(one.fixed or one.problem for one in found)


def _without_data(
    ecosystem: str, packages: list[Package], progress: Progress
) -> tuple[list[Finding], bool]:
    """Return what the network has, and whether govulncheck has printed a finding of its own."""
    if ecosystem == osv.PYPI:
        with httpx.Client(timeout=INDEX_SECONDS, follow_redirects=True) as client:
            return from_index(packages, client), False
    if ecosystem == osv.GO:
        return [], check_programs(progress)
    raise ReportedError("there is no data of it but DATA")


def from_index(packages: list[Package], client: httpx.Client) -> list[Finding]:
    """Return what the package index of pip's configuration knows of packages, by its JSON API.

    Raises ReportedError if it has no such API, or lacks a package.
    """
    base = re.sub(r"/simple/?$", "", _index())
    found: list[Finding] = []
    for package in packages:
        what = f"the package index's JSON API, asked for {package.name} {package.version}"
        try:
            answer = client.get(f"{base}/pypi/{package.name}/{package.version}/json")
            answer.raise_for_status()
            found += list(_advisories(answer.json()["vulnerabilities"], package))
        except httpx.HTTPStatusError as error:
            raise ReportedError(f"{what}: HTTP {error.response.status_code}") from None
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise ReportedError(f"{what}: {type(error).__name__} {error}") from None
    return found


def check_programs(progress: Progress) -> bool:
    """Print what govulncheck finds in the programs of programs/; return whether it is anything.

    Raises ReportedError if a module or the database cannot be read.
    """
    govulncheck = gotools.build("govulncheck", progress)
    found, target = False, arch.wanted()
    database = [f"-db={url}"] if (url := os.environ.get("GOVULNDB")) else []
    for module, made in programs.PROGRAMS.items():
        with (
            progress.step(f"vulnerabilities of {module}"),
            programs.source(module, target) as source,
        ):
            for program in made:
                words = [*database, "-tags", program.tags, program.package]
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


def _sbom() -> dict[str, Any]:
    path = PROJECT / (os.environ.get("SBOM") or Names(arch.wanted()).sbom)
    if not path.exists():
        raise ReportedError(f"{path.name}: no such file; run `make dist`, or name an SBOM by SBOM=")
    try:
        read = json.loads(path.read_text())
    except ValueError as error:
        raise ReportedError(f"{path.name} is not JSON: {error}; name an SBOM by SBOM=") from None
    if not isinstance(read, dict) or read.get("bomFormat") != "CycloneDX":
        raise ReportedError(f"{path.name} is not CycloneDX; name an SBOM of `make dist` by SBOM=")
    return read


def _advisories(known: list[dict[str, Any]], package: Package) -> Iterator[Finding]:
    for one in known:
        if not one.get("withdrawn"):
            identity = ", ".join([one["id"], *one.get("aliases", [])])
            yield Finding(identity, package, osv.first_fix(package, one.get("fixed_in", [])))


def _index() -> str:
    """Return the package index that pip is configured with: of its variable, else of its files.

    Raises ReportedError without one.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    lines = run("reading pip's configuration", command).text.splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    for name in (":env:.index-url", "install.index-url", "global.index-url"):
        if name in values:
            return str(ast.literal_eval(values[name]))
    raise ReportedError("pip names no package index: set PIP_INDEX_URL")


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        sys.exit(audit(Progress(1 + len(programs.PROGRAMS))))


if __name__ == "__main__":
    main()
