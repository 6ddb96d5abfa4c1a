"""Values of filters as Jam.py v5 can put them into SQL; and the real v5 that does."""

import sqlite3
import sys
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.inside import inside

from jamguard.jampy.calls import Call
from jamguard.jampy.v5 import (
    BARE,
    breaks_login,
    digest,
    pastes_text,
    quote,
    quote_call,
    quote_filters,
)

TEXT, INTEGER, FLOAT, DATE, LONGTEXT, KEYS = 1, 2, 3, 5, 8, 9
EQ, IN, RANGE, CONTAINS, CONTAINS_ALL = 1, 7, 9, 12, 15


@pytest.mark.parametrize(
    ("value", "data_type", "filter_type", "database", "quoted"),
    [
        ("Smith", TEXT, EQ, "SQLITE", "Smith"),
        ("O'Brien", TEXT, EQ, "SQLITE", "O''Brien"),
        ("' or '1'='1", TEXT, IN, "POSTGRESQL", "'' or ''1''=''1"),
        ("2026-01-02", DATE, EQ, "ORACLE", "2026-01-02"),
        ("2026-01-02'--", DATE, EQ, "ORACLE", "2026-01-02''--"),
        ("42", INTEGER, EQ, "SQLITE", "42"),
        ("4'2", INTEGER, EQ, "SQLITE", "4''2"),
        # text without quotes around it
        ("n1", LONGTEXT, EQ, "SQLITE", "'n1'"),
        ("n1 or 1=1", LONGTEXT, EQ, "SQLITE", "'n1 or 1=1'"),
        ("it's", KEYS, EQ, "FIREBIRD", "'it''s'"),
        ("'by hand'", LONGTEXT, EQ, "SQLITE", "'by hand'"),
        ("'it''s by hand'", LONGTEXT, EQ, "SQLITE", "'it''s by hand'"),
        ("'two\nlines'", LONGTEXT, EQ, "SQLITE", "'two\nlines'"),
        ("'a' or 'b'", LONGTEXT, EQ, "SQLITE", "'''a'' or ''b'''"),
        ("'it's'", LONGTEXT, EQ, "SQLITE", "'''it''s'''"),
        ("'a''", LONGTEXT, EQ, "SQLITE", "'''a'''''"),
        ("'", LONGTEXT, EQ, "SQLITE", "''''"),
        ("", LONGTEXT, EQ, "SQLITE", "''"),
        # a search for a part: Jam.py doubles the quotes
        ("O'B", TEXT, CONTAINS, "SQLITE", "O'B"),
        ("O'B", LONGTEXT, CONTAINS_ALL, "SQLITE", "O'B"),
        # backslashes
        ("a\\b", TEXT, EQ, "SQLITE", "a\\b"),
        ("\\' or 1=1 -- ", TEXT, EQ, "MYSQL", "\\\\'' or 1=1 -- "),
        ("\\' or 1=1 -- ", TEXT, CONTAINS, "MYSQL", "\\\\' or 1=1 -- "),
        ("'a\\b'", LONGTEXT, EQ, "SQLITE", "'a\\b'"),
        ("'a\\' or 1=1 -- '", LONGTEXT, EQ, "MYSQL", "'''a\\\\'' or 1=1 -- '''"),
        ("'by hand'", LONGTEXT, EQ, "MYSQL", "'by hand'"),
        # no text
        (5, LONGTEXT, EQ, "SQLITE", 5),
        (Decimal("1.5"), FLOAT, EQ, "SQLITE", Decimal("1.5")),
        (True, TEXT, EQ, "SQLITE", True),
        (None, TEXT, RANGE, "SQLITE", None),
        (date(2026, 1, 2), DATE, EQ, "SQLITE", date(2026, 1, 2)),
        (b"by'tes", TEXT, EQ, "SQLITE", "by''tes"),
        # what Python would write between the quotes
        (["' or 1=1 --"], TEXT, EQ, "SQLITE", "[\"'' or 1=1 --\"]"),
        (["x' or 1=1 --"], TEXT, CONTAINS, "SQLITE", '["x\' or 1=1 --"]'),
        ({"a": 1}, LONGTEXT, EQ, "SQLITE", "'{''a'': 1}'"),
    ],
)
def test_a_value_stays_a_value(
    value: Any, data_type: int, filter_type: int, database: str, quoted: Any
) -> None:
    assert quote(value, data_type, filter_type, database) == quoted


@given(st.text(), st.sampled_from([TEXT, DATE, *BARE]))
def test_whatever_the_text_it_ends_where_it_is_to_end(text: str, data_type: int) -> None:
    text = text.replace("\0", "")  # which the database itself refuses
    quoted = quote(text, data_type, EQ, "SQLITE")
    sql = quoted if data_type in BARE else f"'{quoted}'"  # as Jam.py has it
    with closing(sqlite3.connect(":memory:")) as database:
        (found,) = database.execute(f"SELECT {sql}").fetchone()
    literal = data_type in BARE and sql == text
    assert found == (text[1:-1].replace("''", "'") if literal else text)


class Item:
    """A catalogue as `quote_call` sees it."""

    task: Final = SimpleNamespace(db_module=SimpleNamespace(DATABASE="SQLITE"))

    def _field_by_name(self, name: str) -> Any:
        kinds = {"name": TEXT, "notes": LONGTEXT}
        return SimpleNamespace(data_type=kinds[name]) if name in kinds else None


