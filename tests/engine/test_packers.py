"""The programs that pack, as the base image has them: nothing of the build host is in their way."""

import subprocess
from pathlib import Path

import pytest

from release import packers
from release.packers import Packers


@pytest.fixture(scope="module")
def of_the_base() -> Packers:
    return packers.packers_of_the_base()


@pytest.mark.parametrize("program", ["cpio", "gzip", "mksquashfs"])
def test_all_libraries_of_a_program_are_of_its_root(of_the_base: Packers, program: str) -> None:
    *start, path = of_the_base.command(program)
    loader = start[len(packers.CLEAN_ENVIRONMENT)]
    listed = subprocess.check_output([*start, "--list", path], text=True)
    found = [words[2] for line in listed.splitlines() if (words := line.split())[1:2] == ["=>"]]
    assert any("libc.so" in library for library in found)
    for library in found:
        assert Path(library).resolve().is_relative_to(of_the_base.root)
    assert Path(loader).resolve().is_relative_to(of_the_base.root)


def test_their_versions_are_those_that_they_print(of_the_base: Packers) -> None:
    versions = of_the_base.versions()
    for program, option, package in (
        ("cpio", "--version", "cpio"),
        ("gzip", "--version", "gzip"),
        ("mksquashfs", "-version", "squashfs-tools"),
    ):
        command = [*of_the_base.command(program), option]
        printed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        upstream = versions[package].rpartition(":")[2].partition("-")[0].partition("+")[0]
        assert upstream in printed.splitlines()[0]
