"""The table: what is asked, and what must not come back.

None of it changes anything: no call writes, and no login is one that could succeed.
"""

from ..question import Question
from . import behaviour, doors, headers, logins, network


def questions() -> tuple[Question, ...]:
    """Return all rows. Those that a guard takes for an attack come last: they may earn a ban."""
    parts = (headers, network, behaviour, logins, doors)
    return tuple(row for part in parts for row in part.rows())
