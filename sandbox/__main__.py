"""`python -m sandbox up` and `down`, for `make sandbox` and `make sandbox-down`."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from release import arch, assemble, base
from release.errors import reported_errors
from release.progress import Progress
from sandbox.ingredients import STEPS as INGREDIENT_STEPS
from sandbox.ingredients import check_artifacts, ingredients
from sandbox.provision import (
    DISK_BOOTS,
    DISK_IS_EMPTY,
    WORKFLOWS,
    Request,
    check,
    provision,
    remove,
)

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / "out" / "sandbox"
PROOFS = {"install": DISK_BOOTS, "wipe": DISK_IS_EMPTY}


def main() -> None:
    """Run the command line."""
    options = _parser().parse_args()
    with reported_errors():
        if options.verb == "down":
            remove(FOLDER)
        else:
            _up(options)


def _up(options: argparse.Namespace) -> None:
    target = arch.wanted()
    request = Request(
        folder=FOLDER,
        template=Path(options.template or WORKFLOWS / f"{options.workflow}.yml"),
        proof="" if options.template else PROOFS[options.workflow],
        memory=options.memory,
        disk_mib=options.disk,
        kernel_args=options.kernel_args,
        direct=options.boot == "direct",
        target=target,
    )
    check(request)
    if options.artifacts:
        check_artifacts(Path(options.artifacts), target)
    build_steps = 0 if options.artifacts else assemble.STEPS
    progress = Progress(build_steps + INGREDIENT_STEPS + request.steps)
    artifacts = Path(options.artifacts) if options.artifacts else _build(progress)
    provision(request, ingredients(artifacts, progress, target), progress)


def _build(progress: Progress) -> Path:
    if not assemble.assemble("quick", progress):
        progress.note("nothing has changed: out/ is up to date")
    if message := base.warning(time.time()):
        progress.note(message)
    return assemble.OUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("down", help="remove everything that a sandbox left behind")
    up = verbs.add_parser("up", help="provision a virtual machine")
    workflow, boot = _one_of(*PROOFS), _one_of("network", "direct")
    up.add_argument("--workflow", type=workflow, default=_given("WORKFLOW", "install"))
    up.add_argument("--template", default=_given("TEMPLATE"), help="another workflow (YAML file)")
    up.add_argument(
        "--artifacts",
        default=_given("ARTIFACTS"),
        help="a folder with another kernel and initramfs",
    )
    up.add_argument(
        "--kernel-args",
        default=_given("KERNEL_ARGS"),
        help="extra kernel parameters, appended last",
    )
    up.add_argument("--boot", type=boot, default=_given("BOOT", "network"))
    up.add_argument("--memory", type=int, default=_given("MEMORY", "2048"), help="MiB")
    up.add_argument("--disk", type=int, default=_given("DISK", "1024"), help="MiB")
    return parser


def _one_of(*words: str) -> Callable[[str], str]:
    # The `choices` of argparse do not check defaults, and ours come from the environment.
    def word(text: str) -> str:
        if text not in words:
            raise argparse.ArgumentTypeError(f"{text!r}: use one of {', '.join(words)}")
        return text

    return word


def _given(name: str, default: str = "") -> str:
    # `make sandbox NAME=value` arrives as an environment variable.
    return os.environ.get(name) or default


if __name__ == "__main__":
    main()
