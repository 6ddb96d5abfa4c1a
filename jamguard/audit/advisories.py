"""Known advisories about the installed packages, as `pip-audit` knows them.

It asks the network, so it is the one check that may take a while. Where `pip-audit` is not
installed nothing is asked, and nothing is said.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .findings import Finding, Place

PROGRAM: Final = "pip-audit"
SECONDS: Final = 120


def check() -> Iterator[Finding]:
    """Ask about the packages beside jamguard, which Jam.py is one of."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which(PROGRAM, path=path)
    if program is None:
        return
    packages = sysconfig.get_path("purelib")
    command = [program, "--format", "json", "--progress-spinner", "off", "--path", packages]
    said = ""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own program
            command, check=False, capture_output=True, text=True, timeout=SECONDS
        )
        said = done.stderr.strip().rpartition("\n")[2][:200]
        # it ends with 1 where it has found something, so that the status says nothing
        answer: Any = json.loads(done.stdout)
        yield from _flaws(answer["dependencies"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        yield Finding("JC514", Place(program), said or type(error).__name__)


def _flaws(packages: Any) -> Iterator[Finding]:  # noqa: ANN401 - JSON
    if not any("vulns" in package for package in packages):
        raise ValueError("it has skipped every package")  # its index knows of no flaws
    for package in packages:
        for flaw in package.get("vulns", ()):
            better = ", ".join(flaw["fix_versions"]) or "no version yet"
            detail = f"{package['version']}: {flaw['id']}, mended in {better}"
            yield Finding("JC513", Place(package["name"]), detail)
