"""Programs that a test needs and a machine may lack: such a test is skipped, but not silently.

`@need.program("nginx")` on a test, or `pytestmark = need.program("chromium", "google-chrome")`
for a module: one of the names must be there. The run ends by saying what was not tested
(`conftest.py`). With `TESTS_REQUIRE_ALL=1`, as in continuous integration, such a test fails.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final, NoReturn

import pytest

VARIABLE: Final = "TESTS_REQUIRE_ALL"
#: what the reason of such a skip starts with
NEEDS: Final = "this machine has no "
#: what pip has installed, and where an administrator's programs are: not in everybody's PATH
MORE_PATHS: Final = (
    str(Path(sys.executable).parent),
    *("/usr/sbin", "/usr/local/sbin", "/sbin"),
)


def program(*names: str) -> pytest.MarkDecorator:
    """Mark a test that needs one of these programs."""
    return pytest.mark.needs(*names)


def find(*names: str) -> str | None:
    """Return the path of the first of these programs that is there."""
    paths = os.pathsep.join([os.environ.get("PATH", os.defpath), *MORE_PATHS])
    return next(filter(None, (shutil.which(name, path=paths) for name in names)), None)


def path(*names: str) -> str:
    """Return the path of a program; skip the running test, or fail it, where there is none."""
    found = find(*names)
    return found or missing(names[0])


def missing(name: str) -> NoReturn:
    """Skip the running test, or fail it, because there is no `name`."""
    if os.environ.get(VARIABLE):
        pytest.fail(NEEDS + name)
    pytest.skip(NEEDS + name)
