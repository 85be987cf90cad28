"""mkwheels: every wheel of a folder is installed, then compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot


@pytest.mark.parametrize("only", [[], ["--only"]])
def test_wheels_are_installed_for_debians_python_and_compiled_at_the_end(
    root: ScriptRoot, only: list[str]
) -> None:
    root.install("python/mkwheels", "/mkwheels")
    root.stub("python3", "echo $DEB_PYTHON_INSTALL_LAYOUT >>/layout")
    root.stub("mkbytecode")
    for name in ("a-1.whl", "b-2.whl", "notes.txt"):
        root.write(f"/wheels/{name}", "")
    assert root.run("sh", "/mkwheels", *only, "/out", "/wheels").returncode == 0
    install = "python3 -m installer --destdir /out --no-compile-bytecode"
    assert root.calls == [
        f"{install} /wheels/a-1.whl",
        f"{install} /wheels/b-2.whl",
        " ".join(["mkbytecode", *only, "/out", "/out/usr/lib/python3/dist-packages"]),
    ]
    assert root.read("/layout") == "deb\ndeb\n"


def test_wheel_that_does_not_install_fails_the_build(root: ScriptRoot) -> None:
    root.install("python/mkwheels", "/mkwheels")
    root.stub("python3", "exit 1")
    root.stub("mkbytecode")
    root.write("/wheels/a-1.whl", "")
    assert root.run("sh", "/mkwheels", "/out", "/wheels").returncode != 0
    assert "mkbytecode" not in root.read(".calls")
