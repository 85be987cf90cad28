"""`python -m release.pack`: write a release to the project's root (ARCH=name).

It has the same kernel and initramfs in each form that an installer needs (README.md), and
manifest, SBOM, provenance, licences and checksums; with UKI=key also as a signed EFI program
(release.uki). The architectures lie beside each other. Those that were packed from one commit share
the checksums and the OCI image. SIGN=key signs both (release.signing).
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from release import (
    arch,
    archive,
    assemble,
    base,
    convert,
    device_trees,
    embed,
    engine,
    images,
    iso,
    manifest,
    oci,
    packed,
    provenance,
    published,
    sbom,
    signing,
    uki,
    verify,
)
from release.arch import Architecture
from release.cache import digest
from release.errors import ReportedError, reported_errors
from release.filenames import HELPER, PEM, Names, in_archives
from release.packed import Packed
from release.progress import Progress
from release.version import PROJECT, check_changelog, commit, version

STEPS = assemble.STEPS + images.STEPS + 3  # of pack


def pack(root: Path = PROJECT, progress: Progress | None = None) -> bool:
    """Build the release, and sign it if SIGN is given; False if it was up to date.

    Raises ReportedError.
    """
    target, sign_key, signer = arch.wanted(), signing.wanted(), uki.wanted()
    check_changelog()
    with convert.held(assemble.OUT):
        return _pack(root, progress or Progress(), target, sign_key, signer)


def _pack(
    root: Path,
    progress: Progress,
    target: Architecture,
    sign_key: Path | None,
    signer: uki.Signer | None,
) -> bool:
    if sign_key:
        packed.check_strangers(root)  # before the build takes its time
    assemble.assemble_held("release", progress, target, refresh=False)
    names, key = Names(target, has_uki=signer is not None), _key(target, signer)
    _check_sizes(target)
    before = packed.read(target)
    if before and before.made_from == key:
        changed = _faults(root, before, is_signed_now=bool(sign_key))
        if not changed:
            if sign_key:
                _sign(root, _together(), sign_key, progress)
            return bool(sign_key)
        for line in changed:
            progress.note(f"{line}; the release for {target.name} is packed again")
    packed.forget(target)
    if sign_key:  # before packing takes its time
        packed.refuse(root, [line for one in _together() for line in _changed(root, one)])
    _write(root, Packed(names, key, {}), signer, progress)
    if sign_key:
        _sign(root, _together(), sign_key, progress)
    return True


def _write(root: Path, new: Packed, signer: uki.Signer | None, progress: Progress) -> None:
    """Write all files of a release that has no signature; new: without its sums."""
    names, target = new.names, new.names.target
    with progress.step("archives"):
        _pack_files(root, names)
    if signer is None:
        (root / names.uki).unlink(missing_ok=True)  # of an earlier release
    _pack_contents(root, names, signer, progress)
    _check_manifest(root / names.manifest)
    others = _complete(root, _together(), progress)
    oci.write(root / names.oci, {one.debian: _files(one) for one in _targets(target, others)})
    for name in (*names.of_key, verify.SIGNATURE):  # they would be of other files
        (root / name).unlink(missing_ok=True)
    for one in others:
        _attest(root, one.names)
        # The OCI image is of all. No other file of theirs was written now: its sum stays.
        written = {name: verify.sha512(root / name) for name in (names.oci, one.names.provenance)}
        packed.write(replace(one, sums={**one.sums, **written}))
    _attest(root, names)
    _check_unchanged()
    packed.write(replace(new, sums=packed.sums(root, names)))
    (root / verify.CHECKSUMS).write_text(_lines(_together()))


def _together() -> list[Packed]:
    """Return what was packed from what lies in out/ and this commit, with any signer or none."""
    found = [packed.read(one) for one in arch.ALL]
    return [
        one
        for one in found
        if one and one.made_from.partition(" ")[0] == _content_key(one.names.target)
    ]


def _complete(root: Path, together: list[Packed], progress: Progress) -> list[Packed]:
    """Return those whose files are as they were packed; forget the others, with a message."""
    kept = []
    for one in together:
        if changed := _changed(root, one):
            name = one.names.target.name
            message = f"{changed[0]}: what was packed for {name} is left out"
            progress.note(f"{message}; `make dist ARCH={name}` packs it again")
            packed.forget(one.names.target)
        else:
            kept.append(one)
    return kept


def _changed(root: Path, one: Packed) -> list[str]:
    """Return a line for each fault of what another architecture's packing takes over."""
    anew = (one.names.oci, one.names.provenance)  # both are written again
    sums = {name: total for name, total in one.sums.items() if name not in anew}
    return list(verify.faults(root, sums, packed.RECORDS))


def _faults(root: Path, one: Packed, *, is_signed_now: bool) -> list[str]:
    """Return a line for each fault for which a release is packed again, though its inputs are same.

    Signing writes checksums and signature anew, and looks itself at the other architecture's files.
    """
    changed = list(verify.faults(root, one.sums, packed.RECORDS))
    if changed or is_signed_now:
        return changed
    together = _together()
    others = (other for other in together if other.names.target != one.names.target)
    changed = [line for other in others for line in verify.faults(root, other.sums, packed.RECORDS)]
    return changed or _checksum_faults(root, together)


def _checksum_faults(root: Path, together: list[Packed]) -> list[str]:
    """Return a line for each fault of checksum.txt, and of the signature if there is one."""
    path, names = root / verify.CHECKSUMS, together[0].names
    if not path.is_file():
        return [f"{path.name!r} is missing"]
    text = path.read_text(errors="replace")
    lines = text.removeprefix(_lines(together)).splitlines()
    signed = {line[2]: line[1] for line in map(verify.LINE.fullmatch, lines) if line}
    if text != _lines(together, signed) or {*signed} not in (set(), {*names.of_key}):
        return [f"{path.name!r} was changed, or is not of what is in out/ now"]
    if not signed:
        added = (*names.of_key, verify.SIGNATURE)
        return [f"{name!r} is not of this release" for name in added if (root / name).exists()]
    changed = list(verify.faults(root, signed, verify.CHECKSUMS))
    return changed or _signature_faults(root)


def _signature_faults(root: Path) -> list[str]:
    if not (root / verify.SIGNATURE).is_file():
        return [f"{verify.SIGNATURE!r} is missing"]
    if not verify.is_signature(root):
        return [f"{verify.SIGNATURE!r} was changed: it is no signature of {verify.CHECKSUMS}"]
    return []


def _check_unchanged() -> None:
    """Raise ReportedError unless out/ is a release build of what this folder and the base are now.

    A release also has lists of both, which are read after the build.
    """
    if assemble.built_level() != "release":
        raise ReportedError(
            "packing failed: sources, commit or base image have changed since out/ was built, and"
            " the release's lists would be of the new ones; `make dist` builds it again"
        )


def _check_sizes(target: Architecture) -> None:
    """Raise ReportedError if `make reproduce` would refuse kernel or initramfs for its size."""
    for path in (assemble.kernel(target), assemble.initramfs(target)):
        size = path.stat().st_size
        if size > published.MOST_BYTES:
            raise ReportedError(
                f"packing failed: {path} is too large: it has {size} bytes, and `make reproduce`"
                f" reads at most {published.MOST_BYTES}; embed fewer images ({embed.VARIABLE})"
            )


def _check_manifest(path: Path) -> None:
    """Raise ReportedError if `make reproduce` would refuse a manifest that was written just now."""
    try:
        published.read(path)
    except ReportedError as error:
        message = "packing failed: `make reproduce` would refuse the manifest"
        raise ReportedError(f"{message}, with this message: {error}") from None


def _targets(target: Architecture, others: list[Packed]) -> list[Architecture]:
    targets = {target, *(one.names.target for one in others)}
    return [one for one in arch.ALL if one in targets]


def _key(target: Architecture, signer: uki.Signer | None) -> str:
    """Return what a release is made from: out/, this commit, and a signer's words."""
    return f"{_content_key(target)} {signer.identity if signer else ''}"


def _content_key(target: Architecture) -> str:
    files = [assemble.kernel(target), assemble.initramfs(target)]
    return digest([path for path in files if path.exists()], version(), commit())


def _files(target: Architecture) -> dict[str, bytes]:
    paths = (assemble.kernel(target), assemble.initramfs(target))
    return {path.name: path.read_bytes() for path in paths}


