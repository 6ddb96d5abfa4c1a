"""Fixtures for all tests, and a word at the end about what this machine could not test."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from support import need, projects, v5

from jamguard.stores.shared import shared_path


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Jam.py project with data and users, not hardened. To read or copy, never to change."""
    return projects.make(tmp_path_factory.mktemp("demo") / "project")


@pytest.fixture
def project(demo_project: Path, tmp_path: Path) -> Path:
    """A fresh copy of the project, to be hardened, served and spoilt."""
    return projects.copy(demo_project, tmp_path / "project")


@pytest.fixture(scope="session")
def v5_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Jam.py v5."""
    return v5.make_environment(tmp_path_factory.mktemp("v5") / "environment")


@pytest.fixture(scope="session")
def v5_project(v5_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of Jam.py v5, not hardened: see `support.v5_project`. To read or copy."""
    return v5.make_project(v5_python, tmp_path_factory.mktemp("v5") / "project")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*names): needs one of these programs")
    # started in the background of a script it is ignored, here and in every server of the tests
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of modules that start real servers."""
    for item in items:
        if "run_server" in vars(getattr(item, "module", item)):
            item.add_marker("server")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        need.path(*mark.args)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Leave no file that the servers of a test counted in: each takes 11 MB of memory."""
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if isinstance(folder, Path):
        _forget_counts(folder)


def pytest_sessionfinish(session: pytest.Session) -> None:
    factory = getattr(session.config, "_tmp_path_factory", None)
    if isinstance(factory, pytest.TempPathFactory):
        for folder in factory.getbasetemp().iterdir():
            _forget_counts(folder)


def _forget_counts(folder: Path) -> None:
    for project in [folder, *folder.glob("*/")]:
        shared_path(project).unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested, and why."""
    reasons = (str(report.longrepr) for report in terminalreporter.stats.get("skipped", ()))
    missing = Counter(
        reason.partition(need.NEEDS)[2].rstrip("')") for reason in reasons if need.NEEDS in reason
    )
    for name, count in sorted(missing.items()):
        tests = "test was" if count == 1 else "tests were"
        terminalreporter.write_line(
            f"NOT TESTED: {count} {tests} skipped because {need.NEEDS}{name}",
            yellow=True,
            bold=True,
        )
