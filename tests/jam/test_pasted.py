"""Thousands of odd calls to a real project: what of their text becomes SQL.

Every text in a call has a mark in it. What Jam.py binds, the database gets beside its SQL; a
mark in the SQL itself may stand between quotes and nowhere else.
"""

import random
from pathlib import Path
from typing import Any, Final

import pytest
from support import projects
from support.inside import inside

CODE: Final = r"""
    import logging, random, re, sqlite3, sys
    logging.disable(logging.CRITICAL)

    asked = []

    class Cursor(sqlite3.Cursor):
        def execute(self, sql, *values):
            asked.append(sql)
            return super().execute(sql, *values)

    class Connection(sqlite3.Connection):
        def cursor(self, *_):
            return super().cursor(Cursor)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **more: connect(*args, **more, factory=Connection)

    chance = random.Random(SEED)
    pick = chance.choice
    FIELDS = ["id", "name", "email", "notes", "deleted", "record_version", "photo", "nope", "ID"]
    TEXTS = [
        "mark", "'mark", "'mark'", "''mark'", "'a''mark'", "'mark''", "1) mark", "1mark",
        "'a' mark", "\\' mark", "'\\' or mark --'", "1,mark", "\nmark", "1\nmark",
        "'a'\nmark", "'a'\0mark",
        "1.5mark", "-1-mark", "1e5mark", "count(mark", "MARK", "\uff07mark", "\u0661mark",
        "max", "1", "-5", "1.5", "'ok'", "",
    ]
    SCALARS = [0, 1, 2, -1, 1.5, True, False, None, 2**63, 2**70, 1e308]

    def value(depth=0):
        kind = chance.random()
        if depth < 3 and kind < 0.25:
            return [value(depth + 1) for _ in range(chance.randint(0, 3))]
        if depth < 3 and kind < 0.3:
            return {pick(TEXTS): value(depth + 1)}
        return pick(TEXTS) if kind < 0.8 else pick(SCALARS)

    def filter_(depth=0):
        if depth < 3 and chance.random() < 0.2:
            return [filter_(depth + 1) for _ in range(chance.randint(1, 3))]
        kind = pick([*range(1, 31), 7, 8, 22, 23])
        many = kind in {7, 8, 9, 22, 23, 24} and chance.random() < 0.8
        wanted = [value(2) for _ in range(chance.randint(1, 4))] if many else value(2)
        return [pick(FIELDS), kind, wanted]

    def opening():
        params = {
            "__fields": chance.sample(FIELDS[:5], 2),
            "__filters": [filter_() for _ in range(chance.randint(0, 3))],
            "__expanded": pick([True, False]),
        }
        more = ["order", "group_by", "funcs", "limit", "offset", "summary", "master_id", "fields"]
        for name in chance.sample(more, chance.randint(0, 2)):
            pairs = {pick(FIELDS): pick(TEXTS)}, [[pick(FIELDS), value()]]
            params["__" + name] = pick([value(), *pairs])
        return ["open", 1, pick([6, 7]), params, 0]

    def changes(depth=0):
        fields = chance.sample(FIELDS[:7], chance.randint(1, 6))
        if chance.random() < 0.3:
            fields = pick([[], None, [*fields, pick(FIELDS)]])
        count = len(fields or FIELDS) + pick([0, 0, 0, 1, -1])
        deeper = depth < 2 and chance.random() < 0.2
        log = {
            "log_index": 0,
            "record_status": pick([1, 2, 3, 4, 2, 3, value()]),
            "record": [pick([value(2), 1, "x", None]) for _ in range(count)],
            "details": {pick(["7", "6", "x"]): changes(depth + 1)} if deeper else {},
        }
        return {"fields": fields, "expanded": pick([True, False]), "logs": [log]}

    def applying():
        return ["apply", 1, pick([6, 7]), [changes(), {}], 0]

    LITERAL = re.compile(r"'(?:[^']|'')*'")
    app = create_application("wsgi.py")
    call(app, "/")
    if HARDEN:
        off = {"enabled": False}  # nobody here is an ordinary client
        app = jamguard.harden(app, {"rate-limit": off, "ban": off})
    result = {"sql": 0, "quoted": 0, "pasted": []}
    for _ in range(COUNT):
        body = json.dumps(pick([opening, applying])())
        asked.clear()
        call(app, "/api", "POST", body.encode())
        result["sql"] += bool(asked)
        for sql in asked:
            if "mark" in LITERAL.sub("", sql).lower():
                result["pasted"].append([body, sql])
            elif "mark" in sql.lower():
                result["quoted"] += 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False)


def run(project: Path, *, harden: bool, count: int) -> Any:
    told = f"    HARDEN, COUNT, SEED = {harden}, {count}, {random.getrandbits(32)}"
    return inside(project, told + CODE)


def test_no_text_of_a_call_becomes_sql(project: Path) -> None:
    plain = run(project, harden=False, count=600)
    assert len(plain["pasted"]) > 5, "the control: plain Jam.py pastes"
    hardened = run(project, harden=True, count=4_000)
    assert not hardened["pasted"]
    assert hardened["sql"] > 100, "many of the calls are no attacks and get through"
    assert hardened["quoted"]
