"""Which cookies prove a session, without the guard: exactly those that Jam.py accepts."""

from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from support.inside import inside
from support.projects import copy

CLERK_ID: Final = 2
PORT: Final = 8000
APP: Final = f"demo_session_{PORT}"
BUILDER: Final = f"admin_session_{PORT}"

#: without the guard: what plain Jam.py makes of a cookie is what the others are told.
#: `cookie` is the value of the clerk's, `boss` of the administrator's in the builder
SCRIPT: Final = """
import time
from jamguard.jampy.project import Project
from support.projects import ADMIN, CLERK
from support.sessions import *
from support.sessions import signed as sign

app = create_application(".")
project = Project.find(app)
key = project.app.admin.secret_key
def signed(data, key=key, expires=None):
    return sign(data.get("info"), key, expires)

def session(header, **more):
    proved = project.sessions.proved(environ(HTTP_COOKIE=header, **more))
    return proved.application or proved.builder

def accepted(header, task):
    try:
        return who(app, header, task) is not None
    except Exception:
        return False

(cookie,) = map(value, log_in(app, "/login.html", CLERK))
(boss,) = map(value, log_in(app, "/builder_login.html", ADMIN))
INFO = {"uuid": "u", "ip": "192.0.2.1", "user_info": {"user_id": 2, "role_id": 2, "admin": False}}
"""


@attrs.frozen
class Case:
    header: str  #: a Python expression
    user: int | None
    admin: bool = False


CASES: Final = {
    "the clerk's": Case(f'"{APP}=" + cookie', CLERK_ID),
    "in quotes": Case(f'"{APP}=" + chr(34) + cookie + chr(34)', CLERK_ID),
    "among others": Case(f'"a=b; {APP}=" + cookie + "; theme=dark"', CLERK_ID),
    "the administrator's, in the builder": Case(f'"{BUILDER}=" + boss', 1, True),
    "the clerk's under the builder's name": Case(f'"{BUILDER}=" + cookie', CLERK_ID),
    "the first of two": Case(f'"{APP}=" + cookie + "; {BUILDER}=" + boss', CLERK_ID),
    "a later one, where the first proves nothing": Case(f'"{APP}=x; {BUILDER}=" + boss', 1, True),
    "without a word about rights": Case(
        f'"{APP}=" + signed({{"info": {{**INFO, "user_info": {{"user_id": 2, "role_id": 2}}}}}})',
        CLERK_ID,
    ),
    "signed, and still good": Case(
        f'"{APP}=" + signed({{"info": INFO}}, expires=time.time() + 60)', CLERK_ID
    ),
    "expired": Case(f'"{APP}=" + signed({{"info": INFO}}, expires=time.time() - 60)', None),
    "signed with another key": Case(f'"{APP}=" + signed({{"info": INFO}}, "another")', None),
    "tampered with": Case(f'"{APP}=" + cookie.replace("info=", "info=A", 1)', None),
    "cut short": Case(f'"{APP}=" + cookie[:-8]', None),
    "with a field added": Case(f'"{APP}=" + cookie + "&admin=dHJ1ZQ=="', None),
    "without a signature": Case(f'"{APP}=" + cookie.partition("?")[2]', None),
    "with odd base64 for a signature": Case(f'"{APP}=A?" + cookie.partition("?")[2]', None),
    "with no ASCII in it": Case(f'"{APP}=\\xe4?\\xf6=\\xfc"', None),
    "empty": Case(f'"{APP}="', None),
    "without a value": Case(f'"{APP}"', None),
    "of nobody": Case(f'"{APP}=" + signed({{"info": {{"user_info": {{"user_id": None}}}}}})', None),
    "without a user": Case(f'"{APP}=" + signed({{"info": {{"user_info": None}}}})', None),
    "logged out": Case(f'"{APP}=" + signed({{}})', None),
    "of a project on another port": Case('"demo_session_9000=" + cookie', None),
    "by another name": Case('"session=" + cookie', None),
    "no cookie": Case('""', None),
}


@pytest.fixture(scope="module")
def seen(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For each case: the session, and whether Jam.py answers in the project and the builder."""
    lines = "".join(
        f"result[{name!r}] = [as_list(session({case.header})),"
        f" accepted({case.header}, 1), accepted({case.header}, 0)]\n"
        for name, case in CASES.items()
    )
    script = """
def as_list(session):
    return session and [session.user_id, session.admin]
result = {}
"""
    folder = copy(demo_project, tmp_path_factory.mktemp("session") / "project")
    result: dict[str, Any] = inside(folder, SCRIPT + script + lines)
    return result


@pytest.mark.parametrize("name", CASES)
def test_a_cookie_counts_here_exactly_when_it_counts_for_jam_py(
    name: str, seen: dict[str, Any]
) -> None:
    session, in_project, in_builder = seen[name]
    case = CASES[name]
    assert session == (case.user and [case.user, case.admin])
    assert bool(session) == (in_project or in_builder)


def test_a_login_gives_a_session_a_name_that_its_next_cookies_keep(project: Path) -> None:
    same, other = inside(
        project,
        SCRIPT
        + """
header = "demo_session_8000=" + cookie
again = call(app, "/api", "POST", b'["load",1,0,null,0]', HTTP_COOKIE=header)
renewed = again.get("Set-Cookie").partition(";")[0]
(second,) = log_in(app, "/login.html", CLERK)
result = [
    session(header).uuid == session(renewed).uuid, session(header).uuid == session(second).uuid
]
""",
    )
    assert same
    assert not other


def test_a_value_is_taken_apart_once_for_a_request(project: Path) -> None:
    """By whoever asks first; Jam.py writes into what it gets, so that goes to nobody else."""
    reads, *others = inside(
        project,
        SCRIPT
        + """
import jamguard
from jamguard.guards.rate_limit import RateLimit
from jamguard.guards.session import Session
from jamguard.jampy.sessions import Sent, Sessions

hardened = jamguard.Shield(app, [Session(), RateLimit()])
sealed = log_in(hardened, "/login.html", CLERK)[0]
reads = []
read = Sessions.read
Sessions.read = lambda self, *about: reads.append(about[0]) or read(self, *about)
api(hardened, ["load", 1, 0, None, 0], sealed)
asked = len(reads)

sessions, rules = project.sessions, project.sessions.rules
given = environ(HTTP_COOKIE=sealed)
assert sessions.proved(given).application
sent = Sent.by(given)
((_, text, kind),) = sent.readings
foreign = Sessions(project.app).read_once(sent, text, kind, rules)  # as of another project
first = sessions.read_once(sent, text, kind, rules)
second = sessions.read_once(sent, text, kind, rules)
given["HTTP_COOKIE"] = "theme=dark"  # as a middleware may
result = [
    asked,
    reads[0] == text,
    first.cookie is not second.cookie,
    foreign is not first,
    Sent.by(given).cookies == {"theme": "dark"},
]
""",
    )
    assert reads == 1
    assert all(others)
