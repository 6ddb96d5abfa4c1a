"""Which server functions of a project a call may name.

Jam.py calls whatever attribute of an item a call names, and an item has hundreds: its own
methods, which run SQL and unmake it, handlers of events, functions that a server module
imports. What a project means to be called is what its server modules define.
"""

import ast
import inspect
from collections.abc import Container, Iterator
from functools import lru_cache
from types import FunctionType
from typing import Any, Final

from .rules import Breach, Unknown, is_list

# Jam.py's objects have no types
# ruff: noqa: ANN401

#: functions that Jam.py itself calls when something happens (v7 and v5)
EVENTS: Final = frozenset(
    {
        "on_after_apply_record",
        "on_after_generate",
        "on_after_open",
        "on_after_request",
        "on_apply",
        "on_before_apply_record",
        "on_before_generate",
        "on_before_open",
        "on_before_request",
        "on_before_save_report",
        "on_convert",
        "on_convert_report",
        "on_count",
        "on_created",
        "on_ext_request",
        "on_field_get_text",
        "on_filter_changed",
        "on_generate",
        "on_login",
        "on_logout",
        "on_open",
        "on_parsed",
        "on_request",
        "on_state_changed",
        "on_upload",
    }
)


class NotAService(Breach):
    """A function that no client may call: one of Jam.py's own, of an event, a private one."""

    reason = "function-not-exposed"


class OfJamPy(NotAService):
    """One of Jam.py's own methods: no project's script has a use for it."""

    probe = True


class Imported(Unknown):
    """A function that a server module has from elsewhere: the project may mean it, or not."""

    reason = "function-imported"


def check_server(item: Any, params: Any, exposed: Container[str]) -> None:
    """Check what `server` gets: a function's name, and arguments that are its own business.

    `exposed` has the functions, as `item.function`, that are services although they are
    only imported. Raises `Breach`.
    """
    if not is_list(params, 2) or type(params[0]) is not str or not is_list(params[1]):
        raise Breach("server")
    name = params[0]
    title = f"{item.item_name}.{name}"
    function = item.__dict__.get(name)
    theirs = hasattr(item.__class__, name)
    if is_private(name):
        raise (OfJamPy if theirs else NotAService)(title)
    if not isinstance(function, FunctionType):
        # nothing of that name: the page may be older than the project, or newer
        if theirs:
            raise OfJamPy(title)
        raise NotAService(title) if name in item.__dict__ else Unknown(title)
    if title not in exposed and not _is_defined(item, name, function):
        raise Imported(f'[tool.jamguard.api] exposed = ["{title}"]')


def is_private(name: str) -> bool:
    """Say whether a function is, by its name, for the server alone."""
    return name.startswith("_") or name in EVENTS


def _is_defined(item: Any, name: str, function: FunctionType) -> bool:
    """Say whether the item's server module defines a function of the item, or registers it.

    `compile_item` makes all functions of the module attributes of the item, and notes them
    in `_events`: those that it defines, and those that it imports.
    """
    if dict(item._events).get(name) is not function:  # noqa: SLF001 - Jam.py's own list
        return True  # by `item.register(function)`, as the builder's own come to be
    source = inspect.unwrap(function)
    module = item.module_name
    if source.__module__ == module and source.__globals__.get("__name__") == module:
        return True
    # a decorator from elsewhere, which does not say what it wraps
    return name in _defined_in(item.server_code)


@lru_cache(maxsize=64)
def _defined_in(code: str) -> frozenset[str]:
    return frozenset(_definitions(ast.parse(code).body))


def _definitions(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names of functions that are defined when these statements run."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement.name
        elif not isinstance(statement, ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _definitions(getattr(statement, name, []))
            for name in ("handlers", "cases"):
                for part in getattr(statement, name, []):
                    yield from _definitions(part.body)
