"""A certificate of one's own making, for a server on 127.0.0.1."""

import subprocess
from pathlib import Path

from support import need


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate and its key; the test is skipped without openssl."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *(need.path("openssl"), "req", "-x509", "-nodes", "-days", "30"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
