"""Jam.py's own settings: the one row of `SYS_PARAMS`, and the database of the project."""

import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .admin import DATABASE, Admin, AdminError, Row, name_of, number, read_admin, text
from .disk import listed
from .findings import Finding, Place
from .fixes import SetParameter
from .target import Target

DAY: Final = 86400
#: characters of a key; Jam.py makes 28
SHORTEST_KEY: Final = 20
#: accounts that may do everything in their database
SUPERUSERS: Final = frozenset({"root", "sa", "postgres", "sys", "system", "sysdba", "admin"})
#: what a pickle needs to call anything
CALLS: Final = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})


def check(target: Target) -> Iterator[Finding]:
    """Look at the database that has Jam.py's settings."""
    if target.admin is None:
        yield Finding("JC100", Place(DATABASE), target.unreadable)
        return
    yield from _parameters(target, target.admin.parameters)
    yield from _key(text(target.admin.parameters, "F_SECRET_KEY"), target.package)
    for row in target.admin.tables["SYS_TASKS"]:
        yield from _connection(row)
    yield from _pickles(target.admin)


def _parameters(target: Target, row: Row) -> Iterator[Finding]:
    if not number(row, "F_SAFE_MODE"):
        yield Finding("JC101", _at("F_SAFE_MODE"))
    if number(row, "F_DEBUGGING"):
        yield Finding("JC102", _at("F_DEBUGGING"), fix=SetParameter("F_DEBUGGING", 0))
    timeout = number(row, "F_TIMEOUT")
    if timeout <= 0:
        yield Finding("JC105", _at("F_TIMEOUT"))
    elif timeout > DAY:
        yield Finding("JC106", _at("F_TIMEOUT"), f"{timeout / DAY:.1f} days")
    if number(row, "F_IGNORE_CHANGE_IP", 1):
        yield Finding("JC107", _at("F_IGNORE_CHANGE_IP"))
    if not number(row, "F_MAX_CONTENT_LENGTH") and not target.guarded("request-size"):
        yield Finding("JC108", _at("F_MAX_CONTENT_LENGTH"))
    if not number(row, "F_DELETE_REPORTS_AFTER"):
        count = len(listed(target.folder / "static" / "reports"))
        yield Finding("JC109", _at("F_DELETE_REPORTS_AFTER"), f"{count} in static/reports now")
    if number(row, "F_MAINTENANCE"):
        yield Finding("JC110", _at("F_MAINTENANCE"))


def _key(key: str, package: Path | None) -> Iterator[Finding]:
    fix = SetParameter("F_SECRET_KEY", None)
    if len(key) < SHORTEST_KEY:
        yield Finding("JC103", _at("F_SECRET_KEY"), f"it has {len(key)} characters", fix)
    elif package and key == _key_of(package):
        yield Finding("JC104", _at("F_SECRET_KEY"), fix=fix)


def _key_of(package: Path) -> str:
    """Return the key in the database that every new project is a copy of."""
    try:
        return text(read_admin(package / "project" / DATABASE).parameters, "F_SECRET_KEY")
    except AdminError:
        return ""


def _connection(row: Row) -> Iterator[Finding]:
    user = text(row, "F_LOGIN")
    if user.lower() in SUPERUSERS:
        yield Finding("JC116", Place(DATABASE, part="SYS_TASKS.F_LOGIN"), user)
    if text(row, "F_PASSWORD"):
        yield Finding("JC117", Place(DATABASE, part="SYS_TASKS.F_PASSWORD"))


def _pickles(admin: Admin) -> Iterator[Finding]:
    for row in admin.items.values():
        info = text(row, "F_INFO")
        if info and not info.startswith("json") and _calls(info):
            yield Finding("JC118", Place(DATABASE, part=f"SYS_ITEMS.F_INFO of {name_of(row)}"))


def _calls(pickled: str) -> bool:
    """Say whether something is called when this is loaded; what is no pickle never is."""
    try:
        return any(code.name in CALLS for code, _, _ in pickletools.genops(pickled.encode()))
    except (ValueError, IndexError):
        return False


def _at(column: str) -> Place:
    return Place(DATABASE, part=f"SYS_PARAMS.{column}")
