"""What may be in the changes of a call, for v7 and for v5."""

import math
from typing import Any

import pytest
from support.items import Item, Task, columns, report, text_item

from jamguard.jampy.changes import check_apply
from jamguard.jampy.rules import Breach, Rules

INSERT, UPDATE, DELETE, DETAILS = 1, 2, 3, 4
ROW = [1, "O'Brien; DROP TABLE x --", 9.5, 3, "2026-01-12T10:00:00", 1, "\0\\'", "a.pdf?b"]


def change(record: Any, status: Any = UPDATE, **more: Any) -> dict[str, Any]:
    return {"log_index": 0, "record_status": status, "record": record, "details": {}, **more}


def changes(*logs: Any, fields: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "fields": [*fields] if isinstance(fields, tuple) else fields,
        "expanded": True,
        "logs": list(logs),
        **more,
    }


def verdict(
    sent: Any, item: Any = None, own: Any = None, *, v5: bool = False, backslash: bool = False
) -> str:
    rules = Rules(v5=v5, backslash=backslash)
    try:
        check_apply(rules, item or Item(), [sent, {} if own is None and not v5 else own])
    except Breach as breach:
        return breach.reason
    return ""


def keyed(key: Any, status: int = UPDATE, item: Any = None, **how: Any) -> str:
    """Change one record of this key."""
    item = item or Item()
    names = [item._primary_key, "notes"]
    return verdict(changes(change([key, "x"], status), fields=tuple(names)), item, **how)


@pytest.mark.parametrize("status", [INSERT, UPDATE, DELETE, DETAILS])
def test_a_record_has_any_text_and_more_values_than_fields(status: int) -> None:
    assert verdict(changes(change(ROW, status))) == ""
    assert verdict(changes(change([*ROW, "of a lookup", None], status))) == ""
    assert verdict(changes(change(ROW, status), change(ROW, status))) == ""
    assert verdict(changes()) == ""
    assert verdict(changes(change(ROW, status), fields=None)) == ""
    assert verdict(changes(change(ROW, status), more="that nobody reads")) == ""


def test_the_fields_of_a_call_say_where_the_key_is() -> None:
    hostile = "1 or 1=1"
    for fields in (("id", "name"), ("name", "id"), ("town", "id", "orders_total", "name")):
        places = [name for name in fields if name in columns()]
        record: list[Any] = ["x"] * 2
        record[places.index("id")] = 5
        assert verdict(changes(change(record), fields=fields)) == ""
        record[places.index("id")] = hostile
        assert verdict(changes(change(record), fields=fields)) == "sql-in-a-value"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (5, ""),
        (-5, ""),
        (1.0, ""),
        (None, ""),
        ("5", ""),
        ("-5.50", ""),
        (True, "sql-in-a-value"),
        ("1 or 1=1", "sql-in-a-value"),
        ("1e0", "sql-in-a-value"),
        ("", "sql-in-a-value"),
        ("5\n", "sql-in-a-value"),
        ("٥", "sql-in-a-value"),
        ("id", "sql-in-a-value"),
        (math.nan, "malformed-call"),
        (2**64, "malformed-call"),
        ([5], "malformed-call"),
        ({"a": 5}, "malformed-call"),
    ],
    ids=repr,
)
def test_a_number_that_is_a_key_is_pasted(key: Any, reason: str) -> None:
    for status in (UPDATE, DELETE, DETAILS):
        assert keyed(key, status) == reason
    # a new one is bound
    assert keyed(key, INSERT) == (reason if reason == "malformed-call" else "")
    # where a key is neither number nor text, as a text it is pasted bare
    dated = Item(_primary_key="born")
    assert keyed(key, UPDATE, dated) == reason


@pytest.mark.parametrize(
    ("key", "reason", "with_backslash"),
    [
        ("de", "", ""),
        ("Łódź 東京 1 or 1=1 --", "", ""),
        ("", "", ""),
        (5, "", ""),
        (None, "", ""),
        ("O'Brien", "sql-in-a-value", "sql-in-a-value"),
        ("' or '1'='1", "sql-in-a-value", "sql-in-a-value"),
        ("a\0b", "sql-in-a-value", "sql-in-a-value"),
        ("a\\", "", "sql-in-a-value"),
    ],
    ids=repr,
)
def test_a_text_that_is_a_key_stays_between_its_quotes(
    key: Any, reason: str, with_backslash: str
) -> None:
    for status in (UPDATE, DELETE, DETAILS):
        assert keyed(key, status, text_item()) == reason
        assert keyed(key, status, text_item(), backslash=True) == with_backslash
    assert keyed(key, INSERT, text_item()) == ""


@pytest.mark.parametrize(
    "item",
    [
        text_item(Item(61, Item(62))),
        text_item(Item(61), Item(63, keep_history=True)),
    ],
)
def test_a_text_key_is_pasted_bare_where_more_is_deleted(item: Item) -> None:
    assert keyed("de", UPDATE, item) == ""
    assert keyed("de", DELETE, item) == "sql-in-a-value"
    assert keyed("12", DELETE, item) == ""
    assert keyed("de", DELETE, text_item(Item(61))) == ""


def test_without_its_key_a_record_can_only_be_new() -> None:
    for item, fields in (
        (Item(), ("name",)),
        (Item(_primary_key=None), ("name",)),
        (Item(_primary_key=11), ()),  # a moment before Jam.py has put the name there
        (Item(_primary_key="town"), ()),
    ):
        for status, reason in ((INSERT, ""), (UPDATE, "out-of-date"), (DELETE, "out-of-date")):
            record = ["x"] if fields else ROW
            assert verdict(changes(change(record, status), fields=fields), item) == reason


@pytest.mark.parametrize(
    ("version", "reason"),
    [(3, ""), (None, ""), ("3", ""), ("3 or 1=1", "sql-in-a-value"), (True, "sql-in-a-value")],
    ids=repr,
)
def test_the_version_of_a_record_is_a_number_where_only_details_changed(
    version: Any, reason: str
) -> None:
    fields = ("id", "record_version")
    assert verdict(changes(change([1, version], DETAILS), fields=fields)) == reason
    assert verdict(changes(change([1, version], UPDATE), fields=fields)) == ""


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "malformed-call"),
        ([], "malformed-call"),
        ({}, "malformed-call"),
        (changes(fields="id"), "malformed-call"),
        (changes(fields={"id": 1}), "malformed-call"),
        (changes(fields=("id", 1)), "malformed-call"),
        (changes(fields=("id", ["name"])), "malformed-call"),
        (changes(fields=("id", "name", "id")), "malformed-call"),
        (changes(fields=("id", "gone")), "out-of-date"),
        (changes(None), "malformed-call"),
        (changes([1]), "malformed-call"),
        (changes(change(None)), "malformed-call"),
        (changes(change({"0": 1})), "malformed-call"),
        (changes(change("12345678")), "malformed-call"),
        (changes(change([1])), "malformed-call"),
        (changes(change(ROW[:-1])), "malformed-call"),
        (changes(change([*ROW, []])), "malformed-call"),
        (changes(change([*ROW, {}])), "malformed-call"),
        (changes(change(ROW, 0)), "malformed-call"),
        (changes(change(ROW, 5)), "malformed-call"),
        (changes(change(ROW, True)), "malformed-call"),
        (changes(change(ROW, "2")), "malformed-call"),
        (changes(change(ROW, 2.0)), "malformed-call"),
        (changes(change(ROW, None)), "malformed-call"),
        (changes(change(ROW, details=None)), "malformed-call"),
        (changes(change(ROW, details=[])), "malformed-call"),
        ({"fields": [], "expanded": False, "logs": {}}, "malformed-call"),
        ({"fields": [], "expanded": False, "data": {}}, "malformed-call"),
    ],
)
def test_malformed_changes_are_refused(sent: Any, reason: str) -> None:
    assert verdict(sent) == reason


def test_details_are_checked_by_their_own_fields() -> None:
    item = Item(6, Item(61, Item(62)))

    def nested(number: str, inner: Any) -> str:
        return verdict(changes(change(ROW, UPDATE, details={number: inner})), item)

    assert nested("61", changes(change(ROW, DELETE))) == ""
    assert nested("61", changes(change(["1 or 1=1"], DELETE), fields=("id",))) == "sql-in-a-value"
    assert nested("61", changes(fields=("gone",))) == "out-of-date"
    deeper = changes(change(ROW, details={"62": changes(change(["1;x"], 3), fields=("id",))}))
    assert nested("61", deeper) == "sql-in-a-value"
    for number in ("6", "62", "99", "6_1", " 61", "061", "٦١", ""):
        assert nested(number, changes(change(ROW))) == "out-of-date", number
    assert nested("61", None) == "malformed-call"


