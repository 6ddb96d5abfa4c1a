from pathlib import Path

import pytest

from jamguard.audit.source import functions, is_function, parse

PROJECT = {
    "plain.py": "def f(): pass\nclass C: pass\ng = f\nif True:\n    def h(): pass\n",
    "again.py": "from plain import f as renamed\nfrom plain import *\n",
    "around.py": "from around import f\n",
    "broken.py": "def (",
    "pack/__init__.py": "from .inner import f\nfrom . import inner\n",
    "pack/inner.py": "from .deep.er import up\ndef f(): pass\n",
    "pack/deep/__init__.py": "",
    "pack/deep/er.py": "from ..other import f as up\n",
    "pack/other.py": "async def f(): pass\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, code in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(code)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "name", "known"),
    [
        ("plain", "f", True),
        ("plain", "h", True),
        ("plain", "C", False),
        ("plain", "g", False),
        ("plain", "gone", False),
        ("again", "renamed", True),
        ("again", "h", True),
        ("around", "f", False),
        ("broken", "f", False),
        ("pack", "f", True),
        ("pack", "inner", False),
        ("pack.inner", "up", True),
        ("pack.deep.er", "up", True),
        ("pack.gone", "f", False),
        ("plain.f", "f", False),
        ("os.path", "basename", True),
        ("json", "loads", True),
        ("json", "JSONDecoder", False),
        ("math", "sqrt", False),
        ("no_such_module", "f", False),
        ("no_such_module.deeper", "f", False),
    ],
)
def test_a_function_is_known_without_importing_it(
    folder: Path, module: str, name: str, known: bool
) -> None:
    assert is_function(module, name, folder) is known


@pytest.mark.parametrize("code", ["def (", "\0", "(" * 10_000, "x = (" * 300])
def test_what_is_not_python_is_none(code: str) -> None:
    assert parse(code) is None


def test_the_projects_own_sins_are_not_warned_about() -> None:
    assert parse(r"'\d' is 'x'")


def test_functions_in_functions_and_classes_are_not_there() -> None:
    tree = parse(
        "def a():\n    def no(): pass\n"
        "class B:\n    def no(self): pass\n"
        "try:\n    def c(): pass\nexcept E:\n    def d(): pass\nfinally:\n    def e(): pass\n"
        "match 1:\n    case 1:\n        def f(): pass\n"
    )
    assert tree
    assert [function.name for function in functions(tree)] == ["a", "c", "e", "d", "f"]