@pytest.mark.parametrize(
    ("filters", "quoted"),
    [
        (None, None),
        ([], []),
        ([["name", EQ, "Smith"]], [["name", EQ, "Smith"]]),
        ([["name", EQ, "O'Brien"]], [["name", EQ, "O''Brien"]]),
        ([["name", IN, ["a'", 1]]], [["name", IN, ["a''", 1]]]),
        ([["name", EQ, ["a'"]]], [["name", EQ, "[\"a''\"]"]]),
        ([["name", CONTAINS, "O'B"]], [["name", CONTAINS, "O'B"]]),
        ([["notes", RANGE, ["a", "b"]]], [["notes", RANGE, ["'a'", "'b'"]]]),
        ([["unknown", EQ, "O'Brien"]], [["unknown", EQ, "O'Brien"]]),
    ],
)
def test_the_filters_of_a_call_are_quoted_in_place(filters: Any, quoted: Any) -> None:
    call = Call("open", 1, 6, {"__filters": filters}, 0)
    quote_call(call, Item())
    assert call.params["__filters"] == quoted


@pytest.mark.parametrize(
    ("form", "task_id", "on_login", "breaks"),
    [
        ({"password": "secret"}, 1, None, False),
        ({"password": "it's"}, 1, None, True),
        ({"password": ["it"]}, 1, None, True),
        ({}, 1, None, True),
        ({"password": "it's"}, 1, print, False),
        ({"password": "it's"}, 0, print, True),
    ],
)
def test_a_quote_breaks_a_login_by_jam_pys_own_users(
    form: Any, task_id: int, on_login: Any, breaks: bool
) -> None:
    app = SimpleNamespace(admin=SimpleNamespace(), task=SimpleNamespace(on_login=on_login))
    assert breaks_login(Call("login", task_id, 0, [form], 0), app) == breaks


def test_nothing_breaks_a_login_to_a_project_that_cannot_be_loaded() -> None:
    app = SimpleNamespace(admin=SimpleNamespace(), task=None)
    assert not breaks_login(Call("login", 1, 0, [{"password": "it's"}], 0), app)


def test_jam_py_of_another_version_is_left_alone() -> None:
    assert not pastes_text()
    assert digest(SimpleNamespace()) == ""
    assert digest(Item) == ""


#: in the process of Jam.py v5: what each filter finds, before and after
SEARCHING: Final = """
    from jam.common import consts
    from jamguard.jampy import v5

    FILTERS = [
        ["name", 1, "Grace O'Brien"],
        ["name", 1, "' or '1'='1"],
        ["name", 1, ["' or 1=1 --"]],
        ["name", 7, ["Ada Lovelace", "Grace O'Brien"]],
        ["name", 9, ["F", "H'"]],
        ["name", 12, "O'B"],
        ["name", 12, ["x' or 1=1 --"]],
        ["name", 15, "O'B grace"],
        ["notes", 1, "n1"],
        ["notes", 1, "'n1'"],
        ["notes", 1, "n1 or 1=1"],
        ["notes", 1, "it's n2"],
        ["num", 1, 1],
        ["num", 1, "1"],
        ["num", 1, "0' or '1'='1"],
        ["price", 1, 10.5],
        ["dat", 1, "2026-01-12"],
        ["dat", 9, ["2026-01-01", "2026-01-31"]],
        ["dat", 1, "' or '1'='1"],
    ]

    def found():
        lists = []
        for one in FILTERS:
            try:
                rows, *_ = application.task.customers.select_records({
                    "__expanded": False, "__fields": ["id"], "__filters": [list(one)],
                    "__order": [["id", False]], "__limit": 0, "__offset": 0,
                })
            except Exception:
                lists.append("error")
            else:
                lists.append([row[0] for row in rows])
        return lists

    create_application("wsgi.py")
    import jam
    jam.context.environ, jam.context.session = {}, None
    application = consts.app
    before = v5.pastes_text(), found()
    patched = v5.quote_filters(), v5.quote_filters()
    result = {"before": before, "patched": patched, "after": (v5.pastes_text(), found())}
"""
ERROR: Final = "error"
#: per filter: what plain Jam.py v5 finds, and what it finds once values are quoted
FOUND: Final[list[tuple[Any, Any]]] = [
    (ERROR, [2]),
    ([1, 2, 3], []),
    ([1, 2, 3], []),
    (ERROR, [1, 2]),
    (ERROR, [2]),
    ([2], [2]),
    ([1, 2, 3], []),
    ([2], [2]),
    (ERROR, [1]),
    ([1], [1]),
    (ERROR, []),
    (ERROR, [2]),
    ([1], [1]),
    ([1], [1]),
    ([1, 2, 3], []),
    ([1], [1]),
    ([1], [1]),
    ([1], [1]),
    ([1, 2, 3], []),
]


def test_the_real_one_finds_all_that_it_is_asked_for_and_no_more(
    v5_project: Path, v5_python: Path
) -> None:
    result = inside(v5_project, SEARCHING, python=v5_python)
    assert result["before"] == [True, [plain for plain, _ in FOUND]], "the control"
    assert result["patched"] == [True, True]
    assert result["after"] == [False, [quoted for _, quoted in FOUND]]


def test_a_source_that_nobody_has_read_is_not_touched(v5_project: Path, v5_python: Path) -> None:
    code = """
    create_application("wsgi.py")
    import jam.sql
    from jamguard.jampy import v5
    own = jam.sql.SQL._escape_search = lambda self, value, esc_char: (value, False)
    before = jam.sql.SQL._convert_field_value
    result = v5.quote_filters(), v5.pastes_text(), jam.sql.SQL._convert_field_value is before
    """
    assert inside(v5_project, code, python=v5_python) == [False, True, True]


def test_a_jampy_without_that_function_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = SimpleNamespace(SQL=type("SQL", (), {}))
    monkeypatch.setitem(sys.modules, "jam.sql", unknown)
    assert not quote_filters()
    assert pastes_text()
