"""Which server functions may be called."""

import functools
import json
import re
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from support.inside import inside
from support.items import Item

from jamguard.jampy.functions import EVENTS, Imported, NotAService, OfJamPy, check_server
from jamguard.jampy.rules import Breach, Unknown

CODE = dedent(
    """
    import functools
    from json import dumps
    from copy import copy as duplicate

    def hello(item, who):
        return 'hello ' + who

    async def later(item):
        pass

    shout = lambda item: 'HEY'

    def _private(item):
        pass

    def on_apply(item, delta, params, connection):
        pass

    def on_button(item):
        pass

    def logged(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args)
        return inner

    @logged
    def decorated(item):
        pass

    @from_elsewhere
    def opaque(item):
        pass

    wrapped = from_elsewhere(dumps)
    again = logged(dumps)

    class Thing:
        def inside(self):
            pass

    def outer(item):
        def hidden():
            pass

    if True:
        @from_elsewhere
        def conditional(item):
            pass
    else:
        def otherwise(item):
            pass

    try:
        @from_elsewhere
        def tried(item):
            pass
    except ValueError:
        pass
    else:
        @from_elsewhere
        def tried_else(item):
            pass
    finally:
        @from_elsewhere
        def tried_finally(item):
            pass

    try:
        raise ValueError
    except ValueError:
        @from_elsewhere
        def handled(item):
            pass

    with open(__import__('os').devnull):
        @from_elsewhere
        def opened(item):
            pass

    match 1:
        case 1:
            @from_elsewhere
            def matched(item):
                pass

    borrowed = dumps
    partial = functools.partial(hello, who='you')
    cached = functools.lru_cache(hello)
    builtin = len
    """
)


def from_elsewhere(function: Any) -> Any:
    """A decorator in another module, which does not say what it wraps."""

    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


def compiled(code: str = CODE) -> Item:
    """An item as Jam.py's `compile_item` leaves it."""
    item = Item(server_code=code, language=None)
    module = ModuleType(item.module_name)
    module.__dict__["from_elsewhere"] = from_elsewhere
    exec(compile(code, item.module_name, "exec"), module.__dict__)
    functions = {
        name: value for name, value in vars(module).items() if isinstance(value, type(compiled))
    }
    item._events = sorted(functions.items())
    vars(item).update(functions)
    return item


def answer(item: Item, name: str, *exposed: str) -> type[Breach] | None:
    try:
        check_server(item, [name, []], exposed)
    except Breach as breach:
        return type(breach)
    return None


@pytest.mark.parametrize(
    "name",
    [
        "hello",
        "later",
        "shout",
        "on_button",
        "logged",
        "decorated",
        "opaque",
        "conditional",
        "tried",
        "tried_else",
        "tried_finally",
        "handled",
        "opened",
        "matched",
        "outer",
    ],
)
def test_what_a_server_module_defines_may_be_called(name: str) -> None:
    assert answer(compiled(), name) is None


@pytest.mark.parametrize("name", ["dumps", "duplicate", "borrowed", "wrapped", "again"])
def test_what_it_imports_may_be_called_when_the_settings_say_so(name: str) -> None:
    assert answer(compiled(), name) is Imported
    assert answer(compiled(), name, f"customers.{name}") is None
    assert answer(compiled(), name, name, f"orders.{name}") is Imported


def test_the_log_says_which_setting_would_expose_a_function() -> None:
    with pytest.raises(Imported, match=r'^\[tool.jamguard.api\] exposed = \["customers.dumps"\]$'):
        check_server(compiled(), ["dumps", []], ())


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("_private", NotAService),
        ("__init__", OfJamPy),
        ("__class__", OfJamPy),
        ("_anything", NotAService),
        ("on_apply", NotAService),
        ("on_login", NotAService),
        ("on_ext_request", NotAService),
        ("select_records", OfJamPy),
        ("session", OfJamPy),
        ("details", NotAService),
        ("ID", NotAService),
        ("item_name", OfJamPy),
        ("_events", NotAService),
        ("language", NotAService),
        ("partial", NotAService),
    ],
)
def test_what_is_jam_pys_own_or_an_events_is_never_called(
    name: str, refusal: type[NotAService]
) -> None:
    item = compiled()
    vars(item)["partial"] = functools.partial(print)
    assert answer(item, name) is refusal
    assert answer(item, name, f"customers.{name}") is refusal


