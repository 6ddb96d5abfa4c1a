"""SQL that a project's code puts together out of values, instead of binding them."""

import ast
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

#: functions that are given SQL: Jam.py's own and those of the DB-API
SINKS: Final = frozenset(
    {
        *("execute", "executemany", "executescript", "select"),
        *("execute_select", "execute_query", "execute_list"),
    }
)
SQL: Final = re.compile(
    r"\b(?:select|insert\s+into|update|delete\s+from|where|drop|alter|create)\b", re.IGNORECASE
)
#: what `%` writes as a number whatever it is given
NUMBERS: Final = re.compile(r"%(?!%|[-#0 +]*\d*(?:\.\d+)?[diufFeEgGxXo])")
#: what can only be a number, so there is nothing to be bound
COUNTS: Final = frozenset({"int", "float", "len", "abs", "round"})
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def find_built(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of a module that run SQL with values in it."""
    outside = _Scope(tree)
    scopes = [outside]
    scopes += [_Scope(node, outside) for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    for scope in scopes:
        yield from scope.calls()


class _Scope:
    """The code of one function, or of a module outside of functions, and what names stand for."""

    def __init__(self, node: ast.AST, outside: "_Scope | None" = None) -> None:
        self._nodes = list(_own(node))
        self._outside = outside
        self._values: dict[str, list[ast.expr]] = {}
        #: names that get a value which is not written here
        self._given: set[str] = set()
        self._asked: set[str] = set()
        for one in self._nodes:
            self._note(one)

    def calls(self) -> Iterator[ast.Call]:
        for call in self._nodes:
            match call:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SINKS:
                    given = [*call.args, *(keyword.value for keyword in call.keywords)]
                    if any(map(self._is_built, given)):
                        yield call
                case _:
                    pass

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self._values.setdefault(target.id, []).append(value)
                    else:
                        self._give(target)
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(id=name), value=value)
            ):
                self._values.setdefault(name, []).append(value)
            case ast.For(target=target) | ast.comprehension(target=target):
                self._give(target)
            case ast.arg(arg=name):
                self._given.add(name)
            case _:
                pass

    def _give(self, target: ast.expr) -> None:
        self._given |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}

    def _is_built(self, given: ast.expr) -> bool:
        """Say whether an argument is SQL with values in it, or a name for such a text."""
        if isinstance(given, ast.List | ast.Tuple):
            return any(map(self._is_built, given.elts))
        if isinstance(given, ast.Name):
            if given.id in self._asked:
                return False
            with self._asking(given.id):
                return any(map(self._is_built, self.named(given.id)))
        if not isinstance(given, ast.BinOp | ast.JoinedStr | ast.Call):
            return False
        return bool(SQL.search(_words(given))) and not self._is_constant(given)

    def _is_constant(self, value: ast.expr) -> bool:  # noqa: C901, PLR0912 - a table of forms
        """Say whether a value is written in the module, or can only be a number."""
        match value:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return self._stands_for_constants(name)
            case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
                return all(map(self._is_constant, parts))
            case ast.FormattedValue(value=inner) | ast.ListComp(elt=inner):
                return self._is_constant(inner)
            case ast.GeneratorExp(elt=inner):
                return self._is_constant(inner)
            case ast.BinOp(left=left, op=ast.Mult()):
                return self._is_constant(left)  # "?," * n
            case ast.BinOp(left=ast.Constant(value=str() as form), op=ast.Mod(), right=right):
                return not NUMBERS.search(form) or self._is_constant(right)
            case ast.BinOp(left=left, right=right):
                return self._is_constant(left) and self._is_constant(right)
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_constant(body) and self._is_constant(orelse)
            case ast.Call(func=ast.Name(id=name)) if name in COUNTS:
                return True
            case ast.Call(func=ast.Name(id="str") | ast.Attribute(attr="join" | "strip")):
                return all(map(self._is_constant, value.args))
            case ast.Call(func=ast.Attribute(value=form, attr="format")):
                given = [*value.args, *(keyword.value for keyword in value.keywords)]
                return all(map(self._is_constant, [form, *given]))
            case _:
                return False

    def _stands_for_constants(self, name: str) -> bool:
        if name in self._asked:
            return True  # q = q + "...": the rest of it decides
        values = self.named(name)
        with self._asking(name):
            return bool(values) and all(map(self._is_constant, values))

    @contextmanager
    def _asking(self, name: str) -> Generator[None, None, None]:
        self._asked.add(name)
        yield
        self._asked.discard(name)

    def named(self, name: str) -> list[ast.expr]:
        """Return all that a name may stand for; nothing where it may be anything."""
        if name in self._given:
            return []
        if name in self._values:
            return self._values[name]
        return self._outside.named(name) if self._outside else []


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node, but not what is in functions below it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from _own(child)


def _words(node: ast.AST) -> str:
    """Return all that is written between quotes below a node."""
    return " ".join(
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )
