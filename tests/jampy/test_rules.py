"""What may be in a call, field by field."""

import json
import math
from contextlib import nullcontext
from typing import Any

import pytest
from support.items import Item, Task, report

from jamguard.jampy.calls import Call
from jamguard.jampy.rules import (
    VALUES,
    Breach,
    Pasted,
    Rules,
    Unknown,
    check_envelope,
    check_open,
    check_print,
    is_number,
    is_scalar,
)

#: what JSON has without anything in it
NOTHING: dict[str, Any] = {}
NONE: list[Any] = []
UNION = "0) UNION SELECT 1, sql FROM sqlite_master--"


def opened(
    params: Any, item: Any = None, *, v5: bool = False, backslash: bool = False
) -> tuple[str, Rules]:
    rules = Rules(v5=v5, backslash=backslash, functions=frozenset({"sum", "total"}))
    try:
        check_open(rules, item or Item(), params)
    except Breach as breach:
        return breach.reason, rules
    return "", rules


def open_verdict(params: Any, item: Any = None, *, v5: bool = False) -> str:
    return opened(params, item, v5=v5)[0]


# --- the envelope -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "allowed", "in_v5"),
    [
        ('["load",1,0,null,0]', True, True),
        ('["load",1,1,null,61]', True, True),
        ('["load",null,null,null,null]', True, True),
        ('["logout",0,0,null,3]', True, True),
        ('["logout",1,0,{},null]', True, True),
        ('["open",1,6,{},0]', True, True),
        ('["open",0,12,{},null]', True, True),
        ('["server",1,0,["ping",[]],0]', True, True),
        ('["print",1,8,[],0]', True, True),
        ('["apply",1,6,[],0]', True, True),
        ('["login",1,0,[{"login":"a","password":"x\'"}],0]', False, True),
        ('["connect",null,null,null,null]', False, True),
        ('["login",1,0,[{"login":["a"],"password":"x"}],0]', False, False),
        ('["login",1,0,["a"],0]', False, False),
        ('["login",1,0,[{},{}],0]', False, False),
        ('["login",1,0,{"login":"a"},0]', False, False),
        ('["Open",1,6,{},0]', False, False),
        ('["__init__",1,6,{},0]', False, False),
        ('["",1,6,{},0]', False, False),
        ('[["open"],1,6,{},0]', False, False),
        ('[{"open":1},1,6,{},0]', False, False),
        ("[null,1,6,{},0]", False, False),
        ("[1,2,3,4,5]", False, False),
        ('{"open":1,"b":2,"c":3,"d":4,"e":5}', False, False),
        ('"abcde"', False, False),
        ('["open",null,6,{},0]', False, False),
        ('["open",1,null,{},0]', False, False),
        ('["open",true,6,{},0]', False, False),
        ('["open",1.0,6,{},0]', False, False),
        ('["open","1",6,{},0]', False, False),
        ('["open",[1],6,{},0]', False, False),
        ('["open",1,"6",{},0]', False, False),
        ('["open",1,true,{},0]', False, False),
        ('["open",1,6.0,{},0]', False, False),
        ('["open",1,{"a":1},{},0]', False, False),
        ('["load",false,0,null,0]', False, False),
        ('["load",1,[],null,0]', False, False),
        ('["open",1,6,{},"0"]', False, False),
        ('["open",1,6,{},0.0]', False, False),
        ('["open",1,6,{},true]', False, False),
        ('["open",1,6,{},NaN]', False, False),
    ],
)
def test_a_call_is_a_known_method_and_whole_numbers(
    body: str, *, allowed: bool, in_v5: bool
) -> None:
    call = Call.parse(body.encode())
    for v5, expected in ((False, allowed), (True, in_v5)):
        if expected:
            assert check_envelope(call, v5=v5) is call
        else:
            with pytest.raises(Breach):
                check_envelope(call, v5=v5)


def test_what_cannot_be_taken_apart_is_no_call() -> None:
    with pytest.raises(Breach, match="body"):
        check_envelope(None, v5=False)


# --- single values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "scalar", "number"),
    [
        (None, True, False),
        (True, True, False),
        ("O'Brien; DROP TABLE x --", True, False),
        ("\0", True, False),
        ("12", True, True),
        ("-12.50", True, True),
        ("1e5", True, False),
        ("١٢", True, False),
        ("12\n", True, False),
        (" 12", True, False),
        ("+1", True, False),
        ("0x10", True, False),
        ("", True, False),
        ("1" * 31, True, False),
        (0, True, True),
        (-(2**63), True, True),
        (-(2**63) - 1, False, False),
        (2**64 - 1, True, True),
        (2**64, False, False),
        (10**4000, False, False),
        (1.5, True, True),
        (math.nan, False, False),
        (math.inf, False, False),
        (-math.inf, False, False),
        ([1], False, False),
        (NOTHING, False, False),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_scalar_is_what_drivers_bind(value: Any, *, scalar: bool, number: bool) -> None:
    assert is_scalar(value) is scalar
    assert is_number(value) is number


# --- open -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"__expanded": True, "__fields": ["id", "name"], "__filters": [], "__limit": 10},
        {"__expanded": None, "__summary": True, "__open_empty": False, "__filters": None},
        {"__fields": [], "__offset": 0, "__order": [["name", False], ["gone", None]]},
        {"__fields": ["a field that is gone"], "__group_by": ["name"]},
        {"__funcs": {"total": "sum", "name": "TOTAL"}},
        {"__limit": 2**53 - 1, "__offset": None},
        {"__master_id": 7, "__master_rec_id": "key' or", "__master_field": None},
        {"__search": ["name", "x' or 1=1", 12, "x"]},
        {"mine": {"anything": [1, {"at": "all' or 1=1 --"}]}, "_": [NONE]},
        {"__of_the_project": {"its": "own"}},
        {"__edit_record_id": {"v7": "has no such key"}},
    ],
)
def test_what_a_client_asks_for_is_opened(params: dict[str, Any]) -> None:
    assert open_verdict(params) == ""


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (None, "malformed-call"),
        (NONE, "malformed-call"),
        ("__filters", "malformed-call"),
        ({"__expanded": NOTHING}, "malformed-call"),
        ({"__summary": [1]}, "malformed-call"),
        ({"__fields": "id"}, "malformed-call"),
        ({"__fields": ["id", 1]}, "malformed-call"),
        ({"__fields": [["id"]]}, "malformed-call"),
        ({"__fields": {"id": 1}}, "malformed-call"),
        ({"__filters": NOTHING}, "malformed-call"),
        ({"__filters": "id"}, "malformed-call"),
        ({"__order": "name"}, "malformed-call"),
        ({"__order": ["name"]}, "malformed-call"),
        ({"__order": [["name"]]}, "malformed-call"),
        ({"__order": [["name", False, 1]]}, "malformed-call"),
        ({"__order": [[["name"], False]]}, "malformed-call"),
        ({"__order": [["name", NOTHING]]}, "malformed-call"),
        ({"__group_by": "name"}, "malformed-call"),
        ({"__group_by": [None]}, "malformed-call"),
        ({"__funcs": ["sum"]}, "malformed-call"),
        ({"__funcs": {"name": "max"}}, "sql-in-a-value"),  # not in this test's list
        ({"__funcs": {"name": "\u017fum"}}, "sql-in-a-value"),
        ({"__funcs": {"name": "sum "}}, "sql-in-a-value"),
        ({"__funcs": {"name": "load_extension"}}, "sql-in-a-value"),
        ({"__funcs": {"name": "(select 1)||sum"}}, "sql-in-a-value"),
        ({"__funcs": {"name": None}}, "sql-in-a-value"),
        ({"__funcs": {"name": ["sum"]}}, "sql-in-a-value"),
        ({"__limit": "1"}, "sql-in-a-value"),
        ({"__limit": -1}, "sql-in-a-value"),
        ({"__limit": 2**53}, "sql-in-a-value"),
        ({"__limit": True}, "sql-in-a-value"),
        ({"__limit": 1.0}, "sql-in-a-value"),
        ({"__offset": "0; DROP"}, "sql-in-a-value"),
        ({"__offset": [0]}, "sql-in-a-value"),
        ({"__master_id": [1]}, "malformed-call"),
        ({"__master_rec_id": {"a": 1}}, "malformed-call"),
        ({"__master_field": math.nan}, "malformed-call"),
    ],
)
def test_what_no_client_asks_for_is_not(params: Any, reason: str) -> None:
    assert open_verdict(params) == reason


@pytest.mark.parametrize("kind", [*range(1, 7), *range(10, 22), *range(25, 31)])
def test_a_bound_value_may_be_any_text(kind: int) -> None:
    value: Any
    for value in (None, "x' or 1=1 --", 5, 1.5, True, "", "\0\\'"):
        assert open_verdict({"__filters": [["name", kind, value]]}) == ""
    for value in ([1], NOTHING, [NONE], math.inf):
        assert open_verdict({"__filters": [["name", kind, value]]}) == "malformed-call"


@pytest.mark.parametrize(
    "one",
    [
        NONE,
        None,
        "id",
        NOTHING,
        ["id"],
        ["id", 1],
        ["id", 1, 1, 1],
        ["id", 0, 1],
        ["id", 31, 1],
        ["id", -1, 1],
        ["id", True, 1],
        ["id", 1.0, 1],
        ["id", "7", [1]],
        ["id", [7], [1]],
        ["id", None, [1]],
        [1, 1, 1],
        [{"id": 1}, 1, 1],
        [None, 1, 1],
        ["total", 9, 5],
        ["total", 9, [1]],
        ["total", 9, [1, 2, 3]],
        ["total", 24, [1, [2]]],
        ["total", 9, {"0": 1, "1": 2}],
        ["id", 7, True],
        ["id", 7, {"1": 1}],
        ["id", 8, [[1]]],
        ["id", 7, [NOTHING]],
        ["id", 22, [math.nan]],
        ["id", 7, [2**64]],
    ],
    ids=repr,
)
def test_a_malformed_filter_is_refused(one: Any) -> None:
    assert open_verdict({"__filters": [one]}) == "malformed-call"
    assert open_verdict({"__filters": [[one]]}) == "malformed-call" or len(one) == 4


def test_lists_have_so_many_values_in_all() -> None:
    half = [1] * (VALUES // 2)
    assert open_verdict({"__filters": [["id", 7, half], ["name", 8, half]]}) == ""
    more = {"__filters": [["id", 7, half], [["id", 7, half]], ["id", 22, [1]]]}
    assert open_verdict(more) == "malformed-call"


@pytest.mark.parametrize("key", ["__fields", "__group_by"])
def test_fields_are_not_named_again_and_again(key: str) -> None:
    count = len(Item()._fields)
    assert open_verdict({key: ["name"] * 2 * count}) == ""
    assert open_verdict({key: ["name"] * (2 * count + 1)}) == "malformed-call"


@pytest.mark.parametrize("kind", [7, 8, 22, 23])
@pytest.mark.parametrize("name", ["id", "name", "born", "gone"])
def test_a_list_may_have_numbers_and_literals(kind: int, name: str) -> None:
    values = [1, -5, None, True, 1.5, "12", "-1.50", "'a'", "'O''Brien'", "''", "'\\'"]
    reason, rules = opened({"__filters": [[name, kind, values]]})
    assert (reason, rules.mends) == ("", [])
    assert open_verdict({"__filters": [[name, kind, []]]}) == ""
    assert open_verdict({"__filters": [[name, kind, None]]}) == ""


@pytest.mark.parametrize(
    "text",
    [
        UNION,
        "1 or 1=1",
        "'a' or 'b'",
        "'a",
        "'a''",
        "''a'",
        "1)--",
        "1e5",
        "null",
        "",
        " ",
        "(select 1)",
        "0x10",
        "٣",
    ],
)
def test_a_list_of_numbers_has_no_other_text(text: str) -> None:
    for name in ("id", "total", "active"):
        for kind in (7, 8):
            assert open_verdict({"__filters": [[name, kind, [1, text]]]}) == "sql-in-a-value"
            assert open_verdict({"__filters": [[[[name, kind, [text]]]]]}) == "sql-in-a-value"


@pytest.mark.parametrize(
    ("text", "literal", "with_backslash"),
    [
        ("de", "'de'", "'de'"),
        ("O'Brien", "'O''Brien'", "'O''Brien'"),
        (UNION, f"'{UNION}'", f"'{UNION}'"),
        ("' or 1=1 --", "''' or 1=1 --'", "''' or 1=1 --'"),
        ("\\' or 1=1 --", "'\\'' or 1=1 --'", "'\\\\'' or 1=1 --'"),
        ("a\\", "'a\\'", "'a\\\\'"),
        ("", "''", "''"),
        ("2026-01-12", "'2026-01-12'", "'2026-01-12'"),
    ],
)
def test_a_bare_text_in_a_list_is_quoted(text: str, literal: str, with_backslash: str) -> None:
    for name, kind in (("name", 7), ("name", 8), ("born", 7), ("id", 22)):
        for backslash, expected in ((False, literal), (True, with_backslash)):
            values = [1, text]
            reason, rules = opened({"__filters": [[name, kind, values]]}, backslash=backslash)
            assert reason == ""
            assert values == [1, text], "nothing is changed before all of the call is judged"
            assert rules.mends == [(values, 1, expected)]


def test_a_single_value_is_put_into_a_list() -> None:
    for name, value, mended in (("id", 5, 5), ("total", 4.5, 4.5), ("name", "O'B", "'O''B'")):
        one = [name, 7, value]
        reason, rules = opened({"__filters": [one]})
        assert reason == ""
        for values, place, text in rules.mends:
            values[place] = text
        assert one == [name, 7, [mended]]
    assert open_verdict({"__filters": [["id", 7, UNION]]}) == "sql-in-a-value"
    assert open_verdict({"__filters": [["id", 7, 2**64]]}) == "malformed-call"


def test_what_is_asked_of_no_field_does_not_matter() -> None:
    """Jam.py's client sends the first of these while a user types into a lookup field."""
    for kind, value in ((1, {"name__contains": "Pol"}), (7, [5]), (9, 5)):
        reason, rules = opened({"__filters": [["0", kind, value]]})
        assert (reason, rules.mends) == ("", [])


def test_what_would_be_pasted_of_no_field_is_no_sql_when_there_is_one() -> None:
    """Jam.py may reload the project after the call was judged."""
    values = [UNION]
    reason, rules = opened({"__filters": [["0", 7, values]]})
    assert (reason, rules.mends) == ("", [(values, 0, f"'{UNION}'")])
    assert open_verdict({"__filters": [["0", 7, {UNION: 1}]]}) == "malformed-call"


def test_a_literal_with_a_backslash_is_one_where_it_escapes_nothing() -> None:
    filters = {"__filters": [["name", 7, ["'a\\b'"]]]}
    assert opened(filters)[1].mends == []
    assert opened(filters, backslash=True)[1].mends[0][2] == "'''a\\\\b'''"


@pytest.mark.parametrize("text", ["a\0b", "'a\0b'"])
def test_nul_is_in_no_list(text: str) -> None:
    assert open_verdict({"__filters": [["name", 7, [text]]]}) == "sql-in-a-value"


@pytest.mark.parametrize(
    "one",
    [
        [["name", 12, "a"]],
        [["name", 12, "a"], ["name", 12, "b"]],
        [["name", 12, "a", -1]],
        [["name", 12, "a", -1], None, None],
        [[["name", 12, "a", -1], None, None]],
        [[[["name", 12, "a"]]]],
        [[[[["name", 12, "a"]]]]][0],
    ],
)
def test_an_or_may_be_nested(one: Any) -> None:
    assert open_verdict({"__filters": [one]}) == ""
    assert open_verdict({"__filters": [one]}, v5=True) == "malformed-call"


def test_an_or_is_nested_only_so_deep() -> None:
    filters: Any = ["name", 12, "a"]
    for _ in range(4):
        filters = [filters]
    assert open_verdict({"__filters": [filters]}) == ""
    assert open_verdict({"__filters": [[filters]]}) == "malformed-call"
    deep: Any = json.loads("[" * 900 + "]" * 900)
    assert open_verdict({"__filters": [deep]}) == "malformed-call"


def test_an_or_has_no_more_than_its_alternatives() -> None:
    assert open_verdict({"__filters": [[["name", 12, "a", 1, 1]]]}) == "malformed-call"
    assert open_verdict({"__filters": [[["name", 12, "a"], 5]]}) == "malformed-call"
    assert open_verdict({"__filters": [[["name", 12, "a"], []]]}) == "malformed-call"


def test_an_item_without_a_table_cannot_be_opened() -> None:
    assert open_verdict({}, Task()) == "malformed-call"
    assert open_verdict({}, report()) == "malformed-call"


def test_the_filters_of_a_virtual_table_are_the_projects_own() -> None:
    filters = {"__filters": [["id", 7, {"anything": UNION}]]}
    assert open_verdict(filters, Item(virtual_table=True)) == ""
    assert open_verdict(None, Item(virtual_table=True)) == "malformed-call"
    # v5 asks the database for them all the same
    assert open_verdict(filters, Item(virtual_table=True), v5=True) == "malformed-call"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"__filters": [["name", 15, "x' or 1=1"]]}, ""),
        ({"__filters": [["name", 16, "x"]]}, "malformed-call"),
        ({"__filters": [["id", 7, ["x' or 1=1", 1]]]}, ""),  # a literal there: see the SQL patch
        ({"__filters": [["id", 7, [[1]]]]}, "malformed-call"),
        ({"__master_id": 7, "__master_rec_id": "12"}, ""),
        ({"__master_id": "7 or 1=1"}, "sql-in-a-value"),
        ({"__master_rec_id": "1 or 1=1"}, "sql-in-a-value"),
        ({"__edit_record_id": 5}, ""),
        ({"__edit_record_id": "5 or 1=1"}, "sql-in-a-value"),
        ({"__edit_record_id": [5]}, "sql-in-a-value"),
        ({"__funcs": {"name": "(select 1)"}}, "sql-in-a-value"),
    ],
)
def test_v5_pastes_more(params: dict[str, Any], reason: str) -> None:
    assert open_verdict(params, v5=True) == reason


def test_v5_opens_for_editing_by_a_text_key() -> None:
    item = Item(_primary_key="name")
    assert open_verdict({"__edit_record_id": "de"}, item, v5=True) == ""
    assert open_verdict({"__edit_record_id": "d' or"}, item, v5=True) == "sql-in-a-value"
    assert open_verdict({"__edit_record_id": "de"}, Item(_primary_key=None), v5=True)


def test_rules_know_version_and_database() -> None:
    class App:
        url_map = ()

    assert Rules.of(App(), Task(db_type=4), frozenset()) == Rules(
        v5=True, backslash=True, functions=frozenset()
    )
    assert Rules.of(object(), Task(db_type=1), frozenset()) == Rules(
        v5=False, backslash=False, functions=frozenset()
    )


# --- print ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ([["a", 5], "http://www.example.com/", "ods"], ""),
        ([["x' or", [1, 2]], "https://[2001:db8::1]:8443/crm/index.html", "pdf"], ""),
        ([[None, "1;2"], "http://localhost:8080/", None], ""),
        ([["a"], "http://www.example.com/", "ods"], "out-of-date"),
        ([["a", 5, 6], "http://www.example.com/", "ods"], "out-of-date"),
        ([["a", NOTHING], "http://www.example.com/", "ods"], "malformed-call"),
        ([["a", [[1]]], "http://www.example.com/", "ods"], "malformed-call"),
        ([{"a": 1}, "http://www.example.com/", "ods"], "malformed-call"),
        ([["a", 5], "http://www.example.com/", "ods", True], "malformed-call"),
        ([["a", 5], "http://www.example.com/"], "malformed-call"),
        ({"a": 1, "b": 2, "c": 3}, "malformed-call"),
        ([["a", 5], "javascript:alert(1)//", "ods"], "malformed-call"),
        ([["a", 5], "http://www.example.com/ x", "ods"], "malformed-call"),
        ([["a", 5], "http://www.example.com/\n", "ods"], "malformed-call"),
        ([["a", 5], "http://www.example.com/'", "ods"], "malformed-call"),
        ([["a", 5], None, "ods"], "malformed-call"),
        ([["a", 5], "http://" + "x" * 3000, "ods"], "malformed-call"),
        ([["a", 5], "http://www.example.com/", "../../x"], "malformed-call"),
        ([["a", 5], "http://www.example.com/", "ods\n"], "malformed-call"),
        ([["a", 5], "http://www.example.com/", ""], "malformed-call"),
        ([["a", 5], "http://www.example.com/", ["ods"]], "malformed-call"),
        ([["a", 5], "http://www.example.com/", "x" * 21], "malformed-call"),
    ],
)
def test_a_report_gets_values_an_address_and_a_kind(params: Any, reason: str) -> None:
    with pytest.raises(Breach) if reason else nullcontext() as caught:
        check_print(report("title", "tags"), params)
    assert caught is None or caught.value.reason == reason


def test_only_reports_are_printed() -> None:
    with pytest.raises(Breach):
        check_print(Item(), [[], "http://www.example.com/", "ods"])


def test_each_breach_has_a_reason_of_its_own() -> None:
    assert len({Breach.reason, Pasted.reason, Unknown.reason}) == 3
