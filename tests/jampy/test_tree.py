"""What is read from a running project."""

from types import SimpleNamespace
from typing import Any

import pytest
from support.items import App, Field, Item, Task, report, text_item

from jamguard.jampy.tree import (
    deletes_more,
    escapes_by_backslash,
    fields_of,
    find_item,
    has_table,
    in_record,
    is_v5,
    load_task,
)


def test_the_version_is_told_by_what_routes_paths() -> None:
    assert is_v5(SimpleNamespace(url_map=[]))
    assert not is_v5(App(Task()))


def test_a_task_is_loaded_as_jam_py_would_in_its_next_line() -> None:
    app = App(Task(), Task(0))
    assert load_task(app, 0) is app.admin
    assert load_task(app, 1) is app.loaded
    assert load_task(app, 7) is app.loaded
    assert load_task(App(None), 0) is not None
    assert load_task(App(None), 1) is None


def test_an_item_is_found_as_jam_py_finds_it() -> None:
    item = Item(6)
    task = Task(1, item)
    assert find_item(task, 0) is task
    assert find_item(task, 1) is task
    assert find_item(task, 6) is item
    assert find_item(task, 7) is None


@pytest.mark.parametrize(
    ("item", "records"), [(Item(), True), (Task(), False), (report(), False)], ids=repr
)
def test_only_some_items_have_records(item: Any, *, records: bool) -> None:
    assert has_table(item) is records


def test_the_first_field_of_a_name_counts() -> None:
    first, second = Field(1, "id", 2), Field(2, "id", 1)
    item = Item()
    item._fields = [first, second]
    assert fields_of(item) == {"id": first}


def test_some_fields_have_no_place_in_a_record() -> None:
    fields = fields_of(Item())
    assert in_record(fields["id"])
    assert not in_record(fields["town"])
    assert not in_record(fields["orders_total"])
    assert in_record(Field(1, "id", 2)), "v5 has no calculated fields"


def test_a_deleted_record_takes_others_with_it() -> None:
    assert not deletes_more(text_item())
    assert not deletes_more(text_item(Item(61)))
    assert deletes_more(text_item(Item(61, Item(62))))
    assert deletes_more(text_item(Item(61), Item(63, keep_history=True)))


@pytest.mark.parametrize(
    ("kind", "escapes"), [(1, False), (2, False), (3, False), (4, True), (6, False), (7, True)]
)
def test_some_databases_escape_by_a_backslash(kind: int, *, escapes: bool) -> None:
    assert escapes_by_backslash(Task(db_type=kind)) is escapes


def test_while_the_project_reloads_any_database_may() -> None:
    assert escapes_by_backslash(SimpleNamespace())
