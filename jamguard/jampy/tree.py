"""What the running project consists of, read from Jam.py's own objects.

Nothing is remembered from one call to the next: what is saved in the builder replaces
items while the application runs, and walking an item's fields costs no more than Jam.py's
own look-ups of them.
"""

from typing import Any, Final

#: Jam.py's types of fields (`jam/common.py`, v7 and v5)
TEXT: Final = 1
FILES: Final = frozenset({10, 11})  #: FILE, IMAGE
#: INTEGER, FLOAT, CURRENCY, BOOLEAN
NUMERIC: Final = frozenset({2, 3, 4, 7})

#: databases that read a backslash in a literal as an escape: MySQL, Databricks
BACKSLASH: Final = frozenset({4, 7})

# Jam.py's objects have no types
# ruff: noqa: ANN401


def is_v5(app: Any) -> bool:
    """Say whether Jam.py's `App` is that of v5, which has Werkzeug's map of rules."""
    return hasattr(app, "url_map")


def load_task(app: Any, task_id: int) -> Any:
    """Return the task that Jam.py takes a call to, or None when it cannot be loaded.

    Loads the project if no request has done so before: Jam.py does in its next line.
    """
    if task_id == 0:
        return app.admin
    try:
        return app.task
    except Exception:  # noqa: BLE001 - whatever is wrong with the project, Jam.py has logged it
        return None


def find_item(task: Any, item_id: int) -> Any:
    """Return the item of a call as Jam.py finds it: 0 is the task itself."""
    return task.item_by_ID(item_id) if item_id else task


def has_table(item: Any) -> bool:
    """Say whether an item has records: not the task, a group or a report."""
    return hasattr(item, "_fields")


def fields_of(item: Any) -> dict[str, Any]:
    """Return the fields of an item by their names; the first of a name counts."""
    return {field.field_name: field for field in reversed(item._fields)}


def in_record(field: Any) -> bool:
    """Say whether a field has a place of its own in a record (`_bind_fields`)."""
    return not field.master_field and not getattr(field, "calculated", None)


def deletes_more(item: Any) -> bool:
    """Say whether a deleted record's key is looked for in details of details, or a history."""
    return any(detail.details or getattr(detail, "keep_history", False) for detail in item.details)


def escapes_by_backslash(task: Any) -> bool:
    """Say whether the task's database may take a backslash in a literal for an escape."""
    kind = getattr(task, "db_type", None)  # there is none for a moment while the project reloads
    return kind is None or kind in BACKSLASH
