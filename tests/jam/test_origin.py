"""Calls of pages of other sites: by a path that something behind the shield changes, and on v5."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import v5
from support.inside import inside
from support.projects import TASK
from support.servers import run_server
from support.v5_project import CLERK

#: asks by paths that only the middleware understands: of Jam.py, and of the project's own code
CODE = """
    from werkzeug.wrappers import Response

    class Prefix:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            path = environ["PATH_INFO"]
            environ.update(SCRIPT_NAME="/crm", PATH_INFO=path.removeprefix("/crm"))
            return self.app(environ, start_response)

    def own(task, request):
        if request.path == "/hook":
            return Response("taken")

    def codes(app, **more):
        asked = [
            call(app, "/crm/api", "POST", b'["load",1,0,null,0]', **more),
            call(app, "/crm/hook", "POST", b"paid=1", **more),
        ]
        return [answer.code for answer in asked]

    def report(app):
        return jamguard.harden(app, {"origin": {"mode": "report"}})

    jam = create_application("wsgi.py")
    call(jam, "/")
    jamguard.harden(jam).site.project.task.on_request = own
    cross = {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://evil.example"}
    result = {
        "plain": codes(Prefix(jam), **cross),
        "outside": codes(jamguard.harden(Prefix(jam)), **cross),
        "inside": codes(Prefix(jamguard.harden(jam)), **cross),
        "same origin": codes(jamguard.harden(Prefix(jam)), HTTP_SEC_FETCH_SITE="same-origin"),
        "report": codes(report(Prefix(jam)), **cross),
    }
"""


@pytest.fixture(scope="module")
def answers(demo_project: Path) -> Any:
    return inside(demo_project, CODE)


@pytest.mark.parametrize("where", ["plain", "same origin", "report"])
def test_without_the_guard_jam_py_answers_by_any_path(answers: Any, where: str) -> None:
    assert answers[where] == [200, 200]


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_path_that_leads_to_jam_pys_own_places_is_no_way_round(answers: Any, where: str) -> None:
    assert answers[where] == [403, 200]


@pytest.mark.parametrize("harden", [False, True], ids=["plain", "hardened"])
def test_no_other_site_logs_a_user_of_v5_in(
    v5_python: Path, tmp_path: Path, *, harden: bool
) -> None:
    project = v5.make_project(v5_python, tmp_path / "project")
    form = {"login": CLERK.login, "password": CLERK.password}
    login = json.dumps(["login", TASK, 0, [form], 0]).encode()
    headers = {"Host": "www.example.com", "Content-Type": "text/plain"}
    evil, own = ({**headers, "Origin": f"http://{name}.example.com"} for name in ("evil", "www"))
    with run_server(project, harden=harden, python=v5_python) as server:
        reply = server.request("POST", "/api", evil, login)
        assert (b'"data": true' in reply.body) is not harden
        reply = server.request("POST", "/api", own, login)
        assert b'"data": true' in reply.body
