"""Items of a project without Jam.py: as much of them as the rules for calls look at."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jamguard.jampy.tree import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

INTEGER, FLOAT, DATE, BOOLEAN, LONGTEXT, FILE = 2, 3, 5, 7, 8, 10


class Field:
    """A field, by its name, its type, and whether it has a place in a record."""

    def __init__(self, ID: int, name: str, kind: int, **more: Any) -> None:  # noqa: N803 - Jam.py's name
        self.ID = ID
        self.field_name = name
        self.data_type = kind
        self.master_field: Any = None
        self.__dict__.update(more)


class Item:
    """An item with records: customers, with orders as its details."""

    item_name = "customers"
    virtual_table = False
    module_name = "demo.catalogs.customers"
    server_code = ""
    _primary_key = "id"
    _record_version = "record_version"

    def __init__(self, ID: int = 6, *details: "Item", **more: Any) -> None:  # noqa: N803 - as above
        self.ID = ID
        self.details = details
        self._fields = [
            Field(11, "id", INTEGER, calculated=None),
            Field(12, "name", TEXT, calculated=None),
            Field(13, "total", FLOAT, calculated=None),
            Field(14, "record_version", INTEGER, calculated=None),
            Field(15, "born", DATE, calculated=None),
            Field(16, "active", BOOLEAN, calculated=None),
            Field(17, "notes", LONGTEXT, calculated=None),
            Field(18, "doc", FILE, calculated=None),
            Field(19, "town", TEXT, master_field=object(), calculated=None),
            Field(20, "orders_total", FLOAT, calculated={"calc_item": 7}),
        ]
        self._events: list[tuple[str, Callable[..., Any]]] = []
        self.__dict__.update(more)

    @property
    def fields(self) -> list[Field]:
        return self._fields

    def select_records(self) -> str:
        return "an attribute of Jam.py's own class"

    @property
    def session(self) -> None:
        raise AssertionError("properties of Jam.py's are not asked for")


def columns() -> list[str]:
    """The names of those fields that have a place in a record."""
    return ["id", "name", "total", "record_version", "born", "active", "notes", "doc"]


def text_item(*details: Item, **more: Any) -> Item:
    """An item whose primary key is a text."""
    return Item(6, *details, _primary_key="name", **more)


def report(*names: str) -> Any:
    """A report with parameters of these names."""
    return SimpleNamespace(item_name="custlist", params=names, print_report=print)


class Task(Item):
    """The task of a project, with items."""

    item_name = "demo"

    def __init__(self, ID: int = 1, *items: Any, **more: Any) -> None:  # noqa: N803 - Jam.py's name
        super().__init__(ID)
        del self._fields
        self.items = items
        self.db_type = 1
        self.__dict__.update(more)

    def item_by_ID(self, number: int) -> Any:  # noqa: N802 - Jam.py's name
        return next((item for item in (self, *self.items) if number == item.ID), None)


class App:
    """Jam.py's `App`, with a project that is loaded when it is asked for."""

    def __init__(self, task: Task | None, admin: Task | None = None) -> None:
        self.loaded = task
        self.admin = admin or Task(0)
        self.checked = 0

    @property
    def task(self) -> Task:
        if self.loaded is None:
            raise RuntimeError("no project yet")
        return self.loaded

    def check_build(self) -> None:
        self.checked += 1
