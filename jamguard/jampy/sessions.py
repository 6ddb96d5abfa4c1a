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

from ..cache import Bounded, lazy
from ..request import Request
from ..stores import Marks
from .session import HOST_PREFIX, NOBODY, Kind, Opened, Proved, Seal, Session
from .users import Users

#: seconds for which a cookie's proof is believed without looking again
BELIEVED: Final = 10.0
#: characters of a Cookie header whose proof is remembered: others only cost time
REMEMBERED: Final = 4096

#: where what was read of a request's cookies is in the environ
READ: Final = "jamguard.cookies"

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


class Sessions:
    """The sessions of Jam.py's `App` object: one of these for each."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - Jam.py has no types
        self.app = app
        self.rules: Rules | None = None
        self._users = Users(Path(app.work_dir, "admin.sqlite"))
        self._proved: Bounded[tuple[str, str], tuple[float, Proved]] = Bounded(4096)

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
        port = environ["SERVER_PORT"]
        now = monotonic()
        known = self._proved.get((header, port))
        if not known or known[0] <= now:
            proved = self._prove(environ, port)
            if proved != NOBODY and len(header) <= REMEMBERED:
                self._proved.put((header, port), (now + BELIEVED, proved))
            return proved
        proved = known[1]
        application, builder = proved.application, proved.builder
        if application and self._is_over(application, "application"):
            proved = attrs.evolve(proved, application=None)
        if builder and self._is_over(builder, "builder"):
            proved = attrs.evolve(proved, builder=None)
        return proved

    def _prove(self, environ: dict[str, Any], port: str) -> Proved:
        sent: Mapping[str, str] = sys.modules["jam.wsgi"].Request(environ).cookies
        sessions: dict[Kind, Session] = {}
        for name, value in sent.items():
            plain = name.removeprefix(HOST_PREFIX)
            # v7 has the port in the name, v5 has not: cookies do not keep ports apart
            if not plain.endswith((f"_session_{port}", "_session")):
                continue
            if name == plain and sent.get(HOST_PREFIX + plain):
                continue  # Jam.py gets the other one
            kinds: tuple[Kind, ...] = ("application",)
            if plain == f"admin_session_{port}":
                kinds = ("builder", "application")  # a project may be called `admin`
            for kind in kinds:
                session = self._somebody(environ, value, kind)
                if session:
                    sessions.setdefault(kind, session)
                    break
        return Proved(sessions.get("application"), sessions.get("builder"))

    def _somebody(self, environ: dict[str, Any], value: str, kind: Kind) -> Session | None:
        reading = self.read(value, kind, self.rules)
        # Jam.py asks for it next: see `read_once`
        environ.setdefault(READ, {})[self, value, kind] = reading
        if reading.flaw and self.rules and self.rules.enforced:
            return None
        user = reading.user
        if not user.get("user_id"):
            return None
        return Session(str(reading.uuid), user["user_id"], bool(user.get("admin")))

    def _is_over(self, session: Session, kind: Kind) -> bool:
        """Say whether a session has ended since its cookie was looked at."""
        enforced = self.rules is not None and self.rules.enforced
        return enforced and bool(self._end(session.uuid, session.user_id, kind))

    def read(self, value: str, kind: Kind, rules: Rules | None) -> Reading:
        """Take a value apart, and say what is wrong with the session in it."""
        opened = self.seal.open(value, kind) if rules else Opened(value)
        cookie = self._unserialize(opened.value)
        reading = Reading(cookie, cookie.get("info") or {}, opened.login)
        who = reading.user.get("user_id")
        if not rules or not who:  # in safe mode a session of nobody is worth nothing
            return reading
        flaw = _misplaced(opened, kind, rules) or _old(opened, rules)
        return attrs.evolve(reading, flaw=flaw or self._end(reading.uuid, who, kind))

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

    def read_once(
        self, environ: dict[str, Any], value: str, kind: Kind, rules: Rules | None
    ) -> Reading:
        """Return what was read of a value for this request already, or read it now.

        Jam.py writes into the cookie that it gets, so no other reader gets the same.
        """
        read: dict[tuple[Sessions, str, Kind], Reading] = environ.get(READ, {}) if rules else {}
        return read.pop((self, value, kind), None) or self.read(value, kind, rules)

    def nobody(self) -> Reading:
        """Return what there is to read for somebody who is not logged in."""
        cookie = self._unserialize("")
        cookie.modified = True  # so that Jam.py overwrites what was sent
        return Reading(cookie)

    def end(self, uuid: str, timeout: int) -> None:
        """Let no value of a session count any more: those that Jam.py still makes, neither."""
        if self.rules:
            lasts = timeout + LONGEST_ANSWER if timeout else FOREVER
            self.rules.marks.put("ended", uuid, monotonic(), lasts)

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
