"""A shop: the demo's project with what a browser workout needs besides.

    folder = shop.make(demo_project, folder)

1,000 customers; `products` with every kind of field and a filter of every type; `countries`,
whose key is a text; `tags` for multi-select fields; orders with two kinds of details,
summed up, and with a history; a report with parameters; a role without any right.
The functions of the Application Builder make it all, as in `jamguard.jampy.demo`; only
rows are put into the database directly.
"""

import json
import shutil
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from jamguard.jampy.demo import (
    CATALOGS,
    CUSTOMERS_CODE,
    DATE,
    FILE,
    IMAGE,
    INTEGER,
    JOURNALS,
    LONGTEXT,
    REPORT,
    REPORTS,
    TASK,
    TEXT,
    Builder,
    field,
)
from support.inside import inside
from support.projects import ORDERS, User

GUEST: Final = User("guest", "the-guest's-Passwort")

FLOAT, DATETIME, BOOLEAN, KEYS = 3, 6, 7, 9
#: Jam.py's id of `sys_items`, which owns what belongs to an item
ITEMS: Final = 3

#: Jam.py's types of filters, from 1 on (`FILTER_EQ` to `FILTER_CONTAINS_ALL`)
FILTERS: Final = (
    *("eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"),
    *("range", "isnull", "exact", "contains", "startwith", "endwith", "contains_all"),
)
#: filters of the products: field, types; each is called `field_type`
PRODUCT_FILTERS: Final[Mapping[str, Sequence[str]]] = {
    "name": ("eq", "ne", "in", "exact", "contains", "startwith", "endwith", "contains_all"),
    "price": ("in", "lt", "le", "gt", "ge", "range"),
    "made": ("in", "range"),
    "added": ("ge",),
    "sold": ("eq",),
    "size": ("eq", "in"),
    "origin": ("eq", "in", "not_in"),
    "supplier": ("in", "not_in"),
    "notes": ("isnull", "contains"),
}
SIZES: Final = ((1, "Small"), (2, "Medium"), (3, "Large"))
COUNTRIES: Final = (("de", "Germany"), ("ie", "Ireland (O'Brien's)"), ("pl", "Polska"))
TAGS: Final = ("cheap", "new", "O'Tag", "red")
CUSTOMERS: Final = 1000
PRODUCTS: Final = 60

CUSTOMERS_CLIENT: Final = """\
function on_view_form_created(item) {
    item.table_options.sortable = true;
}
"""
ORDERS_CLIENT: Final = """\
function on_view_form_created(item) {
    item.table_options.summary_fields = ['total', 'customer'];
    item.table_options.multiselect = true;
}

function on_edit_form_created(item) {
    item.edit_options.edit_details = ['lines', 'payments'];
    item.read_only = false;
}
"""
CUSTOMERS_SERVER: Final = (
    CUSTOMERS_CODE
    + """\

def echo(item, *args):
    return [list(args), item.item_name]
"""
)
REPORT_SERVER: Final = """\
def on_generate(report):
    report.print_band('title')
    products = report.task.products.copy()
    products.open()
    for p in products:
        report.print_band('detail', {'name': p.name.value, 'email': p.price.value})
"""


def make(demo_project: Path, folder: Path) -> Path:
    """Make the shop out of a copy of the demo's project."""
    shutil.copytree(demo_project, folder)
    inside(folder, "from support.shop import build\nbuild()\nresult = None")
    return folder


