"""Sessions of checks: `nox` runs them all, `nox -s lint` one of them."""

import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent
DIST = HERE / "dist"
PYTHONS = ["3.11", "3.12", "3.13"]
# a new version of these finds new things, so it is taken on purpose
RUFF = "ruff==0.17.6"
TYPE_CHECKERS = ["mypy==2.4.1", "pyright==1.1.414"]

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "docs", "tests", "coverage"]


@nox.session
def lint(session: nox.Session) -> None:
    session.install(RUFF)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python="3.11")
def types(session: nox.Session) -> None:
    session.install("-e", ".[test,redis]", "nox", *TYPE_CHECKERS)
    session.run("mypy")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-n", "-T", "-W", "--keep-going", "docs", "docs/_build")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build what is released, once for all Pythons."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(DIST))


@nox.session(python=PYTHONS, requires=["wheel"])
def tests(session: nox.Session) -> None:
    """Test the wheel, under coverage; `coverage` sums up."""
    (built,) = DIST.glob("*.whl")
    session.install(f"{built}[test]")
    for old in HERE.glob(f".coverage.{session.python}*"):
        old.unlink()
    session.chdir(_without_package(session))
    session.run(
        *("coverage", "run", "-m", "pytest", *session.posargs),
        env={
            "COVERAGE_FILE": str(HERE / f".coverage.{session.python}"),
            "TESTS_EXPECT_WHEEL": "1",
        },
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """Sum up what the sessions before it ran, over all Pythons."""
    session.install("coverage[toml]")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(python=["3.11", "3.12", "3.13"])
def examples(session: nox.Session) -> None:
    """Run the examples in Markdown alone; `tests` runs them too."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/test_examples.py")


@nox.session(python=["3.11", "3.13"], requires=["wheel"])
def bench(session: nox.Session) -> None:
    (built,) = DIST.glob("*.whl")
    session.install(str(built), "jam.py-v7")
    session.run("python", "tests/bench/run.py", *session.posargs)


@nox.session(python="3.11")
def servers(session: nox.Session) -> None:
    """Attack every server, without and with jamguard: an hour, of which nothing is checked."""
    session.install("-e", ".[test]")
    results = session.posargs or [str(Path(session.create_tmp()) / "table.json")]
    session.run("python", "tests/servers/table.py", *results, env={"PYTHONPATH": "tests"})


def _without_package(session: nox.Session) -> Path:
    """Copy the checkout but for the package, so that only the wheel can be imported."""
    copy = Path(session.create_tmp()) / "checkout"
    shutil.rmtree(copy, ignore_errors=True)
    leave = {"jamguard", ".git", ".nox", ".venv", "dist"}
    shutil.copytree(
        HERE, copy, ignore=lambda folder, _: leave if Path(folder) == HERE else set[str]()
    )
    return copy