def test_details_are_followed_only_so_deep() -> None:
    item = Item(6)
    item.details = (item,)
    sent = changes(change(ROW))
    for _ in range(10):
        sent = changes(change(ROW, details={"6": sent}))
    assert verdict(sent, item) == ""
    assert verdict(changes(change(ROW, details={"6": sent})), item) == "malformed-call"


def test_a_virtual_table_keeps_what_it_likes() -> None:
    anything = changes(change([{"a": [1]}, "1 or 1=1"]), fields=("whatever",))
    assert verdict(anything, Item(virtual_table=True)) == ""
    assert verdict([], Item(virtual_table=True)) == "malformed-call"
    assert verdict({"data": anything}, Item(virtual_table=True), v5=True) != ""


@pytest.mark.parametrize("params", [None, {}, [], [changes()], [changes(), {}, 1], [changes(), []]])
def test_changes_come_with_parameters_of_the_project(params: Any) -> None:
    with pytest.raises(Breach):
        check_apply(Rules(v5=False, backslash=False), Item(), params)


def test_parameters_of_the_project_are_its_own() -> None:
    assert verdict(changes(change(ROW)), own={"6": {"x": ["1 or 1=1"]}}) == ""


@pytest.mark.parametrize("item", [Task(), report()])
def test_only_what_has_records_is_changed(item: Any) -> None:
    assert verdict(changes(), item) == "malformed-call"


# --- v5 ---------------------------------------------------------------------------------


def change_v5(record: Any, status: Any = UPDATE, **more: Any) -> dict[str, Any]:
    controls: dict[str, Any] = {}
    values = [*record, [status, controls, "1"]]
    return {"old_record": None, "record": values, "details": {}, **more}


def changes_v5(*logs: Any, fields: Any = (), **more: Any) -> dict[str, Any]:
    data = {str(number): log for number, log in enumerate(logs, 1)}
    return {"fields": list(fields), "expanded": False, "data": data, **more}


@pytest.mark.parametrize("status", [INSERT, UPDATE, DELETE, DETAILS])
def test_v5_keeps_the_status_in_the_record(status: int) -> None:
    assert verdict(changes_v5(change_v5(ROW, status), change_v5(ROW, status)), v5=True) == ""
    assert verdict(changes_v5(change_v5(["1 or 1=1"], status), fields=("id",)), v5=True) == (
        "sql-in-a-value"
    )
    item = text_item()
    hostile = changes_v5(change_v5(["' or '"], status), fields=("name",))
    assert verdict(hostile, item, v5=True) == ("" if status == INSERT else "sql-in-a-value")
    assert verdict(changes_v5(change_v5(ROW)), own={"__edit_record_version": 1}, v5=True) == ""


@pytest.mark.parametrize(
    "sent",
    [
        changes(),
        changes_v5(data=[]),
        changes_v5(data=None),
        changes_v5(expanded=True),
        changes_v5(None),
        changes_v5([1]),
        changes_v5({"record": None, "details": {}}),
        changes_v5({"record": [], "details": {}}),
        changes_v5({"record": ROW, "details": {}}),
        changes_v5({"record": [*ROW, []], "details": {}}),
        changes_v5({"record": [*ROW, {}], "details": {}}),
        changes_v5({"record": [*ROW, [2], "x"], "details": {}}),
        changes_v5({"record": [*ROW, [[2]]], "details": {}}),
        changes_v5(change_v5(ROW, 5)),
        changes_v5(change_v5(ROW, True)),
        changes_v5(change_v5(ROW, details=None)),
        changes_v5(data={"1_0": change_v5(ROW)}),
        changes_v5(data={"": change_v5(ROW)}),
        changes_v5(data={"٣": change_v5(ROW)}),
    ],
)
def test_malformed_changes_are_refused_for_v5_too(sent: Any) -> None:
    assert verdict(sent, v5=True) == "malformed-call"


def test_v5_has_details_too() -> None:
    item = Item(6, Item(61))
    for key, reason in ((5, ""), ("5 or 1=1", "sql-in-a-value")):
        inner = changes_v5(change_v5([key], DELETE), fields=("id",))
        assert verdict(changes_v5(change_v5(ROW, details={"61": inner})), item, v5=True) == reason
