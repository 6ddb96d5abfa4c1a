"""SQL that a project's code puts together out of values, instead of binding them."""

import ast
import re
from collections.abc import Iterator
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


class Built:
    """Finds SQL with values in it. Knows which names of a module stand for constants."""

    def __init__(self, tree: ast.Module) -> None:
        self._values: dict[str, list[ast.expr]] = {}
        #: names that get a value which is not written in the module
        self._given: set[str] = set()
        for node in ast.walk(tree):
            self._note(node)
        self._asked: set[str] = set()

    def calls(self, node: ast.AST) -> Iterator[ast.Call]:
        """Yield the calls below `node` that run SQL with values in it."""
        for call in ast.walk(node):
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
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._values.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
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
            return any(
                not isinstance(value, ast.Name) and self._is_built(value)
                for value in self._values.get(given.id, [])
            )
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
        values = self._values.get(name)
        if name in self._given or not values or name in self._asked:
            return False
        self._asked.add(name)
        try:
            return all(map(self._is_constant, values))
        finally:
            self._asked.discard(name)


def _words(node: ast.AST) -> str:
    """Return all that is written between quotes below a node."""
    return " ".join(
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )
