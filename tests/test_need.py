"""What a machine lacks is never skipped in silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import need

HERE = Path(__file__).parent
TESTS = """
from support import need

@need.program("no-such-program", "nor-this")
def test_by_a_mark():
    pass

def test_in_the_middle():
    need.path("no-such-program")

@need.program("no-such-program", "sh")
def test_that_has_one_of_two():
    pass
"""


def run(folder: Path, **variables: str) -> str:
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "test_it.py").write_text(TESTS)
    environ = {key: value for key, value in os.environ.items() if key != need.VARIABLE}
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), "-c", os.devnull]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(HERE), **variables},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_the_run_ends_by_saying_what_was_not_tested(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert "1 passed, 2 skipped" in said
    assert "NOT TESTED: 2 tests were skipped because this machine has no no-such-program\n" in said


def test_a_variable_turns_such_a_skip_into_a_failure(tmp_path: Path) -> None:
    said = run(tmp_path, **{need.VARIABLE: "1"})
    assert "1 failed, 1 passed, 1 error" in said


def test_a_program_is_found_where_administrators_have_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(need, "MORE_PATHS", (str(Path(sys.executable).parent),))
    assert need.find(Path(sys.executable).name) == sys.executable
