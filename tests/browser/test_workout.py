"""All that users and developers do works behind every guard just as it does without them.

The same steps are done on plain Jam.py and behind jamguard, each on a copy of one project.
What was seen, what is in the databases and what the browser complained of are then the same,
and jamguard has refused nothing.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from playwright.sync_api import Browser
from support import building, corpus, shop, workout
from support.projects import copy
from support.servers import run_server
from support.visit import CHROMIUM, Visit, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

REFUSALS: Final = re.compile(r"^.*guard(?:=|-failed).*$", re.MULTILINE)


@attrs.frozen
class Done:
    """What a run of steps left behind."""

    visit: Visit
    seen: Sequence[Any]
    databases: Mapping[str, Sequence[Any]]
    files: Sequence[str]
    refusals: Sequence[str]
    calls: Sequence[corpus.Line]


@pytest.fixture(scope="module")
def shop_project(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop.make(demo_project, tmp_path_factory.mktemp("shop") / "project")


def test_whatever_users_do_ends_the_same(
    browser: Browser, shop_project: Path, tmp_path: Path
) -> None:
    compare(browser, shop_project, workout.STEPS, tmp_path, "application")


def compare(
    browser: Browser, project: Path, steps: Sequence[workout.Step], folder: Path, name: str
) -> None:
    plain = run(browser, copy(project, folder / "plain" / "project"), steps, harden=False)
    if corpus.RECORD:
        corpus.write(name, plain.calls)
    hardened = run(browser, copy(project, folder / "hardened" / "project"), steps, harden=True)
    assert hardened.refusals == []
    assert hardened.visit.violations == []
    assert hardened.visit.blamed <= plain.visit.blamed, hardened.visit.errors
    for without, behind in zip(plain.seen, hardened.seen, strict=True):
        assert behind == without
    for database, rows in plain.databases.items():
        assert hardened.databases[database] == rows
    assert hardened.files == plain.files
    # what the client sends is in the corpus: otherwise this is a new Jam.py, or a new step
    known = corpus.unique(corpus.read(name))
    assert [line for key, line in corpus.unique(plain.calls).items() if key not in known] == []


def run(browser: Browser, project: Path, steps: Sequence[workout.Step], *, harden: bool) -> Done:
    folder = project.parent
    with run_server(project, "gunicorn", harden=harden) as server, visit(browser) as visited:
        recorder = corpus.Recorder(visited.context)
        visited.context.add_init_script(workout.COUNTER)
        at = workout.At(visited.page, server.url, folder)
        for step in steps:
            step(at)
        refusals = REFUSALS.findall(server.log())
    return Done(
        visited,
        corpus.tidy(at.seen),
        {name: dump(project / name) for name in ("demo.sqlite", "admin.sqlite")},
        sorted(corpus.tidy(path.name) for path in project.glob("static/*/*")),
        refusals,
        recorder.lines,
    )


def dump(path: Path) -> list[Any]:
    """Return all rows of all tables, without what differs from run to run."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows: list[Any] = []
        for (table,) in sorted(tables):
            columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{name}"' for name in columns if name not in {"F_IP", "F_UUID"})
            found = database.execute(f"SELECT {kept} FROM {table}").fetchall()
            rows += [(table, *map(corpus.tidy, row)) for row in found]
        return rows


def test_whatever_developers_do_ends_the_same(
    browser: Browser, shop_project: Path, tmp_path: Path
) -> None:
    compare(browser, shop_project, building.STEPS, tmp_path, "builder")
