"""The catalogue as the table in `docs/explain/catalogue.md`.

`PYTHONPATH=tests:tests/jam python -m catalogue.table` prints it.
"""

from collections.abc import Iterable
from typing import Final

from support.servers import Kind

from . import catalogue
from .attack import Attack, Ids

KINDS: Final[tuple[Kind, ...]] = ("gunicorn", "waitress")
HEAD: Final = """\
| what the attacker wants | who | ways | plain Jam.py: gunicorn | waitress | behind jamguard |
|---|---|--:|--:|--:|--:|
"""


def as_markdown(rows: Iterable[Attack]) -> str:
    """Return a table with a line for each attack, and the sums."""
    lines: list[str] = []
    totals = [0, 0, 0]
    for row in rows:
        landed = [
            len(row.spellings),
            *(sum(row.lands(name, kind) for name in row.spellings) for kind in KINDS),
        ]
        totals = [total + number for total, number in zip(totals, landed, strict=True)]
        ways, gunicorn, waitress = landed
        lines.append(f"| {row.wants} | {row.who} | {ways} | {gunicorn} | {waitress} | 0 |\n")
    ways, gunicorn, waitress = totals
    total = f"| **all {len(lines)}** | | {ways} | {gunicorn} | {waitress} | **0** |\n"
    return HEAD + "".join(lines) + total


if __name__ == "__main__":
    print(as_markdown(catalogue(Ids())), end="")
