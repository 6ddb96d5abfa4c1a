"""Every attack of the catalogue, on plain Jam.py, where it works, and behind jamguard.

A row that does not work on plain Jam.py is wrong, and fails as well.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from catalogue import catalogue
from catalogue.attack import JSON, KEEP_ALIVE, Attack, Ids, Site, call, post
from support import projects
from support.code import add_task_code
from support.servers import Kind

IDS: Final = Ids()
ROWS: Final = catalogue(IDS)

#: attacks that no guard stops yet
OPEN: Final = frozenset(
    {
        "package-files",
        "reports-for-strangers",
        "exports-for-strangers",
        "exports-for-users",
        "any-sql",
        "passwords-by-sql",
        "database-to-download",
        "bricking",
        "functions-that-are-not-services",
        "sql-in-a-list",
        "sql-in-a-function",
        "sql-in-a-key",
        "builder-by-a-users-cookie",
        "files-by-a-users-cookie",
        "upload-by-a-users-cookie",
        "builder-page-by-a-users-cookie",
        "builder-by-an-administrators-application-cookie",
        "after-the-logout",
        "of-a-deleted-user",
        "builder-pages",
        "how-it-is-made",
        "busy-for-long",
        "the-table-many-times",
    }
)

#: so many requests in so few seconds are none of the attacks
CONFIG: Final = "[tool.jamguard.rate-limit]\nenabled = false\n"

#: functions of a project that are not meant for the browser
TASK_CODE: Final = """
from helpers import tell

def on_ext_request(task, method, params):
    if params == 'told':
        return 'told by a handler'

def _told(task):
    return 'told by a private function'
"""
HELPERS: Final = """
def tell(task):
    return 'told by an imported function'
"""


@pytest.fixture(scope="session")
def open_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it is before anybody has switched the safe mode on."""
    return projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False)


@attrs.frozen
class Sites:
    """The sites of one server program, started when they are first asked for."""

    kind: Kind
    parent: Path
    made: dict[str, Path]
    package: Path
    running: dict[tuple[str, bool], Site] = attrs.Factory(dict[tuple[str, bool], Site])

    def get(self, project: str, *, harden: bool) -> Site:
        if (project, harden) not in self.running:
            folder = projects.copy(self.made[project], self.parent / f"{project}-{harden}")
            add_task_code(folder, TASK_CODE)
            (folder / "helpers.py").write_text(HELPERS, "utf-8")
            site = Site(folder, self.package, self.kind, harden, CONFIG if harden else None)
            site.start()
            self.running[project, harden] = site
        return self.running[project, harden]

    def landed(self, row: Attack, *, harden: bool) -> set[str]:
        """Try all spellings of an attack; return those by which the attacker got it."""
        site = self.get(row.project, harden=harden)
        landed: set[str] = set()
        for name, spelling in row.spellings.items():
            try:
                if row.got(site, spelling(site)):
                    landed.add(name)
            finally:
                site.reset(row.leaves)
        return landed


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def sites(
    request: pytest.FixtureRequest,
    demo_project: Path,
    open_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sites]:
    kind: Kind = request.param
    jam = find_spec("jam")
    assert jam
    assert jam.origin
    sites = Sites(
        kind,
        tmp_path_factory.mktemp(kind),
        {"safe": demo_project, "open": open_project},
        Path(jam.origin).parent,
    )
    yield sites
    for site in sites.running.values():
        site.stop()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_it_works_on_plain_jam_py(sites: Sites, row: Attack) -> None:
    expected = {name for name in row.spellings if row.lands(name, sites.kind)}
    assert sites.landed(row, harden=False) == expected


@pytest.mark.parametrize("row", [row for row in ROWS if row.id not in OPEN], ids=lambda row: row.id)
def test_it_does_not_work_behind_jamguard(sites: Sites, row: Attack) -> None:
    assert sites.landed(row, harden=True) == set()


def test_those_who_attack_may_do_what_they_always_could(sites: Sites) -> None:
    """Else it would be no wonder that nothing works."""
    site = sites.get("safe", harden=True)
    options = {"__expanded": True, "__fields": ["id", "name"], "__filters": [["id", 7, [1, 2]]]}
    for who in ("clerk", "admin"):
        found = ask(site, call("open", IDS.customers, options), who)
        assert found[0][0][1] == projects.NAMES[0]
        assert ask(site, call("server", IDS.customers, ["hello", ["you"]]), who)[0] == "hello you"
    read = call("server", 0, ["server_file_info", ["wsgi.py"]], 0)
    assert "jamguard" in ask(site, read, "builder")[0]["doc"]
    opened = sites.get("open", harden=True).server
    assert opened.api(["load", IDS.task, 0, None, 0]).json["result"]["status"] == 9
    assert opened.api(["load", 0, 0, None, 0], headers=KEEP_ALIVE).json["result"]["status"] == 9


def ask(site: Site, body: bytes, who: str) -> Any:
    """Post a call as somebody, from this computer; return its data."""
    reply = post(body, f"{{{who}}}", headers={**JSON, **KEEP_ALIVE})(site)
    return reply.json["result"]["data"]


def test_each_attack_has_a_name_of_its_own() -> None:
    names = [row.id for row in ROWS]
    assert len(set(names)) == len(names)
