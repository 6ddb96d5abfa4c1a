"""Make a small but real Jam.py v7 project, as a person would with the Application Builder.

The builder's own Python functions do the work. Jam.py changes the current directory and
keeps globals, so they run in a process of their own, `python -m jamguard.jampy.demo FOLDER`.
It reads the passwords from standard input: a command line is visible to all users.

Written for jam.py-v7 7.0.120. Ids are what Jam.py gives: customers 6, orders 7, custlist 8.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import date
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "jam.py-v7"
ADMIN: Final = "admin"  #: the administrator's login, as Jam.py ships it
CLERK: Final = "clerk"  #: the login of a user who is not an administrator

#: Jam.py's names for kinds of fields and of items (`jam/common.py`)
TEXT, INTEGER, CURRENCY, DATE, LONGTEXT, FILE, IMAGE = 1, 2, 4, 5, 8, 10, 11
ITEM, REPORT = 10, 13
#: what every new project has in its tree
TASK, CATALOGS, JOURNALS, REPORTS = 1, 2, 3, 5

Values = Mapping[str, object]


def field(name: str, caption: str, kind: int, **more: object) -> Values:
    """Describe a field as the builder's form does; SQLite has its name in capitals."""
    return {
        "f_field_name": name,
        "f_db_field_name": name.upper(),
        "f_name": caption,
        "f_data_type": kind,
        "f_alignment": 1,
        "f_file_download_btn": True,
        "f_file_open_btn": True,
        **more,
    }


CUSTOMER_FIELDS: Final = (
    field("name", "Name", TEXT, f_size=100, f_required=True),
    field("email", "E-mail", TEXT, f_size=100),
    field("notes", "Notes", LONGTEXT),
    field("photo", "Photo", IMAGE),
    field("doc", "Document", FILE, f_file_accept=""),
)
ORDER_FIELDS: Final = (field("order_date", "Date", DATE), field("total", "Total", CURRENCY))
#: what every item has and takes over from its group
COMMON_FIELDS: Final = (
    "f_field_name",
    "f_db_field_name",
    "f_name",
    "f_data_type",
    "f_default_value",
)

CUSTOMERS_CODE: Final = """\
import time

def hello(item, who):
    return 'hello ' + who

def slow(item, seconds):
    time.sleep(seconds)
    return seconds

def boom(item):
    return 1 / 0

def nope(item):
    item.abort('You may not do this')
"""
TASK_CODE: Final = """\
def ping(task):
    return 'pong'
"""
REPORT_CODE: Final = """\
def on_generate(report):
    report.print_band('title')
    customers = report.task.customers.copy()
    customers.open()
    for c in customers:
        report.print_band('detail', {'name': c.name.value, 'email': c.email.value})
"""
CUSTOMERS: Final = (
    ("Ada Lovelace", "ada@example.com", "Likes <engines>; O'Brien's \"best\" customer -- pays"),
    ("Grace Hopper", "grace@example.com", "Wants her bugs returned"),
    ("Łukasz Święty", "lukasz@example.com", "SELECT * FROM tea WHERE sugar = 0"),
)
#: customer, date, total
ORDERS: Final = (
    (1, date(2026, 1, 12), 120.5),
    (1, date(2026, 2, 3), 80),
    (2, date(2026, 2, 17), 1999.99),
    (3, date(2026, 3, 30), 42),
)

#: a report's template: a spreadsheet whose first column names the band of each row
SPREADSHEET: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<office:document-content office:version="1.2" \
xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" \
xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" \
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">\
<office:body><office:spreadsheet><table:table table:name="Customers">\
<table:table-column/><table:table-column/><table:table-column/>{rows}\
</table:table></office:spreadsheet></office:body></office:document-content>"""
CELL: Final = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
BANDS: Final = (("title", "Customers", ""), ("detail", "%(name)s", "%(email)s"))
MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"


class DemoError(Exception):
    """The project could not be made; the message says why, for the operator."""


