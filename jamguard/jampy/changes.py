"""What may be in the changes of an `apply` call: records, and those of their details.

Jam.py binds the values of a record, but pastes its primary key into the SQL. Which of the
values that is depends on the fields that a call says it has.

v7 sends `{"fields", "expanded", "logs": [{"record_status", "record", "details"}]}`, v5
`{"fields", "expanded", "data": {"1": {"record": [..., [status, controls, number]], "details"}}}`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .rules import Breach, Pasted, Rules, Unknown, is_dict, is_list, is_number, is_scalar
from .tree import TEXT, deletes_more, fields_of, has_table, in_record

# what is in a call may be anything, and Jam.py's objects have no types
# ruff: noqa: ANN401, SLF001

INSERTED, MODIFIED, DELETED, DETAILS_MODIFIED = range(1, 5)
#: levels of details in details: more than any project has
DEPTH: Final = 10
#: how v5 counts changes
NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)

#: a change: the values, the status, and the changes of details
Change = tuple[list[Any], Any, Any]


def check_apply(rules: Rules, item: Any, params: Any) -> None:
    """Check what `apply` gets: the changes, and parameters that are the project's own."""
    if not is_list(params, 2) or not has_table(item):
        raise Breach("apply")
    changes, own = params
    if not is_dict(own) and not (rules.v5 and own is None):
        raise Breach("apply")
    _check(rules, item, changes, 0)


def _check(rules: Rules, item: Any, changes: Any, depth: int) -> None:
    if not is_dict(changes) or depth > DEPTH:
        raise Breach("changes")
    if rules.is_virtual(item):
        return
    fields = fields_of(item)
    columns = _columns(item, fields, changes.get("fields"))
    found = _changes_v5(changes, len(columns)) if rules.v5 else _changes(changes, len(columns))
    for record, status, details in found:
        if type(status) is not int or not INSERTED <= status <= DETAILS_MODIFIED:
            raise Breach("record_status")
        if not all(map(is_scalar, record)):
            raise Breach(f"record of {item.item_name}")
        _check_key(rules, item, fields, columns, record, status)
        if not is_dict(details):
            raise Breach("details")
        if details:
            known = {str(detail.ID): detail for detail in item.details}
            for number, changed in details.items():
                if number not in known:
                    raise Unknown(f"detail of {item.item_name}")
                _check(rules, known[number], changed, depth + 1)


def _columns(item: Any, known: Mapping[str, Any], names: Any) -> list[str]:
    """Return the names of the fields whose values a record has, in its order."""
    if names is not None and not is_list(names):
        raise Breach("fields")
    if not names:
        fields = item._fields
    else:
        if not all(type(name) is str for name in names) or len(set(names)) != len(names):
            raise Breach("fields")
        if not known.keys() >= set(names):
            raise Unknown(f"field of {item.item_name}")
        fields = [known[name] for name in names]
    return [field.field_name for field in fields if in_record(field)]


def _changes(changes: dict[str, Any], columns: int) -> Iterator[Change]:
    logs = changes.get("logs")
    if not is_list(logs):
        raise Breach("logs")
    for log in logs:
        if not is_dict(log):
            raise Breach("logs")
        record = log.get("record")
        if not is_list(record) or len(record) < columns:
            raise Breach("record")
        yield record, log.get("record_status"), log.get("details")


def _changes_v5(changes: dict[str, Any], columns: int) -> Iterator[Change]:
    logs = changes.get("data")
    # its client always says not expanded; lookups would move the last part of a record
    if not is_dict(logs) or changes.get("expanded"):
        raise Breach("data")
    for number, log in logs.items():
        if not is_dict(log) or not NUMBER.fullmatch(number):
            raise Breach("data")
        record = log.get("record")
        if not is_list(record, columns + 1) or not is_list(record[-1]) or not record[-1]:
            raise Breach("record")
        *values, (status, *_) = record
        yield values, status, log.get("details")


def _check_key(
    rules: Rules,
    item: Any,
    fields: Mapping[str, Any],
    columns: list[str],
    record: list[Any],
    status: int,
) -> None:
    key = item._primary_key
    if key not in columns:
        if status == INSERTED:
            return
        raise Unknown(f"key of {item.item_name}")
    field = fields[key]
    text = field.data_type == TEXT
    if status != INSERTED or (rules.v5 and not text):
        rules.check_key(
            field,
            record[columns.index(key)],
            f"key of {item.item_name}",
            # looked for in the records of details without quotes, whatever its type
            bare=status == DELETED and text and deletes_more(item),
        )
    version = getattr(item, "_record_version", None)
    if status == DETAILS_MODIFIED and version in columns:
        value = record[columns.index(version)]
        if value is not None and not is_number(value):
            raise Pasted(f"version of {item.item_name}")
