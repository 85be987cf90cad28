"""mkpython, in a root of the test: what of the standard library gets into an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

LIBRARY = "/usr/lib/python3.13"
KEPT = ("json/__init__.py", "ssl.py", "lib-dynload/_ssl.so", "lib-dynload/_hashlib.so")
DROPPED = (
    *("test/test_json.py", "idlelib/x.py", "tkinter/x.py", "turtle.py", "ensurepip/x.py"),
    *("venv/x.py", "pydoc_data/x.py", "_pyrepl/x.py", "curses/x.py", "dbm/x.py", "sqlite3/x.py"),
    *("sitecustomize.py", "EXTERNALLY-MANAGED", "config-3.13-x86_64-linux-gnu/x.py"),
    *("lib-dynload/_testcapi.so", "lib-dynload/_tkinter.so", "lib-dynload/_codecs_jp.so"),
    *("lib-dynload/readline.so", "lib-dynload/_sqlite3.so", "json/__pycache__/x.pyc"),
    *("pickletools.py", "wsgiref/x.py", "xmlrpc/x.py", "imaplib.py"),
    *("mailbox.py", "poplib.py", "smtplib.py"),
    *("_pydatetime.py", "_pydecimal.py", "_pyio.py"),
)
MKROOT = f'mkdir -p "$1/usr/lib"; cp -a "/target{LIBRARY}" "$1/usr/lib"'


def test_library_is_copied_without_what_no_server_program_needs(root: ScriptRoot) -> None:
    root.install("python/mkpython", "/mkpython")
    for name in (*KEPT, *DROPPED):
        root.write(f"/target{LIBRARY}/{name}", "x")
    root.stub("mkroot", MKROOT)
    root.stub("mkbytecode", f'[ -z "$(find /out{LIBRARY} -name __pycache__)" ]')
    done = root.run("sh", "/mkpython", "/out")
    assert done.returncode == 0, done.stderr
    found = {
        str(path.relative_to(root.at(f"/out{LIBRARY}")))
        for path in root.at(f"/out{LIBRARY}").rglob("*")
        if path.is_file()
    }
    assert found == set(KEPT)
    assert root.calls[0] == f"mkroot /out /usr/bin/python3 {LIBRARY}"
    assert root.calls[-1] == f"mkbytecode --only /out /out{LIBRARY}"
