"""Keys for Secure Boot, made anew by each test."""

import subprocess
from pathlib import Path


def signing_key(folder: Path, name: str, *options: str) -> tuple[Path, Path]:
    """Write an RSA key and its certificate, both in PEM, and return their paths.

    options: of `openssl req`, instead of a key without a password.
    """
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    kind = options or ("-newkey", "rsa:2048", "-nodes")
    command = ["openssl", "req", "-x509", *kind, "-subj", f"/CN={name}/", "-days", "1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate
