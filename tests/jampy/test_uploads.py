"""What may be in the form of an upload."""

from typing import Any

import pytest
from support.items import App, Item, Task, report
from werkzeug.datastructures import MultiDict

from jamguard.jampy.rules import Breach
from jamguard.jampy.uploads import check_upload

FIELD_DOC, FIELD_NAME = 18, 12


def verdict(
    ids: tuple[str, str, str] = ("1", "6", "18"),
    parts: tuple[str, ...] = ("file",),
    app: Any = None,
    **more: Any,
) -> str:
    form = MultiDict[str, Any](
        {**dict(zip(("task_id", "item_id", "field_id"), ids, strict=True)), **more}
    )
    files = MultiDict([(name, object()) for name in parts])
    kept = report()
    kept.ID = 8
    try:
        check_upload(app or App(Task(1, Item(6), kept)), form, files)
    except Breach as breach:
        return breach.reason
    return ""


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        (("1", "6", "18"), ""),
        (("1", "-1", "-1"), ""),
        (("0", "-1", "-1"), ""),
        (("1", "6", "12"), "out-of-date"),
        (("1", "6", "99"), "out-of-date"),
        (("1", "6", "-1"), "out-of-date"),
        (("1", "-1", "18"), "out-of-date"),
        (("1", "99", "18"), "out-of-date"),
        (("1", "8", "18"), "out-of-date"),
        (("1", "0", "18"), "out-of-date"),
        (("2", "6", "18"), "out-of-date"),
        (("-1", "-1", "-1"), "out-of-date"),
        ((" 0", "-1", "-1"), "malformed-call"),
        (("+0", "-1", "-1"), "malformed-call"),
        (("0_0", "-1", "-1"), "malformed-call"),
        (("00", "-1", "-1"), "malformed-call"),
        (("-0", "-1", "-1"), "malformed-call"),
        (("٠", "-1", "-1"), "malformed-call"),
        (("1.0", "6", "18"), "malformed-call"),
        (("", "6", "18"), "malformed-call"),
        (("null", "6", "18"), "malformed-call"),
        (("1", "6\n", "18"), "malformed-call"),
        (("1", "6", "1" * 5000), "malformed-call"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_ids_are_written_as_the_client_writes_them(ids: tuple[str, str, str], reason: str) -> None:
    assert verdict(ids, file_name="a.pdf") == reason


@pytest.mark.parametrize("name", ["task_id", "item_id", "field_id"])
def test_each_id_is_there_once(name: str) -> None:
    for values in ((), ("1", "1"), ("1", "x")):
        more: dict[str, Any] = {name: list(values)}
        assert verdict(**more) == "malformed-call"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (("file",), ""),
        (("myfile",), ""),
        ((), "malformed-call"),
        (("file", "file"), "malformed-call"),
        (("file", "myfile"), "malformed-call"),
        (("other",), "malformed-call"),
    ],
)
def test_there_is_one_file(parts: tuple[str, ...], reason: str) -> None:
    assert verdict(parts=parts) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("export 2026 (1).zip", ""),
        ("Żółć.ods", ""),
        ("../../pwned.py", "malformed-call"),
        ("/etc/pwned", "malformed-call"),
        ("a\\b", "malformed-call"),
        ("C:a", "malformed-call"),
        ("a\0.zip", "malformed-call"),
        ("a..zip", "malformed-call"),
        (".hidden", "malformed-call"),
    ],
)
def test_the_builders_file_stays_in_its_folder(name: str, reason: str) -> None:
    assert verdict(("0", "-1", "-1"), file_name=name) == reason
    # the application's is renamed by Jam.py
    assert verdict(("1", "-1", "-1"), file_name=name) == ""


def test_the_builders_file_has_one_name() -> None:
    assert verdict(("0", "-1", "-1")) == "malformed-call"
    assert verdict(("0", "-1", "-1"), file_name=["a.zip", "../b"]) == "malformed-call"


def test_a_project_that_cannot_be_loaded_takes_no_upload() -> None:
    assert verdict(app=App(None)) == "out-of-date"