def make_project(
    folder: Path,
    *,
    admin_password: str,
    clerk_password: str,
    safe_mode: bool = True,
    progress: Callable[[str], None],
) -> None:
    """Make the project in `folder`, an empty one, and tell `progress` about each step.

    Raises `DemoError` when Jam.py is not installed or fails.
    """
    find_project_script()
    given = {"admin": admin_password, "clerk": clerk_password, "safe_mode": safe_mode}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with subprocess.Popen(  # noqa: S603 - this interpreter, this module
            [sys.executable, "-m", "jamguard.jampy.demo", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        ) as maker:
            try:
                print(json.dumps(given), file=maker.stdin, flush=True)
                for line in maker.stdout or ():
                    progress(line.rstrip())
            except BaseException:  # Ctrl-C: nothing may go on writing into the folder
                maker.kill()
                raise
        if maker.returncode:
            errors.seek(0)
            raise DemoError(f"Jam.py could not make the project:\n{errors.read().strip()}")


def find_project_script() -> Path:
    """Return the path of `jam-project.py`, with which Jam.py starts a project.

    Raises `DemoError` when Jam.py v7 is not installed.
    """
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "jam-project.py":
            return Path(str(file.locate()))
    raise DemoError('Jam.py v7 is not installed; the demo needs it: pip install "jamguard[demo]"')


# --- in the process of its own ------------------------------------------------------------


def main() -> None:
    """Make the project in the folder that the command line names, telling each step."""
    folder = Path(sys.argv[1]).resolve()
    given = json.loads(sys.stdin.readline())
    output = sys.stdout
    with redirect_stdout(sys.stderr):  # Jam.py prints what it does
        for step in build(folder, given["admin"], given["clerk"], given["safe_mode"]):
            print(step, file=output, flush=True)


def build(folder: Path, admin_password: str, clerk_password: str, safe_mode: bool) -> Iterator[str]:
    """Make the project, yielding what is done next, in words."""
    yield "laying out a new Jam.py project"
    os.chdir(folder)
    runpy.run_path(str(find_project_script()))
    builder = Builder(folder)
    (folder / "server.py").chmod(0o755)  # Jam.py lets everybody write to these two
    (folder / "langs.sqlite").chmod(0o644)

    yield "choosing the language and the database"
    builder.change("sys_params", f_language=1)
    builder.call("server_set_project_langage", 1)
    builder.call("server_set_task_name", "Demo", "demo")
    builder.change(
        "sys_tasks", f_name="Demo", f_item_name="demo", f_db_type=1, f_alias="demo.sqlite"
    )
    builder.call("server_create_task")

    yield "adding customers, orders and a report"
    role = builder.add("sys_roles", f_name="clerk")  # first, so that it may do all that follows
    customers, ids = builder.add_table(CATALOGS, "customers", CUSTOMER_FIELDS)
    customer = field(
        "customer", "Customer", INTEGER, f_object=customers, f_object_field=ids["name"]
    )
    builder.add_table(JOURNALS, "orders", [customer, *ORDER_FIELDS])
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

    yield "adding sample rows"
    builder.fill("customers", ("name", "email", "notes"), CUSTOMERS)
    builder.fill("orders", ("customer", "order_date", "total"), ORDERS)

    yield "setting passwords and safe mode"
    builder.change("sys_users", f_login=ADMIN, f_password=admin_password)
    builder.add("sys_users", f_name="Clerk", f_login=CLERK, f_password=clerk_password, f_role=role)
    builder.change("sys_params", f_safe_mode=safe_mode)
    builder.app.check_project_modified()  # so that the first page need not load it all again


class Builder:
    """The Application Builder of the project in `folder`, at a developer's hand."""

    def __init__(self, folder: Path) -> None:
        import_module("jam.wsgi").create_application(str(folder))
        context: Any = import_module("jam").context
        context.environ, context.session = {}, None  # nobody asks, so nothing is restricted
        self.app: Any = import_module("jam.common").consts.app
        self.functions: Any = import_module("jam.admin.builder")

    def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401 - Jam.py has no types
        """Call a function that the builder's pages call by this name."""
        return getattr(self.functions, function)(self.app.admin, *arguments)

    def add(self, item_name: str, **values: object) -> int:
        """Add a record to one of the builder's items and return its id."""
        item = self._item(item_name, open_empty=True)
        item.append()
        _assign(item, values)
        return _apply(item)

    def change(self, item_name: str, **values: object) -> None:
        """Change the first record of one of the builder's items."""
        item = self._item(item_name)
        item.edit()
        _assign(item, values)
        _apply(item)

    def add_table(
        self, group: int, name: str, fields: Sequence[Values]
    ) -> tuple[int, dict[str, int]]:
        """Add an item with a table; return its id, and the ids of its fields by name."""
        common = self._item("sys_fields")
        common.set_where(owner_rec_id=group)
        common.open()
        copied = [{key: one.field_by_name(key).data for key in COMMON_FIELDS} for one in common]
        item = self._item("sys_items", open_empty=True)
        item.append()
        item.sys_fields.open()
        ids: dict[str, int] = {}
        for values in [*copied, *fields]:
            number = self.call("get_fields_next_id")
            item.sys_fields.append()
            _assign(item.sys_fields, {**values, "id": number, "task_id": TASK})
            item.sys_fields.post()
            ids[str(values["f_field_name"])] = number
        table, _ = self.call("get_new_table_name", name)
        _assign(
            item,
            {
                "parent": group,
                "task_id": TASK,
                "type_id": ITEM,
                "f_name": name.capitalize(),
                "f_item_name": name,
                "f_table_name": table,
                "f_visible": True,
                "f_soft_delete": True,
                "f_index": str(group),
                "f_primary_key": ids["id"],
                "f_deleted_flag": ids["deleted"],
                "f_record_version": ids["record_version"],
            },
        )
        return _apply(item), ids

    def fill(self, item_name: str, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add rows to an item of the project."""
        self.app.check_project_modified()
        item = self.app.task.item_by_name(item_name).copy()
        item.open(open_empty=True)
        for row in rows:
            item.append()
            _assign(item, dict(zip(names, row, strict=True)))
            item.post()
        item.apply()

    def _item(self, name: str, **how: object) -> Any:  # noqa: ANN401 - Jam.py has no types
        original = self.app.admin.item_by_name(name)
        item = original.copy()
        item.on_apply = original.on_apply  # what makes tables; a copy leaves it behind
        item.open(**how)
        return item


def _assign(item: Any, values: Values) -> None:  # noqa: ANN401 - Jam.py has no types
    for name, value in values.items():
        if value is not None:
            item.field_by_name(name).value = value


def _apply(item: Any) -> int:  # noqa: ANN401 - Jam.py has no types
    item.post()
    item.apply(params={"manual_update": False})
    return int(item.id.value)


def write_template(path: Path) -> None:
    """Write the report's template, an OpenDocument spreadsheet."""
    rows = "".join(
        f"<table:table-row>{''.join(CELL.format(text) for text in band)}</table:table-row>"
        for band in BANDS
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", MEDIA_TYPE)
        archive.writestr("content.xml", SPREADSHEET.format(rows=rows))


if __name__ == "__main__":
    main()
