"""The release as a CD image that boots from BIOS and UEFI, for machines without network boot.

Its kernel command line is a placeholder. Tinkerbell's smee replaces it while it sends the file to
a machine (`/iso/<mac>/….iso`), in any block of the file that contains all of it.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from release import base, engine, images
from release.arch import Architecture
from release.cache import cache, digest, keep
from release.process import run
from release.progress import Progress
from release.version import PROJECT, source_date_epoch

FOLDER = PROJECT / "images" / "iso"
# The default of smee's --iso-patch-magic-string: tinkerbell v0.25.0, smee/smee.go
PLACEHOLDER = (
    "464vn90e7rbj08xbwdjejmdf4it17c5zfzjyfhthbh19eij201hjgit021bmpdb9ctrc87x2ymc8e7icu4ffi15x1hah9iya"
    "iz38ckyap8hwx2vt5rm44ixv4hau8iw718q5yd019um5dt2xpqqa2rjtdypzr5v1gun8un110hhwp8cex7pqrh2ivh0ynpm4"
    "zkkwc8wcn367zyethzy7q8hzudyeyzx3cgmxqbkh825gcak7kxzjbgjajwizryv7ec1xm2h0hh7pz29qmvtgfjj1vphpgq1z"
    "cbiiehv52wrjy9yq473d9t1rvryy6929nk435hfx55du3ih05kn5tju3vijreru1p6knc988d4gfdz28eragvryq5x8aibe5"
    "trxd0t6t7jwxkde34v6pj1khmp50k6qqj3nzgcfzabtgqkmeqhdedbvwf3byfdma4nkv3rcxugaj2d0ru30pa2fqadjqrtjn"
    "v8bu52xzxv7irbhyvygygxu1nt5z4fh9w1vwbdcmagep26d298zknykf2e88kumt59ab7nq79d8amnhhvbexgh48e8qc61vq"
    "2e9qkihzt1twk1ijfgw70nwizai15iqyted2dt9gfmf2gg7amzufre79hwqkddc1cd935ywacnkrnak6r7xzcz7zbmq3kt04"
    "u2hg1iuupid8rt4nyrju51e6uejb2ruu36g9aibmz3hnmvazptu8x5tyxk820g2cdpxjdij766bt2n3djur7v623a2v44juy"
    "fgz80ekgfb9hkibpxh3zgknw8a34t4jifhf116x15cei9hwch0fye3xyq0acuym8uhitu5evc4rag3ui0fny3qg4kju7zkfy"
    "y8hwh537urd5uixkzwu5bdvafz4jmv7imypj543xg5em8jk8cgk7c4504xdd5e4e71ihaumt6u5u2t1w7um92fepzae8p0vq"
    "93wdrd1756npu1pziiur1payc7kmdwyxg3hj5n4phxbc29x0tcddamjrwt260b0w"
)


def write(path: Path, files: Mapping[str, Path], target: Architecture) -> bytes:
    """Write a CD image with these files (vmlinuz, initramfs: their paths) to path.

    Return what is in it besides these files, for manifest.add.

    Raises ReportedError. Needs the base image, inside images.locked_names().
    """
    with engine.running() as host, tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        for inside, file in files.items():
            os.link(file, folder / inside)
        (folder / "grub.cfg").write_text(grub_cfg())
        command = [*_build(target), f"--file={FOLDER}/Dockerfile"]
        command += [f"--output={engine.fields(type='local', dest=folder / 'out')}"]
        command += [f"--build-arg=SOURCE_DATE_EPOCH={source_date_epoch()}", name]
        environment = os.environ | {"DOCKER_HOST": host}
        run("building the CD image", command, env=environment, seconds=None)
        (folder / "out" / "tinkie.iso").rename(path)
        return (folder / "out" / "parts.tar").read_bytes()


def disk_loader(target: Architecture) -> Path:
    """Return a loader that UEFI starts from a disk: Debian's signed GRUB, under the name for that.

    Raises ReportedError.
    """

    def cached() -> Path:
        key = digest([FOLDER / "Dockerfile"], base.identity(), *_build(target))
        return cache() / "loaders" / key

    folder = cached()
    if not base.identity() or not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with (
            engine.running() as host,
            images.locked_names(),
            tempfile.TemporaryDirectory(dir=folder.parent) as name,
        ):
            environment, made = os.environ | {"DOCKER_HOST": host}, Path(name) / "made"
            base.provide(environment, Progress(), refresh=False)
            folder = cached()  # of the base that is there now
            command = [*_build(target), "--target=disk"]
            command += [f"--output={engine.fields(type='local', dest=made)}", str(FOLDER)]
            run("unpacking GRUB", command, env=environment, seconds=None)
            keep(made, folder)
    return next(folder.iterdir())


def _build(target: Architecture) -> list[str]:
    """Return the start of the engine's command, with the names that UEFI has for target."""
    loader = PurePosixPath(target.efi_loader).name
    command = ["docker", "buildx", "build", "--quiet", "--network=host"]
    command += [f"--platform=linux/{target.debian}"]
    return [*command, f"--build-arg=EFI={target.efi}", f"--build-arg=LOADER={loader}"]


def grub_cfg() -> str:
    """Return GRUB's configuration, which contains the placeholder."""
    return (FOLDER / "grub.cfg").read_text().replace("PLACEHOLDER", PLACEHOLDER)
