"""Python source of a project: parsed, never run and never imported."""

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Final

from .disk import read

#: modules on the way to where a function is defined
DEEPEST: Final = 5


def parse(source: str | bytes) -> ast.Module | None:
    """Return the tree of a module, or None when it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d": the project's business
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def literal(node: ast.expr) -> object:
    """Return the value that is written there. Raises `ValueError` where it has to be worked out."""
    try:
        return ast.literal_eval(node)
    except (TypeError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from error


def statements(body: list[ast.stmt], *, inside: bool) -> Iterator[ast.stmt]:
    """Yield statements in the order in which they stand, those in functions if `inside`."""
    for statement in body:
        yield statement
        if inside or not isinstance(
            statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            for name in ("body", "orelse", "finalbody"):
                yield from statements(getattr(statement, name, []), inside=inside)
            for name in ("handlers", "cases"):
                for part in getattr(statement, name, []):
                    yield from statements(part.body, inside=inside)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions that are there once the module was run."""
    for statement in statements(tree.body, inside=False):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement


def is_function(module: str, name: str, folder: Path, depth: int = 0) -> bool:
    """Say whether `from module import name` is known to give a Python function."""
    found = _find(module, folder) if depth < DEEPEST else None
    tree = _tree(found.origin) if found else None
    if found is None or tree is None:
        return False
    if any(function.name == name for function in functions(tree)):
        return True
    for statement in statements(tree.body, inside=False):
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) in (name, "*"):
                    wanted = name if alias.name == "*" else alias.name
                    if is_function(absolute(statement, found), wanted, folder, depth + 1):
                        return True
    return False


def absolute(statement: ast.ImportFrom, module: ModuleSpec) -> str:
    """Return the full name of what a module imports from, maybe relatively."""
    if not statement.level:
        return statement.module or ""
    inside = module.name if module.submodule_search_locations else module.name.rpartition(".")[0]
    for _ in range(statement.level - 1):
        inside = inside.rpartition(".")[0]
    return ".".join(filter(None, (inside, statement.module)))


def _find(module: str, folder: Path) -> ModuleSpec | None:
    """Find a module's file; `importlib.util.find_spec` would import the packages around it."""
    if module == "os.path":
        module = os.path.__name__
    path: list[str] | None = [str(folder), *sys.path]
    found: ModuleSpec | None = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        if path is None:
            return None
        found = PathFinder.find_spec(".".join(parts[:end]), path)
        inner = found.submodule_search_locations if found else None
        path = list(inner) if inner is not None else None
    return found


@lru_cache(maxsize=256)
def _tree(origin: str | None) -> ast.Module | None:
    return parse(read(Path(origin))) if origin and origin.endswith(".py") else None
