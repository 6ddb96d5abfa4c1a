"""Jam.py's session cookie: its names, and what a valid one proves.

The value is `base64(HMAC-SHA1)?k=v&k=v`, signed with the project's secret key. It is read
with Jam.py's own code, so a session counts here exactly when it counts there.
"""

from typing import Final

import attrs


@attrs.frozen
class Session:
    """A session that Jam.py's signature proves and that belongs to a logged-in user."""

    uuid: str  #: made anew at each login, constant while the cookie is re-signed
    user_id: int
    admin: bool


@attrs.frozen
class Sessions:
    """What the cookies of one request prove: a browser may be logged in twice."""

    application: Session | None = None
    builder: Session | None = None  #: of the Application Builder


NOBODY: Final = Sessions()
