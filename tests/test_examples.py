"""The examples in Markdown do what they say: Python runs, settings are accepted."""

import tomllib
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

from jamguard.config import Source, load
from jamguard.guards import GUARDS

ROOT = Path(__file__).parent.parent
PAGES = [
    path
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    if "_build" not in path.parts
]


def accept_settings(example: Example) -> None:
    """Load a TOML example as jamguard would; one that is not about jamguard is only read."""
    text: str = example.parsed
    table = tomllib.loads(text).get("tool", {}).get("jamguard", {})
    load(Source("the example", table), GUARDS)


def examples(path: Path) -> list[Example]:
    python, toml = PythonCodeBlockParser(), CodeBlockParser("toml", accept_settings)
    return list(Sybil([python, toml]).parse(path).examples())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_work(path: Path) -> None:
    for example in examples(path):
        example.evaluate()


def test_there_are_examples() -> None:
    assert sum(len(examples(path)) for path in PAGES) > len(GUARDS)


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```toml\n[tool.jamguard.rate-limit]\napi = '60/minit'\n```\n")
    (example,) = examples(page)
    with pytest.raises(Exception, match="60/minute"):
        example.evaluate()
