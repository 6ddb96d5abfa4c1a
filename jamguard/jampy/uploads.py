"""What may be in the form of an upload."""

import re
from typing import Any, Final

from .rules import Breach, Unknown
from .tree import FILES, find_item, has_table, load_task

# Werkzeug's forms, and Jam.py's objects, have no types here
# ruff: noqa: ANN401

#: `task.upload()`: not for a field
NO_FIELD: Final = -1
ID: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
#: names that Jam.py's client gives the part with the file
PARTS: Final = frozenset({"file", "myfile"})
#: what leaves a folder, or hides in it; Windows takes `:` for a drive or a stream
BAD_NAME: Final = re.compile(r"[/\\:\0]|\.\.|^\.")


def check_upload(app: Any, form: Any, files: Any) -> None:
    """Check a form, read by Jam.py's Werkzeug. Raises `Breach`.

    For the builder Jam.py writes a file under the name that the form gives it.
    """
    task_id, item_id, field_id = (_id(form, name) for name in ("task_id", "item_id", "field_id"))
    parts = [name for name, _ in files.items(multi=True)]
    if len(parts) != 1 or not PARTS.issuperset(parts):
        raise Breach("file")
    if task_id == 0:
        names = form.getlist("file_name")
        if len(names) != 1 or BAD_NAME.search(names[0]):
            raise Breach("file_name")
    task = load_task(app, task_id)
    if task is None or task_id != task.ID:
        raise Unknown("task")
    if item_id == field_id == NO_FIELD:
        return
    item = find_item(task, item_id)
    if item is None or not has_table(item):
        raise Unknown("item")
    if not any(field_id == field.ID and field.data_type in FILES for field in item.fields):
        raise Unknown("field")


def _id(form: Any, name: str) -> int:
    values = form.getlist(name)
    if len(values) != 1 or not ID.fullmatch(values[0]) or str(int(values[0])) != values[0]:
        raise Breach(name)
    return int(values[0])
