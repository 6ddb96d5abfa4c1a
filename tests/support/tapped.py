"""Calls of all kinds to a real project, and the SQL that Jam.py makes of them.

For a process of its own (`support.inside`): it taps the database driver and changes the
running project.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jamguard import Shield
from jamguard.guards.api import Api
from support.projects import CUSTOMERS, TASK
from support.wsgi import call

#: is in each text of a call that is not a name of the project's
MARK: Final = "mArK"
#: are the numbers of a call, together with their neighbours
NUMBER: Final = 73_001_700
DETAIL: Final = 990_000

#: the texts of all statements, as the driver gets them
STATEMENTS: Final[list[str]] = []

LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
#: names between quotes, and what else is a word
WORD: Final = re.compile(r'"[^"]*"|[\w.]+')


class Cursor(sqlite3.Cursor):
    def execute(self, statement: str, *parameters: Any) -> "Cursor":
        if not statement.startswith("PRAGMA"):
            STATEMENTS.append(statement)
        return super().execute(statement, *parameters)


class Connection(sqlite3.Connection):
    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)


def tap() -> None:
    """Have the driver write down what it is asked."""
    connect = sqlite3.connect

    def tapped(*arguments: Any, **more: Any) -> Any:
        return connect(*arguments, factory=Connection, **more)

    sqlite3.connect = tapped


def leaks(statement: str) -> bool:
    """Say whether a statement has more of a call than literals and numbers."""
    rest = LITERAL.sub(" ", statement)
    if MARK.lower() in rest.lower() or "'" in rest:
        return True
    words: list[str] = WORD.findall(rest)
    return any(
        str(NUMBER)[:5] in word and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", word) for word in words
    )


# --- calls ------------------------------------------------------------------------------

FIELDS: Final = ("id", "name", "email", "notes", "photo", "doc", "deleted", "record_version")

texts = st.one_of(
    st.sampled_from(
        [
            MARK,
            f"1 or {MARK}",
            f"'{MARK}'",
            f"'{MARK}",
            f"{MARK}'",
            f"' or {MARK} --",
            f"''{MARK}",
            f"'' or {MARK} or ''",
            f"'{MARK}' or 'a'",
            f"\\' or {MARK} --",
            f"'\\'{MARK}'",
            f"0) UNION SELECT {MARK}--",
            f"{MARK}\0'",
            f"{NUMBER}{MARK}",
            f"{NUMBER}\n{MARK}",
            f"sum({MARK})",
            f"(select {MARK})||max",
        ]
    ),
    st.builds("{}{}{}".format, st.text(max_size=6), st.just(MARK), st.text(max_size=6)),
)


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw the odd one now and then: of two odd ones in a call the second is never reached."""
    return st.integers(0, 11).flatmap(lambda number: usual if number else odd)


