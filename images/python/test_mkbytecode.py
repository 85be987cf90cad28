"""mkbytecode: bytecode that depends on the sources alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "mkbytecode"
SOURCE = "NAMES = {'a', 'b', 'c'}\n\ndef f(x):\n    return x in {'d', 'e', 'f'}\n"
HEADER = 16  # magic number, flags, hash of the source


def compiled(out: Path, *options: str, mtime: int, seed: str) -> bytes:
    folder = out / "usr/lib/python3"
    folder.mkdir(parents=True)
    source = folder / "module.py"
    source.write_text(SOURCE)
    os.utime(source, (mtime, mtime))
    environment = os.environ | {"PYTHONHASHSEED": seed}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(["sh", SCRIPT, *options, out, folder], env=environment, check=True)
    (file,) = folder.rglob("*.pyc")
    return file.read_bytes()


@pytest.mark.parametrize("options", [(), ("--only",)])
def test_same_sources_give_same_bytes_wherever_and_whenever(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    first = compiled(tmp_path / "one", *options, mtime=1, seed="1")
    second = compiled(tmp_path / "another/place", *options, mtime=1_000_000, seed="2")
    assert first == second


def test_bytecode_alone_is_what_python_imports(tmp_path: Path) -> None:
    folder = tmp_path / "usr/lib/python3"
    (folder / "package").mkdir(parents=True)
    (folder / "package/__init__.pyi").write_text("def fail() -> None: ...\n")
    (folder / "package/__init__.py").write_text("def fail():\n    return 1 / 0\n")
    (folder / "package/data.json").write_text("{}")
    subprocess.run(["sh", SCRIPT, "--only", tmp_path, folder], check=True)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {"package/__init__.pyc", "package/data.json"}
    script = "import package; package.fail()"
    done = subprocess.run(
        ["python3", "-c", script], cwd=folder, check=False, capture_output=True, text=True
    )
    assert 'File "/usr/lib/python3/package/__init__.py", line 2, in fail' in done.stderr


def test_python_uses_it_without_a_look_at_the_source(tmp_path: Path) -> None:
    flags = int.from_bytes(compiled(tmp_path, mtime=1, seed="1")[4:8], "little")
    assert flags == 0b01, "by hash, unchecked"


def test_tracebacks_name_the_path_on_the_machine(tmp_path: Path) -> None:
    bytecode = compiled(tmp_path, mtime=1, seed="1")
    script = "import marshal, sys; print(marshal.loads(sys.stdin.buffer.read()).co_filename)"
    shown = subprocess.check_output(["python3", "-c", script], input=bytecode[HEADER:])
    assert shown.decode() == "/usr/lib/python3/module.py\n"


def test_source_with_an_error_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def\n")
    done = subprocess.run(
        ["sh", SCRIPT, tmp_path, tmp_path], check=False, stdout=subprocess.DEVNULL
    )
    assert done.returncode != 0