def build(folder: Path = Path()) -> None:
    """Add to the project; Jam.py keeps globals, so in a process of its own."""
    builder = Builder(folder.resolve())
    sizes = builder.add("sys_lookup_lists", f_name="sizes", f_lookup_values_text=json.dumps(SIZES))
    countries, country = add_countries(builder, folder)
    tags, tag = builder.add_table(CATALOGS, "tags", [field("name", "Name", TEXT, f_size=40)])
    customer = ids_of(folder, "customers")
    products, product = builder.add_table(
        CATALOGS,
        "products",
        [
            field("name", "Name", TEXT, f_size=100, f_required=True),
            field("price", "Price", FLOAT),
            field("made", "Made", DATE),
            field("added", "Added", DATETIME),
            field("sold", "Sold", BOOLEAN, f_default_value="true"),
            field("size", "Size", INTEGER, f_lookup_values=sizes),
            lookup("origin", "Origin", countries, country["name"], kind=TEXT),
            lookup("supplier", "Supplier", customer.item, customer.fields["name"]),
            lookup("tags", "Tags", tags, tag["id"], kind=KEYS),  # Jam.py wants its key here
            field("notes", "Notes", LONGTEXT),
            field("photo", "Photo", IMAGE),
            field("doc", "Document", FILE, f_file_accept=""),
        ],
    )
    add_filters(builder, products, product)
    add_filters(builder, customer.item, customer.fields, {"name": ["contains"]})
    add_details(builder, folder, lookup("product", "Product", products, product["name"]))
    _, error = builder.call("create_system_item", "f_history_item")
    assert not error, error
    add_report(builder, tags, tag["id"])
    builder.call("server_save_edit", customer.item, CUSTOMERS_SERVER, True)
    builder.call("server_save_edit", customer.item, CUSTOMERS_CLIENT, False)
    builder.call("server_save_edit", ORDERS, ORDERS_CLIENT, False)
    guests = builder.add("sys_roles", f_name="guests")
    builder.add(
        "sys_users", f_name="Guest", f_login=GUEST.login, f_password=GUEST.password, f_role=guests
    )
    builder.app.check_project_modified()
    fill(folder)


def add_countries(builder: Builder, folder: Path) -> tuple[int, dict[str, int]]:
    """Add an item whose primary key is a text."""
    fields = [
        field("code", "Code", TEXT, f_size=2, f_required=True),
        field("name", "Name", TEXT, f_size=40),
    ]
    item, ids = builder.add_table(CATALOGS, "countries", fields)
    with admin(folder) as database:
        database.execute("UPDATE SYS_ITEMS SET F_PRIMARY_KEY = ? WHERE ID = ?", [ids["code"], item])
    return item, ids


def add_filters(
    builder: Builder,
    item: int,
    fields: Mapping[str, int],
    filters: Mapping[str, Sequence[str]] = PRODUCT_FILTERS,
) -> None:
    wanted = [(name, kind) for name, kinds in filters.items() for kind in kinds]
    for index, (name, kind) in enumerate(wanted):
        builder.add(
            "sys_filters",
            owner_id=ITEMS,
            owner_rec_id=item,
            task_id=TASK,
            f_index=str(index),
            f_field=fields[name],
            f_filter_name=f"{name}_{kind}",
            f_name=f"{name} {kind}",
            f_type=FILTERS.index(kind) + 1,
            f_visible=True,
        )


def add_details(builder: Builder, folder: Path, product: Mapping[str, object]) -> None:
    """Add details to the orders: lines by the master's ids, payments by a field of their own."""
    lines, line = builder.add_table(
        JOURNALS,
        "lines",
        [
            field("master_id", "Master", INTEGER),
            field("master_rec_id", "Record of the master", INTEGER),
            product,
            field("quantity", "Quantity", INTEGER),
        ],
    )
    order = ids_of(folder, "orders")
    payments, payment = builder.add_table(
        JOURNALS,
        "payments",
        [
            lookup("order_id", "Order", order.item, order.fields["order_date"]),
            field("paid_on", "Paid on", DATE),
            field("amount", "Amount", FLOAT),
        ],
    )
    with admin(folder) as database:
        database.execute(
            "UPDATE SYS_ITEMS SET F_MASTER_ID = ?, F_MASTER_REC_ID = ? WHERE ID = ?",
            [line["master_id"], line["master_rec_id"], lines],
        )
        database.execute("UPDATE SYS_ITEMS SET F_KEEP_HISTORY = 1 WHERE ID = ?", [order.item])
    items = builder.app.admin.sys_items
    wanted = [[lines, "lines", None], [payments, "payments", payment["order_id"]]]
    builder.functions.server_update_details(items, order.item, wanted)


