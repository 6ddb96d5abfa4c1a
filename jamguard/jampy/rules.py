"""What may be in a call, so that nothing of it becomes SQL that nobody wrote.

Jam.py binds most values and pastes some into the text of its SQL: lists of `IN` filters,
names of functions, limits, primary keys. What it binds is free text here, whatever is in
it; what it pastes has to be a number, or a text that cannot leave its quotes. Names of
fields are looked up by Jam.py and never pasted.

Measured on jam.py-v7 7.0.120 and jam.py-v5 5.5.4: SQL is made in `db/db.py` and `sql.py`.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, ClassVar, Final, TypeGuard

import attrs

from .calls import Call
from .tree import NUMERIC, TEXT, escapes_by_backslash, fields_of, has_table, is_v5

# what is in a call may be anything, and Jam.py's objects have no types
# ruff: noqa: ANN401, SLF001

METHODS: Final = frozenset({"load", "logout", "open", "apply", "server", "print"})
#: v5 logs in by a call, too
METHODS_V5: Final = METHODS | {"connect", "login"}
#: those that concern a task as a whole; a client calls them before it knows the task's id
OF_THE_TASK: Final = frozenset({"load", "logout", "connect", "login"})

#: SQL functions of `__funcs` that need no setting
FUNCTIONS: Final = frozenset({"count", "sum", "avg", "min", "max"})

#: types of filters (`FILTER_EQ` to `FILTER_CONTAINS_ALL`); v7 has them twice, the second time
#: for what a lookup shows
FILTERS: Final = 15
IN: Final = frozenset({7, 8, 22, 23})
OF_A_LOOKUP: Final = frozenset({22, 23})
RANGE: Final = frozenset({9, 24})
#: levels of `or` in filters: more than any client makes
DEPTH: Final = 4
#: values in all `IN` lists of a call: Jam.py v7 asks again for each thousand of the longest
#: one, with all of the others, and for what is not in a list returns each row each time
VALUES: Final = 20_000
#: how often a call may name the fields of an item, on average
REPEATED: Final = 2

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**64 - 1
NUMBERS: Final = frozenset({int, float})
SINGLE: Final = frozenset({int, float, str})
#: as far as a JavaScript client counts
COUNTABLE: Final = 2**53

NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
#: a literal as a developer writes it into an IN list by hand; possessive, so linear
LITERAL: Final = re.compile(r"'(?:[^'\0]++|'')*+'")
URL: Final = re.compile(r"https?://[^\0-\x20\"'<>\\\x7f]{1,2000}")
EXTENSION: Final = re.compile(r"[A-Za-z0-9_]{1,20}", re.ASCII)

#: a list, a place in it, and what belongs there
Mend = tuple[list[Any], int, Any]


class Breach(Exception):  # noqa: N818 - what is done to a rule
    """A rule says no; the text is the part of the call that it is about."""

    reason: ClassVar[str] = "malformed-call"
    #: whether only somebody who attacks does it: see `Refusal.probe`
    probe: ClassVar[bool] = False


class Pasted(Breach):
    """A value that Jam.py would paste into SQL is more than a value."""

    reason = "sql-in-a-value"
    probe = True


class Unexpected(Pasted):
    """A value that Jam.py would paste, and that a project's own scripts may send in good faith."""

    probe = False


class Unquotable(Pasted):
    """A password that Jam.py v5 would paste, and with which nobody ever got in."""

    probe = False


class Unknown(Breach):
    """The project has no such item, field or detail: the page is older than the project."""

    reason = "out-of-date"


