#!/bin/sh
# Renews the locked requirements from pyproject.toml. The index is the machine's own.
set -eu
compile() {
    .venv/bin/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" "$@" \
        pyproject.toml
}
# requests guesses encodings with charset-normalizer, and takes UTF-8 without it. Importing that would
# be a fifth of bootkit's start (Dockerfile.bootkit has the rest). httpx uses anyio for coroutines only,
# which the agents do not have (ADR 3).
compile --upgrade --python-version 3.13 --python-platform linux --extra agent \
    --no-emit-package charset-normalizer --no-emit-package anyio \
    --output-file requirements/bootkit.txt
compile --python-version 3.13 --python-platform linux \
    --constraints requirements/bootkit.txt --no-emit-package anyio \
    --output-file requirements/tink-docker.txt
# virt-firmware imports crypt-r in what we do not use of it. It has no wheel, so Python 3.13 would need
# a C compiler and the headers of two libraries.
compile --upgrade --python-version 3.11 --universal --extra agent --group dev \
    --constraints requirements/bootkit.txt --no-emit-package crypt-r \
    --output-file requirements/dev.txt
