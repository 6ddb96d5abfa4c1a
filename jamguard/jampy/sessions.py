"""The sessions of one Jam.py application, and which of them count.

What Jam.py's signature proves is asked of Jam.py's own code. What it does not know is asked
here: for which kind of cookie a value was made, whether the session was logged out, whether
its user is still there.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, time
from types import MappingProxyType
from typing import Any, Final

import attrs

from ..cache import lazy
from ..request import Request
from ..stores import Marks
from .session import HOST_PREFIX, NOBODY, Kind, Opened, Proved, Seal, Session
from .users import Users

#: where the environ has its `Sent`
SENT: Final = "jamguard.cookies"

#: seconds for which a session that would never expire is remembered when it has ended
FOREVER: Final = 366 * 86400
#: seconds after which no answer that was under way at a logout makes another value
LONGEST_ANSWER: Final = 3600

Cookie = Any  # Jam.py's `JamSecureCookie`, a dictionary: Jam.py has no types


@attrs.frozen(kw_only=True)
class Rules:
    """What the guard `session` wants; without it, cookies are as plain Jam.py has them."""

    idle: int  #: seconds that a session lasts unused, and since its login; 0 for no end
    absolute: int
    enforced: bool
    marks: Marks  #: where sessions that have ended are kept
    #: tells that a session does not count, and why
    log: Callable[[Request, str], None]
    #: tells that Jam.py's users cannot be looked up, and why
    unreadable: Callable[[str], None]

    def end(self, uuid: str, timeout: int) -> None:
        """Let no value of a session count any more: those that Jam.py still makes, neither."""
        lasts = timeout + LONGEST_ANSWER if timeout else FOREVER
        self.marks.put("ended", uuid, monotonic(), lasts)


@attrs.frozen
class Reading:
    """A value that was sent as a session cookie, taken apart."""

    cookie: Cookie
    info: Mapping[str, Any] = MappingProxyType({})  #: the session in it, in Jam.py's words
    login: int = 0  #: when that began; 0 when it is not known
    #: why that session does not count; empty for one that does, and where there is none
    flaw: str = ""

    @property
    def uuid(self) -> str | None:
        """The name of the session, if it is somebody's."""
        return self.info.get("uuid")

    @property
    def user(self) -> Mapping[str, Any]:
        """Whose it is."""
        return self.info.get("user_info") or {}


@attrs.define
class Sent:
    """The cookies of one request, and what was read of those that may be Jam.py's."""

    header: str
    #: as Jam.py's own parser has them
    cookies: Mapping[str, str]
    readings: "dict[tuple[Sessions, str, Kind], Reading]" = attrs.field(
        factory=dict["tuple[Sessions, str, Kind]", Reading]
    )

    @classmethod
    def by(cls, environ: dict[str, Any]) -> "Sent":
        """Take the header apart, once for all who ask; again when somebody has changed it."""
        header = environ.get("HTTP_COOKIE", "")
        sent: Sent | None = environ.get(SENT)
        if sent is None or sent.header != header:
            sent = environ[SENT] = cls(header, dict(_parsed(header).items()))
        return sent


def _parsed(header: str) -> Mapping[str, str]:
    if header.isascii():
        from werkzeug.http import parse_cookie  # noqa: PLC0415 - only once Jam.py chose its Werkzeug

        return parse_cookie(header)
    # each Werkzeug decodes on its own terms
    request: Any = sys.modules["jam.wsgi"].Request({"HTTP_COOKIE": header})
    cookies: Mapping[str, str] = request.cookies
    return cookies