def is_list(value: Any, length: int = -1) -> TypeGuard[list[Any]]:
    """Say whether a value is a list, of that many."""
    return type(value) is list and (length < 0 or value.__len__() == length)


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Say whether a value is what JSON has as an object."""
    return type(value) is dict


def is_scalar(value: Any) -> bool:
    """Say whether a value is one that drivers bind: text, null, a number of 64 bits."""
    if type(value) is str or value is None or type(value) is bool:
        return True
    if type(value) is int:
        return SMALLEST <= value <= LARGEST
    return type(value) is float and isfinite(value)


def is_number(value: Any) -> bool:
    """Say whether a value can stand in SQL as a number, also one that is written as a text."""
    if type(value) is str:
        return NUMBER.fullmatch(value) is not None
    return type(value) in NUMBERS and is_scalar(value)


def check_envelope(call: Call | None, *, v5: bool) -> Call:
    """Check what a call is made of, before anything is looked up; return it.

    Raises `Breach`.
    """
    if call is None:
        raise Breach("body")
    method = call.method
    if type(method) is not str or method not in (METHODS_V5 if v5 else METHODS):
        raise Breach("method")
    nullable = method in OF_THE_TASK
    if type(call.task_id) is not int and not (nullable and call.task_id is None):
        raise Breach("task")
    if type(call.item_id) is not int and not (nullable and call.item_id is None):
        raise Breach("item")
    if type(call.modification) is not int and call.modification is not None:
        raise Breach("modification")
    if method == "login" and not _is_form(call.params):
        raise Breach("login")
    return call


def _is_form(params: Any) -> bool:
    return is_list(params, 1) and is_dict(params[0]) and all(map(is_scalar, params[0].values()))


@attrs.define
class Rules:
    """What the rules depend on, for calls to one task; and what they found to be mended."""

    v5: bool
    #: the database takes a backslash in a literal for an escape
    backslash: bool
    #: what `__funcs` may name, in lower case
    functions: frozenset[str] = FUNCTIONS
    #: what Jam.py would paste bare into an IN list, and how it is listed and quoted
    mends: list[Mend] = attrs.field(factory=list[Mend])
    #: how many values were in IN lists until now
    values: int = 0

    @classmethod
    def of(cls, app: Any, task: Any, functions: frozenset[str]) -> "Rules":
        """Return the rules for this task of Jam.py's `app`."""
        return cls(is_v5(app), escapes_by_backslash(task), functions)

    def is_virtual(self, item: Any) -> bool:
        """Say whether the records of an item are the project's own and never come to SQL."""
        return bool(item.virtual_table) and not self.v5

    def check_key(self, field: Any, value: Any, part: str, *, bare: bool = False) -> None:
        """Check a primary key that is pasted: between quotes for a TEXT field, else `bare`."""
        if value is None or is_number(value):
            return
        if type(value) is not str or bare or field.data_type != TEXT:
            raise Pasted(part)
        if "'" in value or "\0" in value or (self.backslash and "\\" in value):
            raise Pasted(part)

    def quoted(self, text: str) -> str:
        """Write a text as a literal of SQL."""
        if self.backslash:
            text = text.replace("\\", "\\\\")
        return "'" + text.replace("'", "''") + "'"


def check_open(rules: Rules, item: Any, params: Any) -> None:
    """Check what `open` gets. Keys that are not Jam.py's are the project's own."""
    if not is_dict(params) or not has_table(item):
        raise Breach("open")
    if rules.is_virtual(item):
        return
    for key, value in params.items():
        check = OPEN.get(key)
        if check is not None and value is not None:
            check(rules, item, key, value)


def _filters(rules: Rules, item: Any, key: str, filters: Any) -> None:
    if not is_list(filters):
        raise Breach(key)
    if filters:
        fields = fields_of(item)
        for one in filters:
            _filter(rules, fields, one)


def _filter(rules: Rules, fields: Mapping[str, Any], one: Any, depth: int = 0) -> None:
    if not is_list(one) or not one:
        raise Breach("filter")
    if is_list(one[0]) and not rules.v5:
        if depth == DEPTH:
            raise Breach("filter: depth")
        for alternative in one:
            if alternative is not None:  # what the client pads with
                _filter(rules, fields, alternative, depth + 1)
        return
    # within an `or` the client adds a number of its own
    if not is_list(one, 3) and not (depth and is_list(one, 4)):
        raise Breach("filter")
    _condition(rules, fields, one)


def _condition(rules: Rules, fields: Mapping[str, Any], one: list[Any]) -> None:
    name, kind, value = one[:3]
    if type(name) is not str or type(kind) is not int:
        raise Breach("filter")
    if not 0 < kind <= (FILTERS if rules.v5 else 2 * FILTERS):
        raise Breach("filter: type")
    if value is None:
        return  # Jam.py leaves it out
    if kind in IN:
        if type(value) in SINGLE:  # Jam.py's own client forgets the list, unless it is a lookup's
            value = [value]
            rules.mends.append((one, 2, value))
        # a field that there is not is left out, but may be there after the next reload
        _in(rules, fields.get(name), kind, value)
    elif name in fields and not (  # Jam.py's client asks of one that there is not, with an object
        is_list(value, 2) and all(map(is_scalar, value)) if kind in RANGE else is_scalar(value)
    ):
        raise Breach(f"filter of {name}")


def _in(rules: Rules, field: Any, kind: int, values: Any) -> None:
    """Check an IN list. v7 pastes it; v5 makes literals of it, by the type of the field."""
    if not is_list(values):
        raise Breach("IN list")
    rules.values += len(values)
    if rules.values > VALUES:
        raise Breach(f"IN lists of more than {VALUES} values")
    numeric = field is not None and field.data_type in NUMERIC and kind not in OF_A_LOOKUP
    for place, value in enumerate(values):
        if type(value) is int and SMALLEST <= value <= LARGEST:
            continue  # what nearly all of them are
        if type(value) is not str:
            if not is_scalar(value):
                raise Breach("IN list")
            continue
        if rules.v5 or NUMBER.fullmatch(value):
            continue
        if LITERAL.fullmatch(value) and not (rules.backslash and "\\" in value):
            continue
        if numeric or "\0" in value:
            raise Pasted("IN list")
        rules.mends.append((values, place, rules.quoted(value)))


def _functions(rules: Rules, _: Any, key: str, functions: Any) -> None:
    if not is_dict(functions):
        raise Breach(key)
    for name in functions.values():
        if type(name) is not str or not name.isascii() or name.lower() not in rules.functions:
            # one that the settings do not name, or more than a name
            named = type(name) is str and name.isidentifier()
            raise (Unexpected if named else Pasted)(key)


def _names(_: Rules, item: Any, key: str, names: Any) -> None:
    if not is_list(names) or not all(type(name) is str for name in names):
        raise Breach(key)
    if len(names) > REPEATED * len(item._fields):
        raise Breach(f"{key}: more than there are")  # each of them is in the answer


def _order(_: Rules, __: Any, key: str, order: Any) -> None:
    if not is_list(order):
        raise Breach(key)
    for one in order:
        if not is_list(one, 2) or type(one[0]) is not str or not is_scalar(one[1]):
            raise Breach(key)


def _count(_: Rules, __: Any, key: str, value: Any) -> None:
    if type(value) is not int or not 0 <= value < COUNTABLE:
        raise (Unexpected if is_number(value) else Pasted)(key)


def _flag(_: Rules, __: Any, key: str, value: Any) -> None:
    if not is_scalar(value):
        raise Breach(key)


def _master(rules: Rules, _: Any, key: str, value: Any) -> None:
    if not is_scalar(value):
        raise Breach(key)
    if rules.v5 and not is_number(value):  # v7 binds it
        raise Pasted(key)


def _edited(rules: Rules, item: Any, key: str, value: Any) -> None:
    if rules.v5:  # v7 has no such key
        field = fields_of(item).get(item._primary_key)
        rules.check_key(field, value, key, bare=field is None)


#: keys of `open` that Jam.py reads, and the rule for each
OPEN: Final[Mapping[str, Callable[[Rules, Any, str, Any], None]]] = {
    "__expanded": _flag,
    "__fields": _names,
    "__filters": _filters,
    "__order": _order,
    "__group_by": _names,
    "__funcs": _functions,
    "__limit": _count,
    "__offset": _count,
    "__summary": _flag,
    "__master_id": _master,
    "__master_rec_id": _master,
    "__master_field": _master,
    "__edit_record_id": _edited,
}


def check_print(report: Any, params: Any) -> None:
    """Check what `print` gets: values of the parameters, the page's address, the file's kind."""
    if not is_list(params, 3) or not hasattr(report, "print_report"):
        raise Breach("print")
    values, url, extension = params
    if not is_list(values):
        raise Breach("print")
    for value in values:
        if not is_scalar(value) and not (is_list(value) and all(map(is_scalar, value))):
            raise Breach("print")
    if len(values) != len(report.params):
        raise Unknown("parameters of the report")
    if type(url) is not str or not URL.fullmatch(url):
        raise Breach("print: address")
    if extension is not None and (type(extension) is not str or not EXTENSION.fullmatch(extension)):
        raise Breach("print: kind")
