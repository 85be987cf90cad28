"""The files that the service writes."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from network.files import Files, host_name, resolv_conf, time_sources
from network.leases import Lease
from network.nics import Nic
from network.view import View
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from pathlib import Path

ONE = Lease(
    "eth0",
    "dhcp",
    address="10.0.0.5",
    hostname="one",
    name_servers=("10.0.0.53", "10.0.0.54"),
    search=("a.example", "b.example"),
    time_servers=("10.0.0.123",),
)
OTHER = Lease("eth1", "ra", name_servers=("fd00::53", "10.0.0.53"), search=("c.example",))


def files(folder: Path) -> Files:
    return Files(folder / "run", folder / "resolv.conf", folder / "hostname")


def view(*leases: Lease, chosen: str = "eth0", is_reached: bool = True) -> View:
    return View([Nic("eth0"), Nic("eth1")], leases, chosen=chosen, is_reached=is_reached)


def test_the_first_search_list_and_each_server_once() -> None:
    assert resolv_conf([ONE, OTHER]) == (
        "search a.example b.example\n"
        "nameserver 10.0.0.53\nnameserver 10.0.0.54\nnameserver fd00::53\n"
    )
    assert resolv_conf([]) == ""


def test_only_the_chosen_nics_servers_while_it_reaches_the_host() -> None:
    assert view(OTHER, ONE).in_use() == [ONE]
    assert view(OTHER, ONE, is_reached=False).in_use() == [ONE, OTHER]
    assert view(OTHER, ONE, chosen="").in_use() == [OTHER, ONE]


def test_a_chosen_nic_without_name_servers_uses_the_others() -> None:
    bare = Lease("eth0", "dhcp", address="10.0.0.5")
    assert view(bare, OTHER).in_use() == [bare, OTHER]


def test_the_host_name_is_the_command_lines_then_the_chosen_nics() -> None:
    given = Lease("eth1", "static", hostname="given")
    assert host_name([ONE, given], "eth0") == "given"
    assert host_name([ONE], "eth0") == "one"
    assert host_name([ONE], "eth1") == ""


def test_time_servers_have_a_file_for_each_lease() -> None:
    assert time_sources([ONE, OTHER]) == {"eth0.dhcp.sources": "server 10.0.0.123 iburst\n"}


def test_all_is_written_and_what_ended_is_removed(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.write(view(ONE), [], {"chosen": "eth0"})
    sources = tmp_path / "run/time-servers/eth0.dhcp.sources"
    assert sources.read_text() == "server 10.0.0.123 iburst\n"
    assert (tmp_path / "hostname").read_text() == "one\n"
    assert made.chosen == "eth0"
    made.write(view(OTHER, chosen="eth1"), [], {})
    assert not sources.exists()
    assert (tmp_path / "hostname").read_text() == "one\n"  # no lease has another one
    made.write(view(ONE), [], {})
    assert sources.exists()


def test_resolv_conf_stays_the_same_file_and_is_never_empty_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, path = files(tmp_path), tmp_path / "resolv.conf"
    path.write_text("nameserver 192.0.2.1\n" * 3)
    inode, real = path.stat().st_ino, os.ftruncate
    seen: list[str] = []

    def cut(descriptor: int, size: int) -> None:
        seen.append(path.read_text())
        real(descriptor, size)

    monkeypatch.setattr(os, "ftruncate", cut)
    made.write(view(OTHER, chosen="eth1"), [], {})
    assert path.read_text() == "search c.example\nnameserver fd00::53\nnameserver 10.0.0.53\n"
    assert path.stat().st_ino == inode
    assert seen[0].startswith("search c.example\n")


def test_the_host_names_file_stays_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "hostname").touch()  # in the OS, it is one of the kernel's
    inode = (tmp_path / "hostname").stat().st_ino
    files(tmp_path).write(view(ONE), [], {})
    assert (tmp_path / "hostname").stat().st_ino == inode


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.write(view(ONE), [], {})
    (tmp_path / "resolv.conf").write_text("of a person\n")
    made.write(view(ONE), [], {})
    assert (tmp_path / "resolv.conf").read_text() == "of a person\n"


def test_the_first_name_servers_are_written_at_once_and_no_later_ones(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.write_first(view(chosen=""))
    assert (tmp_path / "resolv.conf").read_text() == ""
    made.write_first(view(ONE, chosen=""))
    first = (tmp_path / "resolv.conf").read_text()
    assert "nameserver 10.0.0.53\n" in first
    made.write_first(view(OTHER, chosen=""))
    assert (tmp_path / "resolv.conf").read_text() == first
    (tmp_path / "resolv.conf").unlink()
    (tmp_path / "resolv.conf").symlink_to(tmp_path / "no/folder")
    with pytest.raises(TransientError):
        made.write_first(view(OTHER, chosen=""))


def test_without_leases_resolv_conf_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    files(tmp_path).write(view(chosen=""), [], {})
    assert (tmp_path / "resolv.conf").read_text() == ""


def test_an_error_names_the_file_and_the_others_are_written(tmp_path: Path) -> None:
    made = files(tmp_path)
    (tmp_path / "hostname").mkdir()
    with pytest.raises(TransientError, match="hostname"):
        made.write(view(ONE), [], {})
    assert made.chosen == "eth0"
    assert (tmp_path / "resolv.conf").exists()


def test_a_text_that_is_written_in_part_is_written_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    files(tmp_path).write(view(ONE), [], {})
    assert "nameserver 10.0.0.53\n" in (tmp_path / "resolv.conf").read_text()


def test_a_part_of_a_text_on_a_full_disk_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = files(tmp_path), os.write

    def full(descriptor: int, data: bytes) -> int:
        if os.lseek(descriptor, 0, os.SEEK_CUR):
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data[:7])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(TransientError, match="resolv"):
        made.write(view(ONE), [], {})
    monkeypatch.setattr(os, "write", real)
    made.write(view(ONE), [], {})
    assert "nameserver 10.0.0.53\n" in (tmp_path / "resolv.conf").read_text()


def test_a_file_that_cannot_be_removed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run/time-servers/eth7.dhcp.sources").mkdir(parents=True)
    with pytest.raises(TransientError, match=r"remove .*eth7"):
        files(tmp_path).write(view(ONE), [], {})


def test_the_next_run_has_the_leases_of_the_last_one(tmp_path: Path) -> None:
    files(tmp_path).write(view(ONE), [ONE, OTHER], {})
    assert files(tmp_path).read_leases() == [ONE, OTHER]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"x": 1}]', '"x"', "null"])
def test_without_a_last_run_there_is_nothing(tmp_path: Path, text: str) -> None:
    made = files(tmp_path)
    assert (made.chosen, made.read_leases()) == ("", [])
    (tmp_path / "run").mkdir()
    (tmp_path / "run/leases.json").write_text(text)
    assert made.read_leases() == []