def add_report(builder: Builder, tags: int, key: int) -> None:
    report = builder.add(
        "sys_items",
        parent=REPORTS,
        task_id=TASK,
        type_id=REPORT,
        f_name="Price list",
        f_item_name="pricelist",
        f_view_template="custlist.ods",
        f_visible=True,
        f_index="4",
    )
    parameters: Iterable[Mapping[str, object]] = (
        {"f_name": "Title", "f_param_name": "title", "f_data_type": TEXT, "f_size": 100},
        {"f_name": "Since", "f_param_name": "since", "f_data_type": DATE},
        {
            "f_name": "Tags",
            "f_param_name": "tags",
            "f_data_type": KEYS,
            "f_object": tags,
            "f_object_field": key,
            "f_multi_select": True,
        },
    )
    for index, values in enumerate(parameters):
        builder.add(
            "sys_report_params",
            owner_id=ITEMS,
            owner_rec_id=report,
            task_id=TASK,
            f_index=str(index),
            f_visible=True,
            f_alignment=1,
            **values,
        )
    builder.call("server_save_edit", report, REPORT_SERVER, True)


def fill(folder: Path) -> None:
    """Put rows into the tables."""
    with closing(sqlite3.connect(folder / "demo.sqlite")) as database, database:
        insert(database, "COUNTRIES", ("CODE", "NAME"), COUNTRIES)
        insert(database, "TAGS", ("NAME",), [(tag,) for tag in TAGS])
        insert(
            database,
            "CUSTOMERS",
            ("NAME", "EMAIL"),
            [(f"Customer {n:04}", f"c{n}@example.com") for n in range(4, CUSTOMERS + 1)],
        )
        names = ("NAME", "PRICE", "MADE", "ADDED", "SOLD", "SIZE", "ORIGIN", "SUPPLIER", "TAGS")
        insert(
            database,
            "PRODUCTS",
            (*names, "NOTES"),
            [
                (
                    f"Product {n:02} {'%_' if n == 9 else 'of steel'}",
                    n * 1.5,
                    f"2026-01-{n % 28 + 1:02}",
                    f"2026-02-{n % 28 + 1:02} 10:00:00",
                    n % 2,
                    n % 3 + 1,
                    COUNTRIES[n % 3][0],
                    n,
                    f"{n % 4 + 1};{(n + 1) % 4 + 1}",
                    None if n % 5 else f"Notes on {n}",
                )
                for n in range(1, PRODUCTS + 1)
            ],
        )


def insert(
    database: sqlite3.Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    marks = ", ".join("?" * len(names))
    database.executemany(
        f"INSERT INTO DEMO_{table} (DELETED, RECORD_VERSION, {', '.join(names)}) "
        f"VALUES (0, 0, {marks})",
        rows,
    )


@attrs.frozen
class Known:
    """An item of the project: its id, and those of its fields by name."""

    item: int
    fields: dict[str, int]


def ids_of(folder: Path, name: str) -> Known:
    with admin(folder) as database:
        ((item,),) = database.execute("SELECT ID FROM SYS_ITEMS WHERE F_ITEM_NAME = ?", [name])
        fields = database.execute(
            "SELECT F_FIELD_NAME, ID FROM SYS_FIELDS WHERE OWNER_REC_ID = ?", [item]
        )
        return Known(item, dict(fields.fetchall()))


def lookup(name: str, caption: str, item: int, shown: int, *, kind: int = INTEGER) -> Any:
    """Describe a field that holds the key, or several, of a record of another item."""
    return field(
        name,
        caption,
        kind,
        f_object=item,
        f_object_field=shown,
        f_multi_select=kind == KEYS,
        f_enable_typehead=True,
        f_size=2 if kind == TEXT else None,
    )


@contextmanager
def admin(folder: Path) -> Generator[sqlite3.Connection, None, None]:
    """Open the builder's database, and keep what was changed."""
    with closing(sqlite3.connect(folder / "admin.sqlite")) as database, database:
        yield database
