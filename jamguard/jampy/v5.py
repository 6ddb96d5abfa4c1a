"""Quote what Jam.py v5 writes into SQL, by a patch of the running process.

Jam.py v5 puts the values of filters into the text of its queries, and so, at login, the
password. It doubles quotes in a search for a part of a text and nowhere else, so a quote
ends the text and what follows is SQL: a stranger's at login, a user's in a filter. All of
these values go through one function; with its argument quoted a text stays a text, O'Brien
logs in and is found, and so it is for what a project's own code looks for.

The patch relies on how that function and its neighbours work, so it is for those that were
read: Jam.py 5.4.69 to 5.4.136 and 5.5.1 to 5.5.4. For others there is what can be done
about a call (`quote_call`, `breaks_login`).

Source: CWE-89 (SQL injection); MySQL's manual on string literals (backslashes).
"""

import hashlib
import inspect
import re
import sys
from collections.abc import Callable
from datetime import date
from numbers import Number
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from .calls import Call

#: the method of `jam.sql.SQL` that is patched, and those that the patch relies on
PATCHED: Final = "_convert_field_value"
METHODS: Final = (PATCHED, "_escape_search", "_get_condition")
#: digests of their source
KNOWN: Final = frozenset(
    {
        "a2f4cc039c238392e71fcf3e4baefc2dad5a120c6845c832a6fcf94af5719fd9",  # until 5.5.2
        "a12e5a7cd780d18c8a7d2c7182877e72b4ead51fa1e35fb7d9ec08a9edc13e01",  # 5.5.4
    }
)

#: Jam.py's names for types of filters and kinds of fields (`jam/common.py`)
IN, NOT_IN, RANGE = 7, 8, 9
#: contains, begins, ends, contains all words: Jam.py doubles the quotes itself
SEARCHES: Final = frozenset({12, 13, 14, 15})
#: long text, list of keys, file, image: Jam.py puts no quotes around them
BARE: Final = frozenset({8, 9, 10, 11})

#: text that somebody has quoted by hand, as Jam.py v5 makes its developers do
LITERAL: Final = re.compile(r"'(?:[^']|'')*+'", re.DOTALL)
LITERAL_OF_MYSQL: Final = re.compile(r"'(?:[^'\\]|'')*+'", re.DOTALL)


def quote_filters() -> bool:
    """Have Jam.py v5 quote the values of filters from now on, in the whole process.

    Returns False when its source is not a known one; then nothing is changed.
    """
    if not pastes_text():
        return True
    sql = sys.modules["jam.sql"].SQL
    if digest(sql) not in KNOWN:
        return False
    setattr(sql, PATCHED, _quoting(getattr(sql, PATCHED)))
    return True


def pastes_text() -> bool:
    """Say whether Jam.py puts text into SQL as it is: v7 does not, nor does a patched v5."""
    jam_sql = sys.modules.get("jam.sql")
    return jam_sql is not None and not hasattr(getattr(jam_sql.SQL, PATCHED, None), "quotes")


def digest(sql: Any) -> str:  # noqa: ANN401 - Jam.py has no types
    """Return a digest of the source that the patch relies on, or '' where there is none."""
    try:
        # of the code, not of the function: `inspect` looks through what wraps a function
        sources = [inspect.getsource(getattr(sql, name).__code__) for name in METHODS]
    except (AttributeError, OSError):
        return ""
    return hashlib.sha256("".join(sources).encode()).hexdigest()


def _quoting(convert: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `SQL._convert_field_value`, which makes the SQL for one value of a field."""

    def quoting(self: Any, field: Any, value: Any, filter_type: Any, db_module: Any) -> Any:  # noqa: ANN401
        value = quote(value, field.data_type, filter_type, db_module.DATABASE)
        return convert(self, field, value, filter_type, db_module)

    quoting.quotes = True  # type: ignore[attr-defined] # functions take attributes
    return quoting


def quote(value: Any, data_type: int, filter_type: int, database: str) -> Any:  # noqa: ANN401
    """Return the value of a filter as Jam.py v5 can put it into SQL."""
    if value is None or isinstance(value, Number | date):
        return value
    # a list where one value is wanted would get into the text as it is written in Python
    text = value.decode() if isinstance(value, bytes) else str(value)
    search, mysql = filter_type in SEARCHES, database == "MYSQL"
    bare = data_type in BARE and not search
    if bare and (LITERAL_OF_MYSQL if mysql else LITERAL).fullmatch(text):
        return text
    if mysql:
        text = text.replace("\\", "\\\\")
    if not search:
        text = text.replace("'", "''")
    return f"'{text}'" if bare else text


def quote_call(call: "Call", item: Any) -> None:  # noqa: ANN401 - Jam.py has no types
    """Quote the filters of a call of `open`, in the lists that it is made of."""
    database = item.task.db_module.DATABASE
    for one in call.params.get("__filters") or ():
        name, filter_type, value = one
        field = item._field_by_name(name)  # noqa: SLF001 - there is no public way
        if field and _several(value, filter_type):
            one[2] = [quote(each, field.data_type, filter_type, database) for each in value]
        elif field:
            one[2] = quote(value, field.data_type, filter_type, database)


def _several(value: Any, filter_type: Any) -> TypeGuard[list[Any]]:  # noqa: ANN401 - from JSON
    """Say whether Jam.py makes SQL of each value in a list, and not of the list."""
    return isinstance(value, list) and filter_type in {IN, NOT_IN, RANGE}


def breaks_login(call: "Call", app: Any) -> bool:  # noqa: ANN401 - Jam.py has no types
    """Say whether a login puts more than a password into SQL.

    Jam.py looks for its own users by it, and so nobody with a quote in the password gets in.
    What a project's own `on_login` does with it is not known.
    """
    task = app.admin if call.task_id == 0 else app.task
    if not task or (task is not app.admin and task.on_login):
        return False
    password = call.params[0].get("password")
    return not isinstance(password, str) or "'" in password
