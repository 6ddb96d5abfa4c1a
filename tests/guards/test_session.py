"""What a session cookie proves behind the guard: asked of Jam.py itself.

The guard works where Jam.py reads and writes its cookies, so nearly all of this runs beside
a real Jam.py, in a process of its own. The tests of the values are in `tests/jampy`.
"""

from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest
from support.inside import inside
from support.projects import copy, make
from support.wsgi import call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.guards.session import Session

CLERK_ID: Final = 2
ADMIN_ID: Final = 1

#: `clerk` and `boss` are sealed values, of the application and of the builder; `plain` and
#: `plain_boss` are what plain Jam.py makes
BEFORE: Final = """
import logging
from support.projects import ADMIN, CLERK, User
from support.sessions import *
from jamguard import Shield
from jamguard.guards.session import Session
from jamguard.jampy.project import Project

class Lines(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())

lines = []
logging.getLogger("jamguard").addHandler(Lines())

jam = create_application(".")
(plain,) = map(value, log_in(jam, "/login.html", CLERK))
(plain_boss,) = map(value, log_in(jam, "/builder_login.html", ADMIN))
app = Shield(jam, [Session()])
project = app.site.project
(clerk,) = map(value, log_in(app, "/login.html", CLERK))
(boss,) = map(value, log_in(app, "/builder_login.html", ADMIN))
app_cookie, builder_cookie = f"{APP}={clerk}", f"{BUILDER}={boss}"
lines.clear()
"""

APP, BUILDER = "demo_session_8000", "admin_session_8000"
HOST_APP, HOST_BUILDER = f"__Host-{APP}", f"__Host-{BUILDER}"

#: a Cookie header, as the inside of a Python f-string -> whom Jam.py takes the sender for, in
#: the application and in the builder
HEADERS: Final[dict[str, tuple[str, int | None, int | None]]] = {
    "the application's": (f"{APP}={{clerk}}", CLERK_ID, None),
    "the builder's": (f"{BUILDER}={{boss}}", None, ADMIN_ID),
    "both": (f"{APP}={{clerk}}; {BUILDER}={{boss}}", CLERK_ID, ADMIN_ID),
    "both, the other way round": (f"{BUILDER}={{boss}}; {APP}={{clerk}}", CLERK_ID, ADMIN_ID),
    "among others": (f"a=b; {APP}={{clerk}}; theme=dark", CLERK_ID, None),
    "the application's as the builder's": (f"{BUILDER}={{clerk}}", None, None),
    "the builder's as the application's": (f"{APP}={{boss}}", None, None),
    "as both": (f"{APP}={{clerk}}; {BUILDER}={{clerk}}", CLERK_ID, None),
    "as both, the other way round": (f"{BUILDER}={{clerk}}; {APP}={{clerk}}", CLERK_ID, None),
    "changed places": (f"{APP}={{boss}}; {BUILDER}={{clerk}}", None, None),
    "doubled, the right one first": (f"{BUILDER}={{boss}}; {BUILDER}={{clerk}}", None, ADMIN_ID),
    "doubled, the wrong one first": (f"{BUILDER}={{clerk}}; {BUILDER}={{boss}}", None, None),
    "in quotes": (f'{BUILDER}="{{clerk}}"', None, None),
    "right, in quotes": (f'{APP}="{{clerk}}"', CLERK_ID, None),
    "in octal": (f'{BUILDER}="{{octal(clerk)}}"', None, None),
    "right, in octal": (f'{APP}="{{octal(clerk)}}"', CLERK_ID, None),
    "an open quote": (f'{BUILDER}="{{clerk}}', None, None),
    "a quoted name": (f'"{BUILDER}"={{clerk}}', None, None),
    "blanks": (f"  {BUILDER} = {{clerk}} ;", None, None),
    "a tab": (f"\t{BUILDER}\t=\t{{clerk}}", None, None),
    "in a quoted other one": (f'a="; {BUILDER}={{clerk}}; "', None, None),
    "$Version": (f"$Version=1; {BUILDER}={{clerk}}; $Path=/", None, None),
    "prefixed": (f"{HOST_BUILDER}={{clerk}}", None, None),
    "right, prefixed": (f"{HOST_BUILDER}={{boss}}", None, ADMIN_ID),
    "prefixed, and not": (f"{APP}=junk; {HOST_APP}={{clerk}}", CLERK_ID, None),
    "junk, prefixed": (f"{HOST_APP}=junk; {APP}={{clerk}}", None, None),
    "empty, prefixed": (f"{HOST_APP}=; {APP}={{clerk}}", CLERK_ID, None),
    "prefixed twice": (f"__Host-{HOST_BUILDER}={{boss}}", None, None),
    "in capitals": (f"{BUILDER.upper()}={{boss}}", None, None),
    "of another project": ("other_session_8000={clerk}", None, None),
    "of another port": ("demo_session_80={clerk}", None, None),
    "the tag cut off, for the builder": (f"{BUILDER}={{untagged(boss)}}", None, None),
    "the application's tag cut off": (f"{APP}={{untagged(clerk)}}", CLERK_ID, None),
    "half a tag": (f"{APP}={{clerk[:-9]}}", None, None),
    "another tag": (f"{APP}={{clerk[:-32]}}{{boss[-32:]}}", None, None),
    "two tags": (f"{BUILDER}={{clerk}}{{boss[-41:]}}", None, None),
    "another time of login": (f"{APP}={{untagged(clerk)}}.1{{clerk[-40:]}}", None, None),
    "a value with another's tag": (f"{BUILDER}={{untagged(clerk)}}{{boss[-41:]}}", None, None),
    "from before jamguard": (f"{APP}={{plain}}", CLERK_ID, None),
    "the builder's from before": (f"{BUILDER}={{plain_boss}}", None, None),
    "the application's from before, as the builder's": (f"{BUILDER}={{plain}}", None, None),
    "odd base64": (f"{APP}=a?b=c", None, None),
    "no value": (APP, None, None),
    "nothing": ("", None, None),
    "very long": (f"{APP}={{clerk}}; a={{'x' * 100_000}}", CLERK_ID, None),
}


