"""Which methods Go's linker must keep because a template may call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from release import gotemplates
from release.errors import ReportedError

if TYPE_CHECKING:
    from pathlib import Path

EXEC = """package template

func (s *state) evalField() {
	if method := ptr.MethodByName(fieldName); method.IsValid() {
"""


def vendored(root: Path, **files: str) -> Path:
    """Return a vendor/ with these files in a package."""
    package = root / "vendor/example.org/engine/logs"
    package.mkdir(parents=True)
    for name, text in files.items():
        (package / name.replace("_", ".")).write_text(text)
    return root / "vendor"


def goroot(root: Path, text: str) -> Path:
    """Return a Go with this text/template."""
    file = root / "go" / gotemplates.EXEC
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return root / "go"


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ('const tag = "{{.ID}}"', {"ID"}),
        ("`{{- if .Timeout}}timeout {{.Timeout.Milliseconds}}ms`", {"Timeout", "Milliseconds"}),
        ("`{{range $k, $v := .Elements}}{{$k}} {{ $v.Comment -}}{{end}}`", {"Elements", "Comment"}),
        ("`{{with\n\t.Name}}{{(index .Maps 0).Size | len}}`", {"Name", "Maps", "Size"}),
        ('"{{.lower}}" // .Outside', set()),
    ],
)
def test_what_a_template_names_is_kept(tmp_path: Path, template: str, names: set[str]) -> None:
    assert gotemplates.names(vendored(tmp_path, tag_go=template)) == names


def test_a_template_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    vendor = vendored(tmp_path, rules_gotmpl="{{.Rules}}", notes_txt="{{.Notes}}")
    assert gotemplates.names(vendor) == {"Rules"}


def test_the_copy_calls_only_methods_that_are_named(tmp_path: Path) -> None:
    vendor = vendored(tmp_path, tag_go='"{{.ID}} {{.Name}}"')
    go = goroot(tmp_path, EXEC)
    listing = gotemplates.overlay(vendor, go, tmp_path)
    ((original, copy),) = json.loads(listing.read_text())["Replace"].items()
    assert original == str(go / gotemplates.EXEC)
    code = (tmp_path / copy).read_text()
    assert code.replace("methodOf(ptr, fieldName)", "ptr.MethodByName(fieldName)").startswith(EXEC)
    calls = [line.strip() for line in code.splitlines() if "return v.MethodByName(" in line]
    assert calls == [f'return v.MethodByName("{name}")' for name in ("ID", "Name")]


@pytest.mark.parametrize("text", ["package template\n", EXEC + EXEC])
def test_another_text_template_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReportedError, match=r"exec\.go does not call .* once"):
        gotemplates.overlay(vendored(tmp_path), goroot(tmp_path, text), tmp_path)
