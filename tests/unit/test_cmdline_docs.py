"""docs/cmdline.md is printed from the table of kernel parameters, and the table is true."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from release.cmdline_docs import DOCUMENT, groups, table, written
from tinkie.parameters import table as parameters
from tinkie.parameters.parameter import Parameter, Reader, Section
from tinkie.parameters.tinkerbell import TINKERBELL_PARAMETERS

ROOT = Path(__file__).parents[2]
FOLDERS = {
    Reader.BOOTKIT: "bootkit",
    Reader.TINK_DOCKER: "tink_docker",
    Reader.SETTINGS: "settings",
    Reader.NETWORK: "network",
}
NAMES = {name for name, row in vars(parameters).items() if isinstance(row, Parameter)}


def test_the_tables_are_printed_from_the_code() -> None:
    """`make docs` writes them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert written(text) == text
    assert all(table(section) in text for section in Section)
    assert groups() in text


def used(folder: str) -> set[str]:
    """Return the names of the parameters that the modules of a program mention."""
    paths = (ROOT / folder).rglob("*.py")
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    found = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {getattr(parameters, name).name for name in found & NAMES}


@pytest.mark.parametrize("reader", FOLDERS)
def test_a_program_reads_what_the_table_has(reader: Reader) -> None:
    proxies = {parameters.HTTP_PROXY.name, parameters.HTTPS_PROXY.name, parameters.NO_PROXY.name}
    agents = (Reader.BOOTKIT, Reader.TINK_DOCKER)
    shared = proxies if reader in agents else set()  # by tinkie.parameters.proxy
    assert used(FOLDERS[reader]) | shared == set(parameters.names_read_by(reader))


def test_what_names_tinkerbell_is_a_host_or_a_url() -> None:
    assert [row.name for row in TINKERBELL_PARAMETERS] == [
        *("grpc_authority", "grpc_cert_url", "metadata_url", "tinkerbell"),
        *("packet_base_url", "registry_ca_url"),
    ]