@pytest.fixture(scope="module")
def taken(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Whom Jam.py takes the sender of each header for; and what the guards know."""
    rows = "".join(
        f"result[{name!r}] = ask(f{header!r})\n" for name, (header, _, _) in HEADERS.items()
    )
    code = """
def octal(text):
    return "".join(f"\\\\{ord(letter):03o}" for letter in text)

def untagged(text):
    return text.rsplit(".", 3)[0]

def ask(header):
    proved = project.sessions.proved(environ(HTTP_COOKIE=header))
    # as gunicorn passes header bytes
    users = [who(app, header, 1), who(app, header, 0)]
    return users, [session and session.user_id for session in (proved.application, proved.builder)]

result = {}

"""
    folder = copy(demo_project, tmp_path_factory.mktemp("session") / "project")
    return inside(folder, BEFORE + code + rows)


@pytest.mark.parametrize("name", HEADERS)
def test_a_value_counts_only_as_what_it_was_made_for(name: str, taken: Any) -> None:
    _, application, builder = HEADERS[name]
    users, _ = taken[name]
    assert users == [application, builder]


def test_the_guards_are_told_what_jam_py_takes(taken: Any) -> None:
    """But for a session under a name that Jam.py does not look for."""
    names = {"of another project", "of another port", "as both, the other way round"}
    for name, (users, told) in taken.items():
        if name not in names:
            assert told[1] == users[1], name
            assert told[0] or not users[0], name


def test_a_session_ends_with_its_logout(project: Path) -> None:
    code = """
    renewed = cookies(api(app, ["load", 1, 0, None, 0], app_cookie))[0]
    (other,) = log_in(app, "/login.html", CLERK)
    told = lambda cookie: project.sessions.proved(environ(HTTP_COOKIE=cookie))
    result = [[who(app, app_cookie, 1), who(app, renewed, 1), told(renewed).application is None]]
    left = call(app, "/logout", HTTP_COOKIE=renewed)
    result += [[left.code, left.get("Location"), len(left.all("Set-Cookie"))]]
    result += [[who(app, app_cookie, 1), who(app, renewed, 1), told(renewed).application is None]]
    page = call(app, "/", HTTP_COOKIE=app_cookie)
    result += [[page.code, page.get("Location")]]
    result += [[who(app, cookies(left)[0], 1), who(app, other, 1), who(app, builder_cookie, 0)]]
    result += [[line.split()[2] for line in lines]]
    lines.clear()

    both = f"{other}; {builder_cookie}"
    (left,) = cookies(api(app, ["logout", 0, 0, None, 0], both))
    result += [[who(app, builder_cookie, 0), who(app, left, 0), who(app, other, 1)]]
    (again,) = log_in(app, "/builder_login.html", ADMIN)
    result += [[who(app, again, 0)]]
    """
    seen = inside(project, BEFORE + dedent(code))
    before, left, after, page, others, reasons, builder, again = seen
    assert before == [CLERK_ID, CLERK_ID, False]
    assert left == [302, "/", 1]
    assert after == [None, None, True]
    assert page == [302, "/login.html"]
    assert others == [None, CLERK_ID, ADMIN_ID]
    assert set(reasons) == {"reason=logged-out"}
    assert builder == [None, None, CLERK_ID]
    assert again == [ADMIN_ID]


def test_a_session_that_jam_py_replaces_goes_on(project: Path) -> None:
    """As where `on_request` logs people in by what another system says of them."""
    code = """
    def on_request(task, request):
        if request.path == "/in":
            request.task = task
            task.app.create_session(request, task, {"user_id": 1, "admin": True, "role_id": 1})
            response = sys.modules["jam.wsgi"].Response("in")
            request.save_client_cookie(response, task)
            return response

    project.app.task.on_request = on_request
    (other,) = cookies(call(app, "/in", HTTP_COOKIE=app_cookie))
    result = [who(app, app_cookie, 1), who(app, other, 1)]
    """
    assert inside(project, BEFORE + dedent(code)) == [CLERK_ID, ADMIN_ID]


def test_a_session_ends_with_its_user(project: Path) -> None:
    code = """
    import sqlite3
    import jamguard.jampy.users as users

    clock = [users.monotonic()]
    users.monotonic = lambda: clock[0]
    users.PATIENCE = 0.01
    database = sqlite3.connect("admin.sqlite", isolation_level=None)

    def after(statement):
        database.execute(statement)
        clock[0] += 60
        return [who(app, app_cookie, 1), who(app, builder_cookie, 0)]

    both = environ(HTTP_COOKIE=f"{app_cookie}; {builder_cookie}")
    own = {"uuid": "u", "user_info": {"user_id": "a name", "role_id": 2}}
    own = signed(own, project.app.admin.secret_key)

    def told():
        proved = project.sessions.proved(both)
        return [proved.application is not None, proved.builder is not None]

    result = {
        "before": after("SELECT 1"),
        "told": told(),
        "no administrator": after("UPDATE SYS_USERS SET F_ADMIN = 0 WHERE ID = 1"),
        "again": after("UPDATE SYS_USERS SET F_ADMIN = 1 WHERE ID = 1"),
        "deleted": after("UPDATE SYS_USERS SET DELETED = 1"),
        "not told": told(),
        "no number": who(app, f"{APP}={own}", 1),
        "restored": after("UPDATE SYS_USERS SET DELETED = 0"),
    }
    reasons = {line.split()[2] for line in lines}
    database.execute("UPDATE SYS_USERS SET DELETED = 1")
    users.sqlite3 = Broken = type("Broken", (), dict(vars(sqlite3)))
    def unable(*_, **__):
        raise sqlite3.OperationalError("unable to open database file")
    Broken.connect = staticmethod(unable)
    result["unreadable"] = after("SELECT 1")
    users.sqlite3 = sqlite3
    result["notices"] = sum("id=JG018" in line for line in lines)
    project.app.task.on_login = lambda task, form, info: None
    result["on_login"] = after("SELECT 1")
    result["reasons"] = sorted(reasons)
    """
    seen = inside(project, BEFORE + dedent(code))
    assert seen["before"] == seen["again"] == seen["restored"] == [CLERK_ID, ADMIN_ID]
    assert seen["no administrator"] == [CLERK_ID, None]
    assert seen["deleted"] == [None, None]
    assert (seen["told"], seen["not told"]) == ([True, True], [False, False])
    assert seen["no number"] == "a name"  # it is no number of one of Jam.py's own users
    assert seen["reasons"] == ["reason=no-such-user", "reason=not-an-administrator"]
    assert seen["unreadable"] == [CLERK_ID, ADMIN_ID]
    assert seen["notices"] == 1
    # the application's users are the project's own then, the builder's never are
    assert seen["on_login"] == [CLERK_ID, None]


def test_over_https_cookies_are_bound_to_the_host(project: Path) -> None:
    code = """
    def login(cookie="", **environ):
        answer = call(
            app, "/login.html", "POST", b"login=clerk&password=" + CLERK.password.encode(),
            CONTENT_TYPE="application/x-www-form-urlencoded", HTTP_COOKIE=cookie, **environ,
        )
        return answer.all("Set-Cookie")

    def again(cookie, **environ):
        return api(app, ["load", 1, 0, None, 0], cookie, **environ).all("Set-Cookie")

    made = login(**HTTPS)
    prefixed = made[0].partition(";")[0]
    result = {
        "made": [one.replace(value(prefixed), "VALUE") for one in made],
        "who": who(app, prefixed, 1, **HTTPS),
        "on the way": [one.partition("=")[0] for one in again(app_cookie, **HTTPS)],
        "old one goes": [one.partition(";")[0] for one in again(app_cookie, **HTTPS)][0],
        "both": [one.partition("=")[0] for one in again(f"{app_cookie}; {prefixed}", **HTTPS)],
        "unprefixed": who(app, app_cookie, 1, **HTTPS),
        "http": [one.partition("=")[0] for one in again(app_cookie)],
        "http login": [one.partition("=")[0] for one in login(prefixed)],
    }
    left = call(app, "/logout", HTTP_COOKIE=f"{prefixed}; {app_cookie}", **HTTPS)
    result["left"] = [one.partition("=")[0] for one in left.all("Set-Cookie")]
    result["after"] = [who(app, prefixed, 1, **HTTPS), who(app, "; ".join(cookies(left)), 1)]
    """
    seen = inside(project, BEFORE + dedent(code))
    assert seen["made"] == [f"{HOST_APP}=VALUE; Secure; HttpOnly; Path=/; SameSite=Lax"]
    assert seen["who"] == CLERK_ID
    assert seen["on the way"] == seen["both"] == seen["left"] == [APP, HOST_APP]
    assert seen["old one goes"] == f"{APP}="
    assert seen["unprefixed"] == CLERK_ID
    assert seen["http"] == seen["http login"] == [APP]
    assert seen["after"] == [None, None]


def test_a_session_can_be_given_a_lifetime(project: Path) -> None:
    code = """
    import jamguard.jampy.cookies
    import jamguard.jampy.sessions

    now = [int(jamguard.jampy.sessions.time())]
    jamguard.jampy.sessions.time = jamguard.jampy.cookies.time = lambda: now[0]
    app = Shield(jam, [Session(idle=600, absolute=3600)])
    (first,) = log_in(app, "/login.html", CLERK)
    result = [[who(app, first, 1), who(app, f"{APP}={plain}", 1)]]
    cookie = first
    for _ in range(6):
        now[0] += 600
        (cookie,) = cookies(api(app, ["load", 1, 0, None, 0], cookie))
    # a call in time each time: the first value is too old by now, and in a second the session is
    result += [[who(app, first, 1), who(app, cookie, 1)]]
    now[0] += 1
    result += [[who(app, cookie, 1)]]
    result += [sorted({line.split()[2] for line in lines})]
    """
    assert inside(project, BEFORE + dedent(code)) == [
        [CLERK_ID, None],
        [None, CLERK_ID],
        [None],
        ["reason=idle", "reason=too-old", "reason=untagged"],
    ]


def test_report_mode_only_says_what_would_not_count(project: Path) -> None:
    code = """
    app = Shield(jam, [Session(mode="report")])
    stolen = f"{BUILDER}={clerk}"
    told = project.sessions.proved(environ(HTTP_COOKIE=stolen)).builder
    result = [who(app, stolen, 0), told and told.user_id, who(app, app_cookie, 1)]
    call(app, "/logout", HTTP_COOKIE=app_cookie)
    result += [who(app, app_cookie, 1), project.sessions.proved(environ(HTTP_COOKIE=app_cookie))
        .application is not None]
    result += [[line.split()[0::2][:2] for line in lines]]
    """
    *seen, log = inside(project, BEFORE + dedent(code))
    assert seen == [CLERK_ID, CLERK_ID, CLERK_ID, CLERK_ID, True]
    assert [reason for event, reason in log if event == "would-refuse"] == [
        "reason=cookie-of-the-other-kind",
        "reason=logged-out",
    ]


def test_two_guards_are_one(project: Path) -> None:
    code = """
    inner = Shield(jam, [Session()])
    result = []
    for app in (Shield(inner, [Session()]), jamguard.harden(Shield(jam, [Session()]))):
        (cookie,) = log_in(app, "/login.html", CLERK)
        result.append([cookie.count("."), who(app, cookie, 1), who(inner, cookie, 1)])
    result.append([who(jam, cookie, 1), who(jam, f"{APP}={plain}", 1)])
    """
    once = [3, CLERK_ID, CLERK_ID]
    # and what does not come through a shield is as on plain Jam.py
    assert inside(project, BEFORE + dedent(code)) == [once, once, [None, CLERK_ID]]


def test_what_on_request_has_read_is_not_read_for_the_builder(project: Path) -> None:
    """Jam.py keeps the first session of a request; the project's code asked for another one."""
    on_request = """
    from support.projects import ADMIN, CLERK
    from support.sessions import *

    def on_request(task, request):
        task.app.check_session(request, task)
        if request.path == "/own":
            response = jam_wsgi.Response("mine")
            response.set_cookie("theme", "dark")
            request.save_client_cookie(response, task)
            return response

    jam_wsgi = sys.modules["jam.wsgi"]
    READ = ["server", 0, 0, ["server_file_info", ["wsgi.py"]], 0]
    """
    control = """
    app = create_application(".")
    (cookie,) = log_in(app, "/login.html", CLERK)
    sys.modules["jam.common"].consts.app.task.on_request = on_request
    result = b"create_application" in api(app, READ, cookie).body
    """
    assert inside(project, dedent(on_request) + dedent(control))
    code = """
    project.app.task.on_request = on_request
    own = call(app, "/own", HTTP_COOKIE=f"{app_cookie}; theme=light")
    result = [
        b"create_application" in api(app, READ, app_cookie).body,
        b"create_application" in api(app, READ, builder_cookie).body,
        who(app, app_cookie, 1),
        [one.partition("=")[0] for one in own.all("Set-Cookie")],
        who(app, cookies(own)[1], 1),
    ]
    """
    seen = inside(project, BEFORE + dedent(on_request) + dedent(code))
    assert seen == [False, True, CLERK_ID, ["theme", APP], CLERK_ID]


def test_without_safe_mode_nobody_is_somebody(tmp_path: Path) -> None:
    code = """
    from support.sessions import *
    from jamguard import Shield
    from jamguard.guards.session import Session
    from jamguard.jampy.session import NOBODY

    jam = create_application(".")
    app = Shield(jam, [Session(absolute=1)])
    load = ["load", 1, 0, None, 0]
    (cookie,) = cookies(api(app, load, ""))
    left = call(app, "/logout", HTTP_COOKIE=cookie)
    result = [
        [len(api(app, load, one).body) > 1000 for one in ("", cookie, cookies(left)[0], "a=b")],
        [len(api(app, ["load", 0, 0, None, 0], f"{BUILDER}={value(cookie)}").body) > 1000],
        app.site.project.sessions.proved(environ(HTTP_COOKIE=cookie)) == NOBODY,
    ]
    """
    project = make(tmp_path / "project", safe_mode=False)
    assert inside(project, code) == [[True] * 4, [True], True]


def test_an_unknown_jam_py_is_named(project: Path) -> None:
    code = """
    import logging
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("jamguard").addHandler(handler)
    jam = create_application(".")
    del sys.modules["jam.wsgi"].JamRequest.save_client_cookie
    jamguard.harden(jam)
    result = sum("id=JG019" in line for line in lines)
    """
    assert inside(project, code) == 1


def test_an_application_that_is_not_jam_pys_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    app = Shield(hello, [Session()])
    assert call(app, HTTP_COOKIE=f"{BUILDER}=anything").code == 200
    assert not caplog.text


def test_bad_settings_stop_the_start() -> None:
    with pytest.raises(ConfigError, match=r'session.idle: "soon" is not a span of time'):
        harden(hello, {"session": {"idle": "soon"}})