def _pack_files(root: Path, names: Names) -> None:
    files = _files(names.target)
    for name, held in in_archives(names, files, HELPER).items():
        archive.tar_gz(root / name, held)
    if names.has_osie:
        total = verify.sha512(root / names.osie)
        (root / names.osie_sum).write_text(f"SHA512 ({names.osie}) = {total}\n")


def _pack_contents(root: Path, names: Names, signer: uki.Signer | None, progress: Progress) -> None:
    """Write what needs the images; first retag: another clone may have built since."""
    target = names.target
    with engine.running() as host, images.locked_names():
        images.build([], progress, target=target)
        _check_unchanged()
        with progress.step("manifest and licences"):
            contents = manifest.contents(host, target)
            if target.has_device_trees:
                (root / names.dtbs).write_bytes(device_trees.read(host, target))
        with progress.step("CD image"):
            loaders = iso.write(root / names.iso, _parts(target), target)
            manifest.add(contents, names.iso, loaders)
        if signer:
            with progress.step("unified kernel image"):
                stub = uki.write(root / names.uki, _parts(target), signer, target)
                manifest.add(contents, names.uki, stub)
    described = manifest.describe(contents, target)
    (root / names.manifest).write_text(described)
    (root / names.sbom).write_text(sbom.document(json.loads(described), contents.licences))
    archive.tar_gz(root / names.licences, contents.licences)


def _parts(target: Architecture) -> dict[str, Path]:
    return {"vmlinuz": assemble.kernel(target), "initramfs": assemble.initramfs(target)}


def _attest(root: Path, names: Names) -> None:
    """Write the provenance; also of what was packed before: the OCI image is of all."""
    files = [root / name for name in names.attested]
    files += [assemble.kernel(names.target), assemble.initramfs(names.target)]
    described = json.loads((root / names.manifest).read_text())
    (root / names.provenance).write_text(provenance.statement(files, described))


def _lines(together: list[Packed], signed: Mapping[str, str] | None = None) -> str:
    """Return checksum.txt: the sums of what was packed, and of what the signature adds."""
    sums = {name: one.sums[name] for one in together for name in one.names.summed}
    return "".join(f"{total}  {name}\n" for name, total in {**sums, **(signed or {})}.items())


def _sign(root: Path, together: list[Packed], key: Path, progress: Progress) -> None:
    """Sign the OCI image and the checksums. A failure leaves no signature that is not good."""
    packed.check(root, together)
    _note_unsigned(root, together, progress)
    names = together[0].names
    signature = root / verify.SIGNATURE
    signature.unlink(missing_ok=True)
    with signing.signer(key) as signer:
        oci.sign(root / names.oci, root / names.oci_signatures, signer.sign)
        (root / verify.SIGNERS).write_text(signer.allowed_signers)
        (root / PEM).write_bytes(signer.pem)
        signed = {name: verify.sha512(root / name) for name in names.of_key}
        (root / verify.CHECKSUMS).write_text(_lines(together, signed))
        signature.write_text(signer.sign_file(root / verify.CHECKSUMS))
    verify.verify_signature(root, root / verify.SIGNERS)


def _note_unsigned(root: Path, together: list[Packed], progress: Progress) -> None:
    """Name each architecture whose files lie there and are not signed."""
    signed = {name for one in together for name in one.names.results}
    for target in arch.ALL:
        names = {*Names(target, has_uki=True).results} - signed
        found = sorted(name for name in names if os.path.lexists(root / name))
        if found and target not in {one.names.target for one in together}:
            message = f"{found[0]!r} was not packed from what is in out/ now: no file for"
            message = f"{message} {target.name} is signed"
            progress.note(f"{message}; `make dist ARCH={target.name}` packs them again")


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        if not pack(PROJECT, Progress(STEPS + bool(os.environ.get(uki.KEY)))):
            print("nothing has changed: the release is up to date")
        if message := base.age_message(time.time()):
            print(message)
        found = packed.read(arch.wanted())
        names = found.names if found else Names(arch.wanted())
        for name in (*names.results, *names.of_key, verify.SIGNATURE):
            if (PROJECT / name).exists():  # a release without a signature has fewer
                print(f"{(PROJECT / name).stat().st_size / 1e6:8.1f} MB  {name}")


if __name__ == "__main__":
    main()
