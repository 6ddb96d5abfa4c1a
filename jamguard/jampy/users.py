"""Jam.py's own users, as they stand in the project's `admin.sqlite`."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from ..cache import Bounded

#: seconds for which an answer holds
FRESH: Final = 5.0
#: seconds to wait for a database that somebody writes to
PATIENCE: Final = 0.2

QUERY: Final = "SELECT F_ADMIN FROM SYS_USERS WHERE ID = ? AND COALESCE(DELETED, 0) <> 1"


Standing = Literal["administrator", "user", "gone", "unknown"]


class Users:
    """Looks users up, read-only, each at most every few seconds."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._known: Bounded[int, tuple[float, Standing]] = Bounded(4096)
        #: why the last look-up that failed did
        self.failure = ""

    def standing(self, user_id: int) -> Standing:
        """Say what a user is; `unknown` while the database does not answer."""
        now = monotonic()
        known = self._known.get(user_id)
        if known and known[0] > now:
            return known[1]
        return self._known.put(user_id, (now + FRESH, self._look_up(user_id)))[1]

    def _look_up(self, user_id: int) -> Standing:
        uri = f"{self._database.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, timeout=PATIENCE, uri=True)) as connection:
                row = connection.execute(QUERY, (user_id,)).fetchone()
        except (sqlite3.Error, OverflowError) as error:
            self.failure = str(error)
            return "unknown"
        if row is None:
            return "gone"
        return "administrator" if row[0] else "user"
