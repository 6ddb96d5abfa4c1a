"""Jam.py's session cookies: what one proves, and what binds its value to its kind.

The value is `base64(HMAC-SHA1)?k=v&k=v`. Jam.py signs it with the project's secret key, but
not the name that it goes by, so it takes the application's cookie for the builder's as well.
And it keeps no list of sessions, so a value is good until the time that stands in it.
"""

import hmac
from hashlib import blake2b
from typing import Final, Literal

import attrs

#: which of Jam.py's two cookies
Kind = Literal["application", "builder"]

#: browsers take a cookie with this prefix only from this very host, by https, for all paths
HOST_PREFIX: Final = "__Host-"

#: characters of a tag: 128 bits
TAG: Final = 32


@attrs.frozen
class Session:
    """A session that Jam.py's signature proves and that belongs to a logged-in user."""

    uuid: str  #: made anew at each login, constant while the cookie is re-signed
    user_id: int
    admin: bool


@attrs.frozen
class Proved:
    """What the cookies of one request prove: a browser may be logged in twice."""

    application: Session | None = None
    builder: Session | None = None  #: of the Application Builder


NOBODY: Final = Proved()


@attrs.frozen
class Opened:
    """A value as Jam.py made it, and what was sealed with it."""

    value: str
    #: the kind that the tag was made for; `none` without one, `false` for one of no kind
    tag: Kind | Literal["none", "false"] = "none"
    login: int = 0  #: when the login was, in seconds since 1970
    made: int = 0  #: when Jam.py made this value of the session


class Seal:
    """Binds a value to its kind: `value.LOGIN.MADE.TAG`, with a tag that only we can make.

    Nothing is stored, so it holds in all workers and after a restart. The dot is no
    character of Jam.py's values.
    """

    def __init__(self, secret_key: str) -> None:
        self._key = hmac.digest(secret_key.encode(), b"jamguard cookie", "sha256")

    def close(self, value: str, kind: Kind, login: int, made: int) -> str:
        """Return `value` with its tag."""
        signed = f"{value}.{login:x}.{made:x}"
        return f"{signed}.{self._tag(signed, kind)}"

    def open(self, sealed: str, kind: Kind) -> Opened:
        """Take off the tag, and say what it was made for: `kind`, if all is well."""
        signed, _, tag = sealed.rpartition(".")
        if len(tag) != TAG or not sealed.isascii() or signed.count(".") < 2:  # noqa: PLR2004 - two times
            return Opened(sealed)
        value, login, made = signed.rsplit(".", 2)
        other: Kind = "application" if kind == "builder" else "builder"
        for one in (kind, other):
            if hmac.compare_digest(tag, self._tag(signed, one)):
                return Opened(value, one, int(login, 16), int(made, 16))
        return Opened(value, "false")

    def _tag(self, signed: str, kind: Kind) -> str:
        text = f"{kind}\0{signed}".encode()
        return blake2b(text, digest_size=TAG // 2, key=self._key).hexdigest()
