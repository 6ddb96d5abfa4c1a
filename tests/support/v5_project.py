"""Make a small but real Jam.py v5 project: `python -m support.v5_project FOLDER`.

Like `jamguard.jampy.demo` for v7, by the builder's own Python functions, in a process of an
environment with Jam.py v5. Written for 5.5.4; the ids below are what it gives.
"""

import os
import runpy
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import Final

from jamguard.jampy.demo import (
    CURRENCY,
    DATE,
    FILE,
    IMAGE,
    INTEGER,
    ITEM,
    JOURNALS,
    LONGTEXT,
    REPORT,
    REPORT_CODE,
    REPORTS,
    TASK,
    TEXT,
    Builder,
    Values,
    _apply,
    _assign,
    field,
    write_template,
)
from support.projects import User

ADMIN: Final = User("admin", "admins-password")
CLERK: Final = User("clerk", "clerks-password")
#: plain Jam.py v5 cannot let her in: the password ends up in SQL
QUOTE: Final = User("quote", "it's-a-password")
OBRIEN: Final = User("o'brien", "obriens-password")

#: ids, as `/api` and `/upload` want them
CUSTOMERS_ID, ORDERS_ID, LINES_ID, REPORT_ID = 6, 7, 9, 10
FIELD_PHOTO, FIELD_DOC = 15, 16

CATALOGS, DETAILS = 2, 4
TABLE: Final = 12  #: a kind of item: rows that belong to those of another one

CUSTOMER_FIELDS: Final = (
    field("name", "Name", TEXT, f_size=100, f_required=True),
    field("email", "E-mail", TEXT, f_size=100),
    field("notes", "Notes", LONGTEXT),
    field("num", "Number", INTEGER),
    field("price", "Price", CURRENCY),
    field("dat", "Date", DATE),
    field("photo", "Photo", IMAGE),
    field("doc", "Document", FILE, f_file_accept=".txt,.html,.svg"),
)
CUSTOMERS: Final = (
    ("Ada Lovelace", "ada@example.com", "n1", 1, 10.5, date(2026, 1, 12)),
    ("Grace O'Brien", "grace@example.com", "it's n2", 2, 20, date(2026, 2, 3)),
    ("Łukasz Święty", "lukasz@example.com", "SELECT * FROM tea", 3, None, None),
)
CUSTOMERS_CODE: Final = """\
import time
from os.path import basename

def hello(item, who):
    return 'hello ' + who

def boom(item):
    return 1 / 0

def nope(item):
    item.abort('You may not do this')

def named(item, name):
    found = item.copy()
    found.set_where(name=name)
    found.open()
    return [one.name.value for one in found]
"""
TASK_CODE: Final = """\
def ping(task):
    return 'pong'

def on_ext_request(task, path, params):
    return [path, params]
"""


class V5Builder(Builder):
    """The builder of v5: an item shares the fields of its group, where v7 copies them."""

    def add_table(
        self, group: int, name: str, fields: Sequence[Values], kind: int = ITEM
    ) -> tuple[int, dict[str, int]]:
        """Add an item with a table; return its id, and the ids of its own fields by name."""
        shared = self.app.admin.item_by_name("sys_fields").copy()
        shared.set_where(owner_rec_id=group)
        shared.open()
        of_group = {one.f_field_name.value: one.id.value for one in shared}
        item = self._item("sys_items", open_empty=True)
        item.append()
        item.sys_fields.open()
        ids: dict[str, int] = {}
        for values in fields:
            ids[str(values["f_field_name"])] = number = self.call("get_fields_next_id")
            item.sys_fields.append()
            _assign(item.sys_fields, {**values, "id": number, "task_id": TASK})
            item.sys_fields.post()
        table, _ = self.call("get_new_table_name", name)
        _assign(
            item,
            {
                "parent": group,
                "task_id": TASK,
                "type_id": kind,
                "f_name": name.capitalize(),
                "f_item_name": name,
                "f_table_name": table,
                "f_visible": True,
                "f_soft_delete": True,
                "f_index": str(group),
                "f_primary_key": of_group["id"],
                "f_deleted_flag": of_group["deleted"],
                "f_master_id": of_group.get("master_id"),
                "f_master_rec_id": of_group.get("master_rec_id"),
            },
        )
        return _apply(item), ids

    def add_detail(self, name: str, fields: Sequence[Values], master: int) -> None:
        """Add a table of details and attach it to the item `master`."""
        table, _ = self.add_table(DETAILS, name, fields, TABLE)
        items = self.app.admin.item_by_name("sys_items")
        self.functions.server_update_details(items, master, [[table]])


def make(folder: Path) -> None:
    """Make the project in `folder`, an empty one."""
    os.chdir(folder)
    runpy.run_path(str(Path(sys.executable).parent / "jam-project.py"))
    builder = V5Builder(folder)
    builder.change("sys_params", f_language=1)
    builder.call("server_set_project_langage", 1)
    builder.call("server_set_task_name", "Demo", "demo5")
    builder.change(
        "sys_tasks", f_name="Demo", f_item_name="demo5", f_db_type=1, f_alias="demo5.sqlite"
    )
    builder.call("server_create_task")
    role = builder.add("sys_roles", f_name="clerk")  # first, so that it may do all that follows
    customers, ids = builder.add_table(CATALOGS, "customers", CUSTOMER_FIELDS)
    lookup = field("customer", "Customer", INTEGER, f_object=customers, f_object_field=ids["name"])
    dated = (field("order_date", "Date", DATE), field("total", "Total", CURRENCY))
    orders, _ = builder.add_table(JOURNALS, "orders", [lookup, *dated])
    builder.add_detail("lines", [field("what", "What", TEXT, f_size=100)], orders)
    write_template(folder / "reports" / "custlist.ods")
    report = builder.add(
        "sys_items",
        parent=REPORTS,
        task_id=TASK,
        type_id=REPORT,
        f_name="Customer list",
        f_item_name="custlist",
        f_view_template="custlist.ods",
        f_visible=True,
        f_index="3",
    )
    for item, code in ((customers, CUSTOMERS_CODE), (TASK, TASK_CODE), (report, REPORT_CODE)):
        builder.call("server_save_edit", item, code, True)
    builder.fill("customers", ("name", "email", "notes", "num", "price", "dat"), CUSTOMERS)
    builder.fill("orders", ("customer", "order_date", "total"), [(1, date(2026, 1, 12), 120.5)])
    builder.change("sys_users", f_login=ADMIN.login, f_password=ADMIN.password)
    for user in (CLERK, QUOTE, OBRIEN):
        builder.add(
            "sys_users",
            f_name=user.login,
            f_login=user.login,
            f_password=user.password,
            f_role=role,
        )
    builder.change("sys_params", f_safe_mode=True)
    builder.app.check_project_modified()


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # Jam.py prints what it does
        make(Path(sys.argv[1]).resolve())