numbers = mostly(
    st.one_of(
        st.integers(NUMBER, NUMBER + 9),
        st.integers(NUMBER, NUMBER + 9).map(str),
        st.sampled_from([NUMBER + 0.5, f"{NUMBER}.25", -NUMBER, 0, 1]),
    ),
    st.sampled_from([2**70, float("nan"), float("inf"), 1e300, "1e5"]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, texts)
nested = st.one_of(
    st.lists(st.one_of(scalars, st.lists(scalars, max_size=2)), max_size=3),
    st.dictionaries(texts, scalars, max_size=2),
)
values = mostly(scalars, nested)
names = mostly(st.sampled_from(FIELDS), texts)
few_names = st.lists(names, max_size=3)
counts = mostly(st.integers(NUMBER, NUMBER + 9), texts)


@st.composite
def filters(draw: st.DrawFn) -> Any:
    kind = draw(mostly(st.one_of(st.sampled_from([7, 8, 22, 23]), st.integers(1, 30)), scalars))
    name = draw(names)
    if kind in {7, 8, 22, 23}:
        element = numbers if name in {"id", "deleted"} else st.one_of(numbers, texts)
        value = draw(mostly(st.lists(mostly(element, texts), max_size=4), values))
    elif kind in {9, 24}:
        value = draw(mostly(st.lists(scalars, min_size=2, max_size=2), values))
    else:
        value = draw(values)
    one = [name, kind, value]
    shape = draw(st.sampled_from(["plain"] * 9 + ["or", "or two", "more"]))
    if shape == "or":
        return [one]
    if shape == "or two":
        return [one, [draw(names), 7, [draw(texts)]]]
    return [*one, draw(values)] if shape == "more" else one


opens = st.fixed_dictionaries(
    {
        "__fields": mostly(
            st.lists(st.sampled_from(FIELDS), max_size=4, unique=True), st.lists(texts)
        ),
        "__filters": st.lists(filters(), max_size=3),
        "__offset": mostly(st.integers(0, 1), counts),
    },
    optional={
        "__expanded": st.booleans(),
        "__order": st.lists(st.tuples(names, scalars), max_size=2),
        "__group_by": few_names,
        "__funcs": st.dictionaries(
            st.sampled_from(FIELDS), mostly(st.sampled_from(["sum", "MAX"]), texts), max_size=2
        ),
        "__limit": counts,
        "__summary": st.booleans(),
        "__master_id": values,
        "__master_rec_id": values,
        "__master_field": values,
        MARK: values,
    },
)


@st.composite
def changes(draw: st.DrawFn, *, details: bool = True) -> dict[str, Any]:
    fields = draw(
        mostly(
            st.one_of(
                st.permutations(["id", "name", "email"]),
                st.permutations(["record_version", "name", "id"]),
            ),
            few_names,
        )
    )
    keys = {"id": mostly(numbers, texts), "record_version": st.integers(0, 3)}
    logs: list[Any] = []
    for number in range(draw(st.integers(1, 2))):
        record = [draw(keys.get(name, mostly(texts, scalars))) for name in fields]
        inner: dict[str, Any] = {}
        if details and draw(st.booleans()):
            number_of_detail = mostly(st.just(str(DETAIL)), st.sampled_from([str(CUSTOMERS), MARK]))
            inner[draw(number_of_detail)] = draw(changes(details=False))
        status = draw(mostly(st.integers(1, 4), st.sampled_from([0, 5, True, MARK])))
        logs.append(
            {"log_index": number, "record_status": status, "record": record, "details": inner}
        )
    return {"fields": fields, "expanded": draw(st.booleans()), "logs": logs}


def opened(item: int) -> st.SearchStrategy[list[Any]]:
    def message(params: Any) -> list[Any]:
        return ["open", TASK, item, params, 0]

    return opens.map(message)


def applied(sent: dict[str, Any]) -> list[Any]:
    own: dict[str, Any] = {}
    return ["apply", TASK, CUSTOMERS, [sent, own], 0]


calls = st.one_of(opened(CUSTOMERS), opened(DETAIL), changes().map(applied))


# --- the project ------------------------------------------------------------------------


def prepare(app: Any) -> None:
    """Let anybody in, and give the customers details that are like them."""
    from jam.common import consts  # noqa: PLC0415 - only where Jam.py is

    consts.SAFE_MODE = False
    customers = app.task.customers
    detail = customers.add_detail(customers, None)
    detail.ID = DETAIL
    detail.item_name = "friends"
    detail.item_type_id = 14
    detail.visible = True
    detail.table_name = customers.table_name
    detail._master_rec_id = "deleted"
    detail._prepare_dataset()
    detail._master_rec_id_db_field_name = "DELETED"
    detail._primary_key_db_field_name = "ID"


def use_text_key(app: Any) -> None:
    """Take the name for the key of the customers."""
    customers = app.task.customers
    customers._primary_key, customers._primary_key_db_field_name = "name", "NAME"


def run(create_application: Callable[..., Any], examples: int) -> dict[str, Any]:
    """Send calls, half of them to an item with a text key; say what came of them."""
    tap()
    app = create_application("wsgi.py", testing=True)
    prepare(app)
    shield = Shield(app, [Api()])
    seen = {"passed": 0, "statements": 0, "refused": 0, "plain leaks": 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(calls)
    def send(message: list[Any]) -> None:
        body = json.dumps(message).encode()
        STATEMENTS.clear()
        answer = call(shield, "/api", "POST", body)
        if answer.get("Jamguard-Refused"):
            seen["refused"] += 1
            assert not any(map(leaks, STATEMENTS)), (message, STATEMENTS)
            STATEMENTS.clear()
            call(app, "/api", "POST", body)
            seen["plain leaks"] += any(map(leaks, STATEMENTS))
        else:
            seen["passed"] += 1
            seen["statements"] += len(STATEMENTS)
            assert not any(map(leaks, STATEMENTS)), (message, STATEMENTS)

    send()
    use_text_key(app)
    send()
    return seen
