"""Every attack of the catalogue: on plain Jam.py, where it works, and behind jamguard.

A spelling that does not work on plain Jam.py is wrong, and fails as well.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from catalogue import catalogue
from catalogue.attack import JSON, KEEP_ALIVE, Attack, Project, Site, call, post
from catalogue.sites import ROWS, Sites, stopped
from catalogue.table import as_markdown
from support import projects
from support.servers import Kind

pytestmark = pytest.mark.long

each_of_v7 = pytest.mark.parametrize("row", ROWS["v7"], ids=lambda row: row.id)
each_of_v5 = pytest.mark.parametrize("row", ROWS["v5"], ids=lambda row: row.id)
KINDS: Final[tuple[Kind, ...]] = ("gunicorn", "waitress")

PAGE: Final = Path(__file__).parents[2] / "docs" / "explain" / "catalogue.md"


@pytest.fixture(scope="module", params=KINDS)
def sites(
    request: pytest.FixtureRequest, demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    jam = find_spec("jam")
    assert jam
    assert jam.origin
    parent = tmp_path_factory.mktemp(request.param)
    package = Path(jam.origin).parent
    with stopped(Sites("v7", request.param, demo_project, parent, package)) as sites:
        yield sites


@pytest.fixture(scope="module", params=KINDS)
def sites_of_v5(
    request: pytest.FixtureRequest,
    v5_python: Path,
    v5_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sites]:
    (package,) = v5_python.parents[1].glob("lib/python*/site-packages/jam")
    parent = tmp_path_factory.mktemp(f"v5-{request.param}")
    made = Sites("v5", request.param, v5_project, parent, package, str(v5_python))
    with stopped(made) as sites:
        yield sites


@each_of_v7
def test_it_works_on_plain_jam_py(sites: Sites, row: Attack) -> None:
    assert sites.landed(row, harden=False) == sites.expected(row)


@each_of_v7
def test_it_does_not_work_behind_jamguard(sites: Sites, row: Attack) -> None:
    assert sites.landed(row, harden=True) == set()


@each_of_v5
def test_it_works_on_plain_jam_py_v5(sites_of_v5: Sites, row: Attack) -> None:
    assert sites_of_v5.landed(row, harden=False) == sites_of_v5.expected(row)


@each_of_v5
def test_it_does_not_work_on_v5_behind_jamguard(sites_of_v5: Sites, row: Attack) -> None:
    assert sites_of_v5.landed(row, harden=True) == set()


def test_those_who_attack_may_do_what_they_always_could(sites: Sites) -> None:
    """Else it would be no wonder that nothing works."""
    check_that_it_works(sites)


def test_those_who_attack_v5_may_do_what_they_always_could(sites_of_v5: Sites) -> None:
    check_that_it_works(sites_of_v5)


def check_that_it_works(sites: Sites) -> None:
    site = sites.get("safe", harden=True)
    project = site.project
    options: dict[str, object] = {"__expanded": True, "__fields": ["id", "name"], "__order": []}
    options |= {"__filters": [["id", 7, [1, 2]]], "__limit": 10, "__offset": 0}
    for who in ("clerk", "admin"):
        found = ask(site, call("open", project.customers, options), who)
        assert found[0][0][1] == projects.NAMES[0]
        said = ask(site, call("server", project.customers, ["hello", ["you"]]), who)
        assert said[0] == "hello you"
    read = call("server", 0, ["server_file_info", ["wsgi.py"]], 0)
    assert "jamguard" in ask(site, read, "builder")[0]["doc"]
    opened = sites.get("open", harden=True).server
    for task in (project.task, 0):
        reply = opened.api(["load", task, 0, None, 0], headers=KEEP_ALIVE)
        assert reply.json["result"]["status"] == 9


def ask(site: Site, body: bytes, who: str) -> Any:
    """Post a call as somebody, from this computer; return its data."""
    reply = post(body, f"{{{who}}}", headers={**JSON, **KEEP_ALIVE})(site)
    return reply.json["result"]["data"]


def test_each_attack_has_a_name_of_its_own() -> None:
    names = [row.id for row in catalogue(Project())]
    assert len(set(names)) == len(names)


def test_the_page_of_the_documentation_has_this_table() -> None:
    table = as_markdown(catalogue(Project()))
    assert table in PAGE.read_text("utf-8"), table
