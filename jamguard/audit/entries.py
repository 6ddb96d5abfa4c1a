"""The files that make the application, and whether what they serve is hardened.

They are parsed and never run. Only what can be seen to be bare is called so: what a function
of the project returns, or another module, may be anything.
"""

import ast
from collections.abc import Container
from pathlib import Path
from typing import Final

import attrs

from .disk import listed, read
from .source import parse, statements
from .starts import loaded_names

#: the names that servers look for, in this order
SERVED: Final = ("application", "app")
#: what starts the development server: Jam.py's own function, Werkzeug's
RUN: Final = frozenset({"run", "run_simple"})


@attrs.define
class Entry:
    """One file that calls Jam.py's `create_application`."""

    path: Path
    made: int  #: the line that makes the application
    #: the line that hardens, and the name that it gives to the hardened application
    hardens: int | None = None
    hardened: str = ""
    #: the bare application that is served, `""` when there is none
    bare: str = ""
    #: whether it is served by the file itself, with Werkzeug's development server
    runs: bool = False
    #: the second argument of `harden()`
    config: ast.expr | None = None

    @property
    def misplaced(self) -> bool:
        """Whether something is hardened, but not what is served."""
        return bool(self.bare) and self.hardens is not None


def read_entries(folder: Path) -> list[Entry]:
    """Return the files in `folder` that make the application."""
    names = loaded_names(folder)
    paths = [path for path in listed(folder) if path.suffix == ".py"]
    return [entry for path in paths if (entry := read_entry(path, names.get(path.stem, "")))]


def read_entry(path: Path, loaded: str = "") -> Entry | None:
    """Read a file, of which a server loads what is called `loaded`.

    None where it does not make the application, or cannot be read.
    """
    tree = parse(read(path))
    if tree is None:
        return None
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    made = [call.lineno for call in calls if _calls(call, {"create_application"})]
    if not made:
        return None
    reader = _Reader(Entry(path, min(made)))
    for statement in statements(tree.body, inside=True):
        reader.take(statement)
    return reader.done((loaded, *SERVED))


class _Reader:
    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._harden = {"harden"}
        #: names of applications, and whether each is hardened
        self._names: dict[str, bool] = {}

    def take(self, statement: ast.stmt) -> None:
        match statement:
            case ast.ImportFrom(module="jamguard"):
                self._harden |= {alias.asname or alias.name for alias in statement.names}
            case ast.Assign(value=value):
                for target in statement.targets:
                    self._assign(target, value)
            case ast.AnnAssign(value=ast.expr() as value, target=target):
                self._assign(target, value)
            case ast.Expr(value=ast.Call(args=[served, *_]) as call) if _calls(call, RUN):
                self._run(served)
            case ast.Return(value=ast.expr() as value):
                self._is_hardened(value)
            case _:
                pass

    def done(self, served: tuple[str, ...]) -> Entry:
        entry = self._entry
        if not entry.runs:
            name = next((name for name in served if name in self._names), "")
            if name and not self._names[name]:
                entry.bare = name
            elif not name and entry.hardens is None:
                entry.bare = SERVED[0]
        return entry

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        hardened = self._is_hardened(value)
        if hardened is None:
            return
        while isinstance(target, ast.Attribute):  # application.wsgi_app = harden(...)
            target = target.value
        if isinstance(target, ast.Name):
            self._names[target.id] = hardened
            if hardened:
                self._entry.hardened = target.id

    def _run(self, served: ast.expr) -> None:
        hardened = self._is_hardened(served)
        if hardened is not None:
            self._entry.runs = True
            self._entry.bare = "" if hardened else ast.unparse(served)

    def _is_hardened(self, value: ast.expr) -> bool | None:
        """Say whether a value is a hardened application; None when it is none that is known."""
        made = hardened = False
        for node in ast.walk(value):
            match node:
                case ast.Call() if _calls(node, {"create_application"}):
                    made = True
                case ast.Call() if _calls(node, self._harden):
                    hardened = True
                    self._entry.hardens = node.lineno
                    given = [*node.args[1:], *(key.value for key in node.keywords)]
                    self._entry.config = next(iter(given), None)
                case ast.Name(id=name) if name in self._names:
                    made = True
                    hardened = hardened or self._names[name]
                case _:
                    pass
        return hardened if made or hardened else None


def _calls(node: ast.Call, names: Container[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in names
        case _:
            return False
