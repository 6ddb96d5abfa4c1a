"""Calls to a real project: what runs SQL on plain Jam.py, and what must go on working."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support.code import add_task_code
from support.projects import ADMIN, CLERK, CUSTOMERS, FIELD_DOC, REPORT, TASK, copy
from support.servers import Reply, Server, run_server

#: names that must not change by anybody's call
NAMES: Final = ["Ada Lovelace", "Grace Hopper", "Łukasz Święty"]
ALL: Final = ("id", "name", "deleted", "record_version")
UNION: Final = "0) UNION SELECT 1, sql FROM sqlite_master--"

TASK_CODE: Final = """
from json import dumps

def on_login(task, form_data, info):
    return 'called by a stranger'

def decorate(function):
    return lambda *args: function(*args)

@decorate
def decorated(task, value):
    return value

def _private(task):
    return 'called by a stranger'
"""


@attrs.frozen
class Site:
    server: Server
    project: Path
    cookie: str

    def call(self, method: str, item: int, params: Any) -> Reply:
        return self.server.api([method, TASK, item, params, 0], self.cookie)

    def data(self, method: str, item: int, params: Any) -> Any:
        reply = self.call(method, item, params)
        assert reply.status == 200, reply
        assert "Jamguard-Refused" not in dict(reply.headers), reply
        assert reply.json["error"] is None, reply.json
        return reply.json["result"]["data"]

    def names(self) -> list[str]:
        with closing(sqlite3.connect(self.project / "demo.sqlite")) as database:
            found = database.execute(
                "SELECT NAME FROM DEMO_CUSTOMERS WHERE DELETED = 0 ORDER BY ID"
            )
            return [name for (name,) in found]

    def mend(self) -> None:
        with closing(sqlite3.connect(self.project / "demo.sqlite")) as database, database:
            for number, name in enumerate(NAMES, 1):
                database.execute(
                    "UPDATE DEMO_CUSTOMERS SET NAME = ?, DELETED = 0 WHERE ID = ?", [name, number]
                )


@pytest.fixture(scope="module")
def sites(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    """Plain Jam.py, and the same behind jamguard."""
    folder = tmp_path_factory.mktemp("api")
    projects = [copy(demo_project, folder / name) for name in ("plain", "hardened")]
    with (
        run_server(projects[0], harden=False) as plain,
        run_server(projects[1]) as hardened,
    ):
        yield [
            Site(server, project, server.login(CLERK))
            for server, project in ((plain, projects[0]), (hardened, projects[1]))
        ]


def opened(**params: Any) -> Mapping[str, Any]:
    return {"__expanded": False, "__fields": ["id", "name"], "__filters": [], **params}


def changed(status: int, *record: Any, fields: tuple[str, ...] = ("id", "name")) -> list[Any]:
    details: dict[str, Any] = {}
    log = {"log_index": 0, "record_status": status, "record": [*record], "details": details}
    own: dict[str, Any] = {}
    return [{"fields": list(fields), "expanded": False, "logs": [log]}, own]


SET_NAME: Final = "UPDATE DEMO_CUSTOMERS SET NAME = 'taken'"
PASSWORD: Final = [
    "ATTACH DATABASE 'admin.sqlite' AS a",
    "UPDATE DEMO_CUSTOMERS SET NAME = (SELECT F_PASSWORD FROM a.SYS_USERS WHERE F_ADMIN = 1)",
]


@pytest.mark.parametrize(
    ("method", "item", "params"),
    [
        ("server", 0, ["execute_query", [SET_NAME]]),
        ("server", TASK, ["execute_query", [[SET_NAME]]]),
        ("server", 0, ["execute_query", [PASSWORD]]),
        ("apply", CUSTOMERS, changed(2, "1 or 1=1", "taken")),
        ("apply", CUSTOMERS, changed(2, "taken", "1 or 1=1", fields=("name", "id"))),
        ("apply", CUSTOMERS, changed(3, "1 or 1=1", "x")),
    ],
)
def test_a_user_does_not_change_what_is_not_his(
    sites: list[Site], method: str, item: int, params: Any
) -> None:
    plain, hardened = sites
    plain.call(method, item, params)
    landed = plain.names()
    plain.mend()
    assert landed != NAMES, "the control: plain Jam.py runs it"
    assert "Ada Lovelace" not in landed
    reply = hardened.call(method, item, params)
    assert hardened.names() == NAMES
    assert (reply.status, reply.body) == (400, b"")


@pytest.mark.parametrize(
    "params",
    [
        opened(__filters=[["id", 7, [UNION]]]),
        opened(__filters=[["id", 8, [1, UNION]]]),
        opened(__filters=[["email", 7, [f"''{UNION[1:]}"]]]),
        opened(__funcs={"name": "(select group_concat(sql) from sqlite_master)||max"}),
    ],
    ids=json.dumps,
)
def test_a_user_does_not_read_what_is_not_his(sites: list[Site], params: Mapping[str, Any]) -> None:
    plain, hardened = sites
    assert b"CREATE TABLE" in plain.call("open", CUSTOMERS, params).body, "the control"
    assert b"CREATE TABLE" not in hardened.call("open", CUSTOMERS, params).body


def test_a_user_does_not_make_the_application_useless(demo_project: Path, tmp_path: Path) -> None:
    works: list[bool] = []
    for name, harden in (("plain", False), ("hardened", True)):
        with run_server(copy(demo_project, tmp_path / name), harden=harden) as server:
            site = Site(server, tmp_path / name, server.login(CLERK))
            assert "Ada" in site.call("open", CUSTOMERS, opened()).text
            site.call("server", CUSTOMERS, ["__init__", [None, "x", "x"]])
            site.call("server", 0, ["__init__", ["a", "b"]])
            works.append("Ada" in site.call("open", CUSTOMERS, opened()).text)
    assert works == [False, True]


def test_only_services_are_called(demo_project: Path, tmp_path: Path) -> None:
    project = add_task_code(copy(demo_project, tmp_path / "project"), TASK_CODE)
    stranger: dict[str, list[Mapping[str, str]]] = {
        "on_login": [{}, {}],
        "_private": [],
        "dumps": [],
    }
    config = '[tool.jamguard.api]\nmode = "report"\n'
    for settings in (config, ""):
        with run_server(project, config=settings) as server:
            # its own `on_login` lets everybody in, with what it returns for a session
            site = Site(server, project, "")
            replies = {
                name: site.call("server", 0, [name, args]) for name, args in stranger.items()
            }
            log = server.log()
        refused = {name for name, reply in replies.items() if reply.get("Jamguard-Refused")}
        assert refused == (set() if settings else set(stranger))
        for name in stranger:
            assert f"demo.{name}" in log


def test_an_ordinary_day_is_not_refused(sites: list[Site]) -> None:
    for site in sites:
        assert site.data("server", CUSTOMERS, ["hello", ["Bob' or 1=1 --"]])[0] == (
            "hello Bob' or 1=1 --"
        )
        assert site.data("server", 0, ["ping", []]) == ["pong", ""]
        assert site.data("server", TASK, ["ping", []]) == ["pong", ""]
        rows = site.data("open", CUSTOMERS, opened(__order=[["name", True]], __limit=2, __offset=0))
        assert [row[1] for row in rows[0]] == ["Łukasz Święty", "Grace Hopper"]
        found = site.data("open", CUSTOMERS, opened(__filters=[["id", 7, [1, 3]]]))
        assert [row[0] for row in found[0]] == [1, 3]
        found = site.data("open", CUSTOMERS, opened(__filters=[["name", 12, "o'brien; --"]]))
        assert found == [[], ""]
        total = site.data("open", 7, {"__fields": ["total"], "__funcs": {"total": "sum"}})
        assert total[0] == [[2242.49]]
        nasty = "O'Brien \"; DROP TABLE DEMO_CUSTOMERS; -- <b>東京</b> \\ %_ 🥜"
        stored = site.data("apply", CUSTOMERS, changed(1, None, nasty, 0, 0, fields=ALL))
        number = stored[0]["logs"][0]["record"][0]
        assert site.names()[-1] == nasty
        site.data("apply", CUSTOMERS, changed(2, number, nasty.upper(), 0, 0, fields=ALL))
        assert site.names()[-1] == nasty.upper()
        site.data("apply", CUSTOMERS, changed(3, number, nasty, 0, 0, fields=ALL))
        assert site.names() == NAMES
        printed = site.data("print", REPORT, [[], f"{site.server.url}/", "ods"])
        assert printed[0].endswith(".ods")


@pytest.mark.parametrize("kind", [7, 8])
def test_a_list_of_texts_finds_its_rows(sites: list[Site], kind: int) -> None:
    """Plain Jam.py pastes them bare, its SQL fails, and the grid stays empty."""
    plain, hardened = sites
    names = ["Ada Lovelace", "O'Brien", UNION]
    params = opened(__filters=[["name", kind, names]])
    assert plain.data("open", CUSTOMERS, params) == [None, ""], "what is mended"
    rows = hardened.data("open", CUSTOMERS, params)[0]
    assert [row[1] for row in rows] == (NAMES[:1] if kind == 7 else NAMES[1:])


def test_an_upload_is_checked_where_it_goes(sites: list[Site]) -> None:
    def upload(site: Site, *ids: object) -> Reply:
        names = ("task_id", "item_id", "field_id")
        fields = [*zip(names, ids, strict=True), ("file_name", "a.txt"), ("path", "undefined")]
        head = 'Content-Disposition: form-data; name="{}"'
        parts = [f"{head.format(name)}\r\n\r\n{value}\r\n" for name, value in fields]
        parts.append(f'{head.format("file")}; filename="a.txt"\r\n\r\nhello\r\n')
        body = ("--b\r\n" + "--b\r\n".join(parts) + "--b--\r\n").encode()
        kind = {"Content-Type": "multipart/form-data; boundary=b", "Cookie": site.cookie}
        return site.server.request("POST", "/upload", kind, body)

    plain, hardened = sites
    for site in sites:
        reply = upload(site, TASK, CUSTOMERS, FIELD_DOC)
        assert reply.json["error"] is None
        stored = reply.json["result"]["data"]["file_name"]
        assert (site.project / "static" / "files" / stored).read_text() == "hello"
    assert upload(plain, " 1", "+6", FIELD_DOC).json["error"] is None, "the control"
    assert upload(hardened, " 1", "+6", FIELD_DOC).status == 400
    assert "older than the application" in upload(hardened, TASK, 99, FIELD_DOC).json["error"]


CODE: Final = """
import os

def who(item):
    return os.getpid()
"""


def test_a_function_saved_in_the_builder_may_be_called_on_every_worker(project: Path) -> None:
    # one thread each: while one reloads, another would find the project empty for a moment
    with run_server(project, workers=2, threads=1) as server:
        site = Site(server, project, server.login(CLERK))

        def fail(_: int) -> bool:
            reply = site.call("server", CUSTOMERS, ["who", []])
            return "older than the application" in reply.json["error"]

        with ThreadPoolExecutor(8) as clients:  # both workers load the project without it
            assert all(clients.map(fail, range(40)))
        here = {"Connection": "keep-alive"}
        builder = server.login(ADMIN, "/builder_login.html", here)
        saved = server.api(
            ["server", 0, 0, ["server_save_edit", [CUSTOMERS, CODE, True]], 0], builder, here
        )
        assert saved.json["error"] is None, saved.json
        assert server.request("GET", "/", {"Cookie": site.cookie}).status == 200  # reloads

        def ask(_: int) -> Any:
            return site.data("server", CUSTOMERS, ["who", []])[0]

        with ThreadPoolExecutor(8) as clients:
            pids = set(clients.map(ask, range(80)))
        assert len(pids) == 2, "all were answered, by both"
