"""Run code beside a real Jam.py application, in a process of its own.

Jam.py changes the current directory, keeps globals and never lets go of its database, so
it is not for the process of the tests.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

TESTS: Final = Path(__file__).parent.parent

BEFORE: Final = f"""\
import json, sys
sys.path.insert(0, {str(TESTS)!r})
from jam.wsgi import create_application
from support.wsgi import call, environ, serve
import jamguard
"""
#: Jam.py prints too, so what counts is the last line
AFTER: Final = """
sys.stdout.flush()
print()
print(json.dumps(result))
"""


def inside(
    project: Path,
    code: str,
    env: Mapping[str, str] | None = None,
    *,
    python: str | Path = sys.executable,
) -> Any:
    """Run `code` in the folder of a project; return what it leaves in `result`.

    It has `create_application`, `jamguard`, and `call`, `environ` and `serve` of
    `support.wsgi`.
    """
    done = subprocess.run(
        [python, "-c", BEFORE + dedent(code) + AFTER],
        cwd=project,
        env={
            **os.environ,
            "JAMGUARD_STORAGE": f"shared:{project.parent}",
            **(env or {}),
        },
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])
