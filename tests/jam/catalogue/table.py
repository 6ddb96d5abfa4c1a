"""The catalogue as the table in `docs/explain/catalogue.md`.

`PYTHONPATH=tests:tests/jam python -m catalogue.table` prints it.
"""

from collections.abc import Iterable
from typing import Final

from support.servers import Kind

from . import catalogue
from .attack import Attack, Project, Version

#: where each attack is tried
PLACES: Final[tuple[tuple[Version, Kind], ...]] = (
    ("v7", "gunicorn"),
    ("v7", "waitress"),
    ("v5", "gunicorn"),
    ("v5", "waitress"),
)
HEAD: Final = """\
| what the attacker wants | who | ways | v7, gunicorn | v7, waitress | v5, gunicorn | v5, waitress \
| behind jamguard |
|---|---|--:|--:|--:|--:|--:|--:|
"""


def as_markdown(rows: Iterable[Attack]) -> str:
    """Return a table with a line for each attack: by how many ways it works where."""
    lines: list[str] = []
    totals = [0] * (1 + len(PLACES))
    for row in rows:
        counts = [len(row.spellings), *(_landing(row, *place) for place in PLACES)]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        lines.append(_line(row.wants, row.who, counts))
    return HEAD + "".join(lines) + _line(f"**all {len(lines)}**", "", totals)


def _landing(row: Attack, version: Version, kind: Kind) -> int:
    if version not in row.jam:
        return 0
    return sum(row.lands(name, kind, version) for name in row.spellings)


def _line(wants: str, who: str, counts: list[int]) -> str:
    return f"| {wants} | {who} | {' | '.join(str(count or '-') for count in counts)} | 0 |\n"


if __name__ == "__main__":
    print(as_markdown(catalogue(Project())), end="")
