"""The images as they are built: Debian's Python, the locked wheels, our code compiled."""

import subprocess
import sys
from pathlib import Path

import pytest

from release import wheels
from release.arch import X86_64
from release.version import PROJECT
from tests.engine.docker import Docker

# What the unit tests read. Our packages are not among it: those of the image are under test.
NEEDED = ("tests", "docs", "sandbox", "linuxkit.yml", "pyproject.toml")
# Of the host: tests of child processes start them.
PROGRAMS = tuple(map(Path, ("/usr/bin/head", "/usr/bin/sleep", "/usr/bin/tr")))
# What hypothesis is linked with: bootkit's image has them for pydantic, tink-docker's has not.
LIBRARIES = ("libdl.so.2", "libgcc_s.so.1", "libpthread.so.0", "librt.so.1")
COPY = """
import glob, shutil, sys
for name in sys.argv[1:]:
    shutil.copy(*glob.glob(f"/usr/lib/*-linux-gnu/{name}"), "/out")
"""
UNIT_TEST_SECONDS = 240


@pytest.fixture(scope="module")
def tools(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pytest and the like, to lie beside the image's own wheels, which they must not hide."""
    folder = tmp_path_factory.mktemp("tools")
    libraries = folder / "lib"
    libraries.mkdir()
    out = f"--volume={libraries}:/out"
    image = "tinkie/bootkit:build"
    docker("run", "--rm", "--network=none", out, image, "python3", "-c", COPY, *LIBRARIES)
    there = {wheel.name for wheel in (wheels.WHEELS / X86_64.debian / "bootkit").iterdir()}
    needed = [
        str(wheel) for wheel in wheels.fetch("dev", X86_64).iterdir() if wheel.name not in there
    ]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += [*wheels.for_image(X86_64), "--target", str(folder), *needed]
    subprocess.run(command, check=True)
    return folder


def test_bootkits_unit_tests_pass_inside_its_image(docker: Docker, tools: Path) -> None:
    _run_unit_tests(docker, tools, "bootkit", "tinkie", "settings", "bootkit")


def test_tink_dockers_unit_tests_pass_inside_its_image(docker: Docker, tools: Path) -> None:
    _run_unit_tests(docker, tools, "tink-docker", "tink_docker")


def _run_unit_tests(docker: Docker, tools: Path, image: str, *folders: str) -> None:
    pytest_command = ["python3", "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
    tests = [f"tests/unit/{folder}" for folder in folders]
    command = [f"tinkie/{image}:build", *pytest_command, *tests]
    output = docker("run", *_options(tools), *command, seconds=UNIT_TEST_SECONDS)
    assert " passed" in output
    assert "skipped" not in output


@pytest.mark.parametrize("package", ["bootkit", "tink_docker"])
def test_our_code_is_compiled_with_unchecked_hashes(
    docker: Docker, tools: Path, package: str
) -> None:
    """The bytecode counts whatever the time of the source is, so that nothing compiles at boot."""
    script = (
        f"import {package}.cli as m; f = open(m.__cached__, 'rb').read(8);"
        "print(m.__file__, int.from_bytes(f[4:], 'little'))"
    )
    image = f"tinkie/{package.replace('_', '-')}:build"
    output = docker("run", *_options(tools), image, "python3", "-c", script)
    unchecked_hash = 1  # PEP 552
    assert output == f"/usr/lib/python3/dist-packages/{package}/cli.py {unchecked_hash}"


@pytest.mark.parametrize("package", ["bootkit", "tink_docker", "network"])
def test_a_program_loads_no_parser_of_python(docker: Docker, package: str) -> None:
    """Here, because the standard library of other versions uses it."""
    script = (
        f"import sys, {package}.cli;"
        "print(*(type(sys.modules[name]).__name__ for name in ('ast', 'tokenize')))"
    )
    image = f"tinkie/{package.replace('_', '-').replace('network', 'dhcp')}:build"
    assert docker("run", "--rm", image, "python3", "-c", script) == "_LazyModule _LazyModule"


def _options(tools: Path) -> list[str]:
    folders = [f"{PROJECT / name}:/project/{name}:ro" for name in NEEDED]
    programs = [f"{path}:{path}:ro" for path in PROGRAMS]
    binds = [*folders, *programs, f"{tools}:/tools:ro"]
    volumes = [word for bind in binds for word in ("--volume", bind)]
    options = ["--workdir", "/project", "--tmpfs", "/tmp:exec", "--env", "PYTHONPATH=/tools"]
    options += ["--env", "LD_LIBRARY_PATH=/tools/lib"]
    return ["--rm", "--network", "none", *options, *volumes]
