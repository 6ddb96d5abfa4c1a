"""The builder of a real project: below another path, and for users who are logged in."""

from pathlib import Path
from typing import Any

import pytest
from support import projects
from support.inside import inside

#: asks by a path that only the middleware understands, hardened inside or outside of it
CODE = """
    class Prefix:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            path = environ["PATH_INFO"]
            environ.update(SCRIPT_NAME="/crm", PATH_INFO=path.removeprefix("/crm"))
            return self.app(environ, start_response)

    FORM = (
        '--b\\r\\nContent-Disposition: form-data; name="task_id"\\r\\n\\r\\n0\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="item_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="field_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file_name"\\r\\n\\r\\npwned.txt\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\nx\\r\\n'
        '--b--\\r\\n'
    ).encode()

    def codes(app, **more):
        asked = [
            call(app, "/crm/builder.html", **more),
            call(app, "/crm/api", "POST", b'["load",0,0,null,0]', **more),
            call(app, "/crm/upload", "POST", FORM, **more,
                 CONTENT_TYPE="multipart/form-data; boundary=b"),
            call(app, "/crm/api", "POST", b'["load",1,0,null,0]', **more),
        ]
        return [answer.code for answer in asked]

    jam = create_application("wsgi.py")
    here = dict(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost", HTTP_CONNECTION="keep-alive")
    plain = codes(Prefix(jam))
    result = {
        "plain": plain,
        "outside": codes(jamguard.harden(Prefix(jam))),
        "inside": codes(Prefix(jamguard.harden(jam))),
        "here": codes(jamguard.harden(Prefix(jam)), **here),
        "report": codes(jamguard.harden(Prefix(jam), {"builder": {"mode": "report"}})),
    }
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return inside(projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False), CODE)


@pytest.mark.parametrize(
    ("hardened", "builder"),
    [("plain", 200), ("outside", 403), ("inside", 403), ("here", 200), ("report", 200)],
)
def test_a_prefix_that_is_cut_off_does_not_hide_the_builder(
    answers: Any, hardened: str, builder: int
) -> None:
    assert answers[hardened] == [builder, builder, builder, 200]


#: without the guard `session`, so that Jam.py takes the clerk's cookie for the builder's
REPLAYED = """
    import os
    from jamguard.guards.builder import Builder
    from jamguard.guards.errors import Errors
    from support.projects import ADMIN, CLERK
    from support.sessions import *

    jam = create_application(".")
    (cookie,) = log_in(jam, "/login.html", CLERK)
    (admins,) = log_in(jam, "/builder_login.html", ADMIN)
    stolen = f"{BUILDER}={value(cookie)}"
    READ = ["server", 0, 0, ["server_file_info", ["wsgi.py"]], 0]
    FORM = (
        '--b\\r\\nContent-Disposition: form-data; name="task_id"\\r\\n\\r\\n0\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="item_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="field_id"\\r\\n\\r\\n-1\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="path"\\r\\n\\r\\nstatic/internal\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file_name"\\r\\n\\r\\npwned.txt\\r\\n'
        '--b\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\nx\\r\\n'
        '--b--\\r\\n'
    ).encode()

    def seen(app, cookie):
        form = "multipart/form-data; boundary=b"
        call(app, "/upload", "POST", FORM, HTTP_COOKIE=cookie, CONTENT_TYPE=form, **HERE)
        written = os.path.exists("static/internal/pwned.txt")
        if written:
            os.remove("static/internal/pwned.txt")
        page = call(app, "/builder.html", HTTP_COOKIE=cookie, **HERE)
        return [
            b"create_application" in api(app, READ, cookie).body,
            written,
            b"Application builder" in page.body,
            page.code,
        ]

    app = jamguard.Shield(jam, [Errors(), Builder()])
    result = {
        "plain": seen(jam, stolen),
        "hardened": seen(app, stolen),
        "administrator": seen(app, admins),
        "nobody": seen(app, ""),
        "login": call(app, "/builder_login.html", HTTP_COOKIE=stolen, **HERE).code,
        "anew": len(log_in(app, "/builder_login.html", ADMIN, HTTP_COOKIE=stolen)),
        "application": who(app, cookie, 1),
    }
"""


def test_a_user_who_got_into_the_builder_can_do_nothing_there(project: Path) -> None:
    answers = inside(project, REPLAYED)
    assert answers["plain"] == [True, True, True, 200]
    assert answers["hardened"] == [False, False, False, 403]
    assert answers["administrator"] == [True, True, True, 200]
    assert answers["nobody"] == [False, False, False, 302]
    assert (answers["login"], answers["anew"]) == (200, 1)
    assert answers["application"] == 2
