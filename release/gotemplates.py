"""Let Go's linker leave out the methods that nothing calls, in programs with templates.

text/template calls methods by names that it reads, so the linker keeps every exported method of
every type: a sixth of dockerd, a fifth of containerd. The copy of text/template that `overlay`
makes calls only methods whose names stand in a template somewhere in the program's packages. Those
of a log's tag, the only template from outside, do: the engine has the usual tags as constants.
Another name gets text/template's own error for a method that is not there.
"""

import json
import re
from pathlib import Path

from release.errors import ReportedError

ACTION = re.compile(
    r"\{\{-?\s*[.$(a-z].*?\}\}", re.DOTALL
)  # and some literals of Go, which do no harm
NAME = re.compile(r"\.([A-Z]\w*)")
SUFFIXES = (".go", ".gotmpl")
LISTING = "overlay.json"  # for `go build -overlay`
EXEC = "src/text/template/exec.go"
CALL = "ptr.MethodByName(fieldName)"
FUNCTION = """
// methodOf is v.MethodByName(name) for the names that are known when the program is built.
func methodOf(v reflect.Value, name string) reflect.Value {{
	switch name {{
{cases}
	}}
	return reflect.Value{{}}
}}
"""


def names(vendor: Path) -> set[str]:
    """Return what the templates in vendored packages name."""
    files = (file for file in vendor.rglob("*") if file.suffix in SUFFIXES)
    actions = (action for file in files for action in ACTION.findall(file.read_text()))
    return {name for action in actions for name in NAME.findall(action)}


def overlay(vendor: Path, goroot: Path, folder: Path) -> Path:
    """Write the copy and LISTING into a folder; return the path of the latter.

    Raises ReportedError if this Go's text/template is not as expected.
    """
    original = goroot / EXEC
    code = original.read_text()
    if code.count(CALL) != 1:
        raise ReportedError(f"{original} does not call {CALL} once: adapt release/gotemplates.py")
    cases = "\n".join(
        f'\tcase "{name}":\n\t\treturn v.MethodByName("{name}")' for name in sorted(names(vendor))
    )
    copy = folder / "exec.go"
    copy.write_text(code.replace(CALL, "methodOf(ptr, fieldName)") + FUNCTION.format(cases=cases))
    listing = folder / LISTING
    listing.write_text(json.dumps({"Replace": {str(original): str(copy)}}))
    return listing