@pytest.mark.parametrize(
    "name",
    ["gone", "Hello", "hello ", "", "inside", "hidden", "otherwise", "Thing", "cached", "builtin"],
)
def test_what_there_is_not_may_be_of_another_day(name: str) -> None:
    assert answer(compiled(), name) is Unknown


def test_a_function_that_was_registered_may_be_called() -> None:
    item = compiled()
    vars(item)["registered"] = json.dumps  # as `item.register(function)` does
    assert answer(item, "registered") is None
    vars(item)["hello"] = json.dumps
    assert answer(item, "hello") is None


def test_a_module_without_code_has_no_functions() -> None:
    item = compiled("")
    assert answer(item, "hello") is Unknown


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        "hello",
        [],
        ["hello"],
        ["hello", [], 1],
        ["hello", None],
        ["hello", {}],
        ["hello", "you"],
        [["hello"], []],
        [None, []],
        [{"a": 1}, []],
        {"0": "hello", "1": []},
    ],
)
def test_a_call_names_a_function_and_its_arguments(params: Any) -> None:
    with pytest.raises(Breach) as caught:
        check_server(compiled(), params, ())
    assert caught.type is Breach


def test_arguments_may_be_anything() -> None:
    check_server(compiled(), ["hello", [{"a": [1, [2, {"b": "1 or 1=1"}]]}, None]], ())


def test_all_events_that_jam_py_knows_are_known() -> None:
    found = find_spec("jam")
    assert found
    assert found.origin
    names = set[str]()
    for file in ("tree.py", "items.py", "dataset.py", "wsgi.py", "report.py", "db/db.py"):
        source = Path(found.origin).parent.joinpath(file).read_text("utf-8")
        names |= set(re.findall(r"(?:self|task|item|report|owner|delta)\.(on_\w+)", source))
    #: methods of `App`, and a flag
    names -= {"on_api", "on_upload", "on_builder", "on_ext", "on_index", "on_jam_file"}
    names -= {"on_project_file", "on_field_get_text_called"}
    assert names <= EVENTS
    assert len(names) > 15


def test_the_builder_has_the_functions_that_it_registers(demo_project: Path) -> None:
    code = """
        from types import FunctionType
        from jamguard.jampy.functions import check_server
        from jamguard.jampy.rules import Breach

        app = create_application("wsgi.py", testing=True)
        allowed, refused = {}, {}

        def look(item):
            for name in sorted({*vars(item), *dir(type(item))}):
                try:
                    check_server(item, [name, []], ())
                except Breach:
                    refused.setdefault(item.item_name, []).append(name)
                else:
                    allowed.setdefault(item.item_name, []).append(name)

        for task in (app.admin, app.task):
            task.all(look)
        result = [allowed, {name: len(names) for name, names in refused.items()}]
    """
    allowed, refused = inside(demo_project, code)
    counts = {name: len(names) for name, names in allowed.items()}
    assert counts == {
        "admin": 40,
        "sys_items": 5,
        "sys_langs": 8,
        "sys_indices": 2,
        "sys_fields": 1,
        "sys_roles": 1,
        "demo": 1,
        "customers": 4,
    }
    assert allowed["customers"] == ["boom", "hello", "nope", "slow"]
    assert allowed["demo"] == ["ping"]
    assert "server_save_edit" in allowed["admin"]
    assert "upload_file" not in allowed["admin"]
    assert refused["demo"] > 100
