"""The project's own code: server modules, which lie in the database, and its files.

Every function of a server module is called by whoever knows its name. That is what Jam.py
makes them for, so it is no fault: it is what has to be looked at first.
"""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from ..guards.api import Api
from ..jampy.functions import is_private
from .admin import DATABASE, name_of, text
from .disk import is_environment, read
from .findings import Finding, Place
from .source import functions, is_function, literal, parse, statements
from .sql import find_built
from .target import Target

#: folders that hold no code of the project
SKIPPED: Final = frozenset({"static", "node_modules", "__pycache__", "site-packages"})
#: files that are read, so that a folder which is no project ends
MOST_FILES: Final = 500

#: what makes code out of data
EVALUATES: Final = frozenset(
    {
        *("eval", "exec", "pickle.loads", "pickle.load", "marshal.loads", "marshal.load"),
        *("yaml.unsafe_load", "dill.loads", "dill.load"),
    }
)
#: what starts another program
STARTS: Final = frozenset(
    {
        *("os.system", "os.popen", "os.execv", "os.execl", "os.execvp", "os.execlp"),
        *("os.spawnv", "os.spawnl", "os.spawnvp", "os.spawnlp", "os.startfile"),
        *("subprocess.run", "subprocess.call", "subprocess.Popen", "subprocess.check_call"),
        *("subprocess.check_output", "subprocess.getoutput", "subprocess.getstatusoutput"),
    }
)


@attrs.frozen
class Module:
    """One piece of code: a server module of an item, or a file."""

    where: Place
    tree: ast.Module
    #: the item whose server module this is
    item: str = ""

    def at(self, node: ast.stmt | ast.expr) -> Place:
        """Return the place of a part of the code."""
        return attrs.evolve(self.where, line=node.lineno)


def check(target: Target) -> Iterator[Finding]:
    """Look at all code of the project."""
    for row in target.admin.items.values() if target.admin else ():
        source, name = text(row, "F_SERVER_MODULE"), name_of(row)
        where = Place(DATABASE, part=f"server module of {name}")
        tree = parse(source)
        if tree is None:
            yield Finding("JC307", where)
            continue
        module = Module(where, tree, name)
        yield from _services(module)
        yield from _imported(module, target)
        yield from _read(module)
    for path in python_files(target.folder):
        tree = parse(read(path))
        where = Place.of(path, target.folder)
        if tree is None:
            yield Finding("JC307", where)
        else:
            yield from _read(Module(where, tree))


def python_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files of a project, but not what is installed there."""
    found = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED
            and not name.startswith(".")
            and not is_environment(Path(place, name))
        )
        for name in sorted(names):
            if name.endswith(".py"):
                found += 1
                if found > MOST_FILES:
                    return
                yield Path(place, name)


def _services(module: Module) -> Iterator[Finding]:
    for function in functions(module.tree):
        if function.name == "on_ext_request":
            yield Finding("JC306", module.at(function))
        if not is_private(function.name):
            yield Finding("JC301", module.at(function), f"{module.item}.{function.name}")


def _imported(module: Module, target: Target) -> Iterator[Finding]:
    """Find functions from elsewhere: Jam.py lets them be called like those defined here."""
    exposed = target.guard(Api).exposed
    for statement in statements(module.tree.body, inside=False):
        if not isinstance(statement, ast.ImportFrom) or statement.level:
            continue
        for alias in statement.names:
            title = f"{module.item}.{alias.asname or alias.name}"
            if target.guarded("api") and title not in exposed:
                continue
            if is_function(statement.module or "", alias.name, target.folder):
                yield Finding("JC302", module.at(statement), title)


def _read(module: Module) -> list[Finding]:
    try:
        return list(_dangers(module))
    except RecursionError:  # an expression of thousands of parts
        return [Finding("JC307", module.where, "it is nested too deeply")]


def _dangers(module: Module) -> Iterator[Finding]:
    names = _names(module.tree)
    outer: dict[ast.AST, str] = {}
    for function in functions(module.tree):
        outer.update(dict.fromkeys(ast.walk(function), function.name))

    def found(number: str, call: ast.Call) -> Finding:
        inside = outer.get(call, "")
        detail = f"in {inside}()" if inside else ""
        if module.item and inside and not is_private(inside):
            detail += ", which every user may call"
        return Finding(number, module.at(call), detail)

    for call in find_built(module.tree):
        yield found("JC303", call)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and not _is_written(node):
            name = _called(node.func, names)
            if name in EVALUATES or (name == "yaml.load" and not _loads_safely(node)):
                yield found("JC304", node)
            elif name in STARTS:
                yield found("JC305", node)


def _names(tree: ast.Module) -> dict[str, str]:
    """Return what names of the module stand for: `sp` for `subprocess`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = "a function of the project"
    return names


def _called(function: ast.expr, names: dict[str, str]) -> str:
    match function:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{names.get(module, module)}.{name}"
        case _:
            return ""


def _is_written(call: ast.Call) -> bool:
    """Say whether what a call is given stands there, so that no user can change it."""
    given = call.args or [keyword.value for keyword in call.keywords]
    try:
        literal(given[0])  # how it is run comes after what is run
    except (ValueError, IndexError):
        return False
    return True


def _loads_safely(call: ast.Call) -> bool:
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    return any("Safe" in ast.unparse(value) for value in given)
