"""What EMBED means."""

from pathlib import Path

import pytest

from release import embed
from release.arch import AARCH64, ALL, X86_64, Architecture
from release.errors import ReportedError
from sandbox.images import ImageFile, write_archive
from tink_docker import embedded

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("words", "tagged", "source", "digest"),
    [
        ("r.example/w:1", "r.example/w:1", "docker://r.example/w:1", ""),
        ("r.example:5000/w", "r.example:5000/w:latest", "docker://r.example:5000/w:latest", ""),
        (f"r/w@{DIGEST}", "r/w:embedded", f"docker://r/w@{DIGEST}", DIGEST),
        (f"r/w:1@{DIGEST}", "r/w:1", f"docker://r/w@{DIGEST}", DIGEST),
        ("r/w:1=docker-archive:w.tar", "r/w:1", "docker-archive:w.tar", ""),
    ],
)
def test_each_way_to_name_an_image(
    words: str, tagged: str, source: str, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBED", words)
    (found,) = embed.wanted()
    assert (found.tagged, found.source, found.digest) == (tagged, source, digest)
    assert embed.may_have_changed() == ([] if digest else [found.name])


def test_several_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBED", "a:1, b:2,")
    assert [image.tagged for image in embed.wanted()] == ["a:1", "b:2"]
    monkeypatch.setenv("EMBED", "")
    assert embed.wanted() == []


@pytest.mark.parametrize("target", ALL)
def test_an_image_of_another_architecture_is_refused(
    target: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """skopeo copies it all the same: it chooses only where there are several."""
    (tmp_path / "file").write_text("content")
    archive = write_archive(
        tmp_path / "image.tar", [ImageFile("file", tmp_path / "file")], target=target
    )
    monkeypatch.setenv("EMBED", f"r.example/w:1=docker-archive:{archive}")
    record = tmp_path / "record"
    for wanted in (X86_64, AARCH64):
        folder = tmp_path / wanted.name
        folder.mkdir()
        if wanted == target:
            assert len(embed.files(folder, record, wanted)["files"]) == 2  # type: ignore[arg-type]
        else:
            message = f"for {target.debian}: an OS of {wanted.name} needs one for {wanted.debian}"
            with pytest.raises(ReportedError, match=message):
                embed.files(folder, record, wanted)


def test_it_is_put_where_it_is_looked_for() -> None:
    assert str(embedded.FOLDER) == f"/host_root/{embed.INSIDE}"
    assert embedded._INDEX == embed.INDEX
