import subprocess
import sys
import time

import pytest

import jamguard


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, *arguments)


def test_the_version_is_the_package_s() -> None:
    assert python("-m", "jamguard", "--version").stdout == f"jamguard {jamguard.__version__}\n"


def test_the_command_is_installed() -> None:
    # beside this interpreter, as pip puts it
    assert run(f"{sys.prefix}/bin/jamguard", "--version").stdout.startswith("jamguard ")


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["asked", "no-command"])
def test_help_names_every_command(arguments: list[str]) -> None:
    said = python("-m", "jamguard", *arguments)
    assert all(name in said.stdout + said.stderr for name in ("demo", "config"))
    assert "Traceback" not in said.stderr


def test_without_the_extra_it_says_what_to_install() -> None:
    without_typer = "import runpy, sys; sys.modules['typer'] = None; runpy.run_module('jamguard')"
    said = python("-c", without_typer.replace("')", "', run_name='__main__')"))
    assert said.returncode == 2
    assert said.stderr == 'The command needs an extra: pip install "jamguard[cli]"\n'


def test_help_comes_at_once() -> None:
    # beside the help of typer's own command, which does nothing but start up
    def seconds(module: str) -> float:
        start = time.perf_counter()
        assert python("-m", module, "--help").returncode == 0
        return time.perf_counter() - start

    ours, theirs = (min(seconds(name) for _ in range(3)) for name in ("jamguard", "typer"))
    assert ours < 4 * theirs