class Sessions:
    """The sessions of Jam.py's `App` object: one of these for each."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - Jam.py has no types
        self.app = app
        self.rules: Rules | None = None
        self._users = Users(Path(app.work_dir, "admin.sqlite"))

    @classmethod
    def of(cls, app: Any) -> "Sessions":  # noqa: ANN401 - Jam.py has no types
        """Return the sessions of `app`, which are kept with it: shields share them."""
        if not hasattr(app, "jamguard_sessions"):
            app.jamguard_sessions = cls(app)
        sessions: Sessions = app.jamguard_sessions
        return sessions

    def proved(self, environ: dict[str, Any]) -> Proved:
        """Return the logged-in user's sessions that the cookies of this request prove."""
        header = environ.get("HTTP_COOKIE")
        if not header or ("_session" not in header and "\\" not in header):
            return NOBODY  # v5 reads names in quotes, and backslashes in them, too
        sent = Sent.by(environ)
        port = environ["SERVER_PORT"]
        # v7 has the port in the name, v5 has not: cookies do not keep ports apart
        endings = f"_session_{port}", "_session"
        sessions: dict[Kind, Session] = {}
        for name, value in sent.cookies.items():
            if not name.endswith(endings):
                continue
            plain = name.removeprefix(HOST_PREFIX)
            if name == plain and sent.cookies.get(HOST_PREFIX + plain):
                continue  # Jam.py gets the other one
            kinds: tuple[Kind, ...] = ("application",)
            if plain == f"admin_session_{port}":
                kinds = ("builder", "application")  # a project may be called `admin`
            for kind in kinds:
                session = self._somebody(sent, value, kind)
                if session:
                    sessions.setdefault(kind, session)
                    break
        return Proved(sessions.get("application"), sessions.get("builder"))

    def _somebody(self, sent: "Sent", value: str, kind: Kind) -> Session | None:
        reading = self.read(value, kind, self.rules)
        sent.readings[self, value, kind] = reading  # Jam.py asks for it next
        if reading.flaw and self.rules and self.rules.enforced:
            return None
        user = reading.user
        if not user.get("user_id"):
            return None
        return Session(str(reading.uuid), user["user_id"], bool(user.get("admin")))

    def read(self, value: str, kind: Kind, rules: Rules | None) -> Reading:
        """Take a value apart, and say what is wrong with the session in it."""
        opened = self.seal.open(value, kind) if rules else Opened(value)
        cookie = self._unserialize(opened.value)
        info: Mapping[str, Any] = cookie.get("info") or {}
        user: Mapping[str, Any] = info.get("user_info") or {}
        who = user.get("user_id")
        flaw = ""
        if rules and who:  # in safe mode a session of nobody is worth nothing
            flaw = _misplaced(opened, kind, rules) or _old(opened, rules)
            flaw = flaw or self._end(info.get("uuid"), who, kind)
        return Reading(cookie, info, opened.login, flaw)

    def _end(self, uuid: str | None, user_id: Any, kind: Kind) -> str:  # noqa: ANN401 - as signed
        if uuid and self.rules and self.rules.marks.get("ended", uuid, monotonic()):
            return "logged-out"
        if not isinstance(user_id, int):
            return ""  # nobody, or not one of Jam.py's own users
        task = self.app._App__task  # noqa: SLF001 - there is no public way that does not load it
        if kind == "application" and (task is None or task.on_login is not None):
            return ""  # the project knows its users itself
        standing = self._users.standing(user_id)
        if standing == "unknown" and self.rules:
            self.rules.unreadable(self._users.failure)
        if standing == "gone":
            return "no-such-user"
        return "not-an-administrator" if kind == "builder" and standing == "user" else ""

    def read_once(self, sent: "Sent", value: str, kind: Kind, rules: Rules | None) -> Reading:
        """Return what was read of a value for this request already, or read it now.

        Jam.py writes into the cookie that it gets, so no other reader gets the same.
        """
        read = sent.readings.pop((self, value, kind), None) if rules else None
        return read or self.read(value, kind, rules)

    def nobody(self) -> Reading:
        """Return what there is to read for somebody who is not logged in."""
        cookie = self._unserialize("")
        cookie.modified = True  # so that Jam.py overwrites what was sent
        return Reading(cookie)

    def _unserialize(self, value: str) -> Cookie:
        cookie = sys.modules["jam.wsgi"].JamSecureCookie
        try:
            return cookie.unserialize(value, self.app.admin.secret_key)
        except ValueError:  # odd base64, on which Jam.py would fail
            return cookie(secret_key=self.app.admin.secret_key)

    @lazy
    def seal(self) -> Seal:
        """What the values of cookies are sealed with."""
        return Seal(self.app.admin.secret_key)


def _misplaced(opened: Opened, kind: Kind, rules: Rules) -> str:
    if opened.tag == "none":
        # from before jamguard was there; but a thief could take the times off with the tag
        return "untagged" if kind == "builder" or rules.idle or rules.absolute else ""
    if opened.tag == kind:
        return ""
    return "false-tag" if opened.tag == "false" else "cookie-of-the-other-kind"


def _old(opened: Opened, rules: Rules) -> str:
    now = time()
    if rules.absolute and now > opened.login + rules.absolute:
        return "too-old"
    return "idle" if rules.idle and now > opened.made + rules.idle else ""
