"""What a project answers by itself is the same without and with jamguard.

`on_request`, `on_ext_request`, `on_upload`, `on_login` and `on_logout` of a project's task,
over HTTP on two servers.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest
from support.code import add_task_code
from support.projects import CUSTOMERS, FIELD_DOC, TASK, copy
from support.servers import Reply, Server, run_server

HOOKS = """
import os
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

USERS = {"o'brien": ('p"w; -- 1=1', 7), 'ann': ('x', 8)}

def on_request(task, request):
    parts = request.path.strip('/').split('/')
    if parts[0] != 'own':
        return None
    if parts[1] == 'json':
        return Response(json_text(request), mimetype='application/json')
    if parts[1] == 'moved':
        return redirect('/own/page?from=%C3%A9')
    if parts[1] == 'stream':
        return Response((b'%d\\n' % n for n in range(3)), mimetype='text/plain')
    if parts[1] == 'cookies':
        response = Response(repr(sorted(request.cookies.items())))
        response.set_cookie('basket', '1 2;3', max_age=60)
        response.set_cookie('lang', 'de', path='/own')
        return response
    if parts[1] == 'form':
        return Response(repr((request.form.to_dict(), [f.read() for f in request.files.values()])))
    return Response('%s %s' % (request.method, '/'.join(parts[1:])))

def json_text(request):
    import json
    return json.dumps([request.method, request.get_json(silent=True)])

def on_ext_request(task, request, params):
    return {'path': request.path, 'got': params}

def on_upload(task, path, file_name, file):
    if file_name.startswith('own'):
        folder = os.path.join(task.work_dir, 'static', 'own')
        os.makedirs(folder, exist_ok=True)
        file.save(os.path.join(folder, 'kept.txt'))
        return 'static/own', 'kept.txt'

def on_login(task, form_data, info):
    password, number = USERS.get(form_data['login'], (None, None))
    if password is not None and form_data['password'] == password:
        return {'user_id': number, 'user_name': form_data['login'], 'role_id': 1,
                'role_name': 'clerk'}
"""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PART = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\ny\r\n--b--\r\n'
)


@attrs.frozen
class Sites:
    plain: Server
    hardened: Server

    def ask(self, *how: object, **more: object) -> tuple[Reply, Reply]:
        return tuple(site.request(*how, **more) for site in (self.plain, self.hardened))  # type: ignore[arg-type,return-value] # as Server.request


@pytest.fixture(scope="module")
def sites(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    folder = tmp_path_factory.mktemp("hooks")
    projects = [add_task_code(copy(demo_project, folder / name), HOOKS) for name in ("a", "b")]
    with run_server(projects[0], harden=False) as plain, run_server(projects[1]) as hardened:
        for site in (plain, hardened):
            site.request("GET", "/")  # Jam.py knows no page of a project before its first one
        yield Sites(plain, hardened)
        assert "guard=" not in hardened.log()


def cookie_of(site: Server, login: str = "o'brien", password: str = 'p"w; -- 1=1') -> str:
    form = urlencode({"login": login, "password": password}).encode()
    reply = site.request("POST", "/login.html", FORM, form)
    assert reply.status == 302, reply
    return (reply.get("Set-Cookie") or "").partition(";")[0]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/own/page", {}, None),
        ("HEAD", "/own/page", {}, None),
        ("PUT", "/own/thing/5", JSON, b'{"a": 1}'),
        ("PATCH", "/own/thing/5", JSON, b"[]"),
        ("DELETE", "/own/thing/5", {}, None),
        ("POST", "/own/json", JSON, b'["server",0,0,["x; DROP TABLE"],{"a":[NaN]}]'),
        ("POST", "/own/json", JSON, b'{"id": "1 or 1=1", "b": [[[1.5, null]]]}'),
        ("POST", "/own/form", FORM, b"task_id=0&q=%27+or+1%3D1"),
        ("POST", "/own/form", {"Content-Type": "multipart/form-data; boundary=b"}, PART),
        ("GET", "/own/moved", {}, None),
        ("GET", "/own/stream", {}, None),
        ("GET", "/own/cookies", {"Cookie": 'a=1; b="x y"; c=%C3%A9'}, None),
        ("GET", "/own/page?q=../../x&r=%27", {}, None),
        ("GET", "/own/api/builder.html", {}, None),
    ],
)
def test_a_page_of_its_own_answers_the_same(
    sites: Sites, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> None:
    plain, hardened = sites.ask(method, path, headers, body)
    assert plain.status < 400
    assert (hardened.status, hardened.body) == (plain.status, plain.body)
    for name in ("Content-Type", "Location", "Content-Length"):
        assert hardened.get(name) == plain.get(name)
    assert [one.partition(";")[0] for one in hardened.all("Set-Cookie")] == [
        one.partition(";")[0] for one in plain.all("Set-Cookie")
    ]


@pytest.mark.parametrize("path", ["/ext", "/ext/callback", "/ext/a/b/0", "/ext/api"])
def test_other_programs_are_answered_the_same(sites: Sites, path: str) -> None:
    body = json.dumps({"task_id": 0, "sql": "1 or 1=1", "nested": [[{"a": None}]]}).encode()
    plain, hardened = sites.ask("POST", path, JSON, body)
    assert plain.json["result"]["data"]
    assert (hardened.status, hardened.json) == (plain.status, plain.json)


def test_users_of_its_own_log_in_and_work(sites: Sites) -> None:
    call = ["open", TASK, CUSTOMERS, {"__expanded": True, "__fields": ["id", "name"]}, 0]
    answers: list[Any] = []
    for site in (sites.plain, sites.hardened):
        wrong = urlencode({"login": "o'brien", "password": "' or 1=1 --"}).encode()
        assert site.request("POST", "/login.html", FORM, wrong).status == 200
        first, second = cookie_of(site), cookie_of(site, "ann", "x")
        replies = [site.api(call, cookie) for cookie in (first, second, f"basket=1; {first}; z=2")]
        answers.append([reply.json for reply in replies])
        assert {reply.json["result"]["status"] for reply in replies} == {9}
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ["own.txt", "left to Jam.py.txt"])
def test_uploads_are_kept_where_it_wants_them(sites: Sites, name: str) -> None:
    values = {"task_id": TASK, "item_id": CUSTOMERS, "field_id": FIELD_DOC, "path": "undefined"}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in {**values, "file_name": name}.items()
    )
    file = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nmine\r\n'
    body = (parts + file + "--b--\r\n").encode()
    for site in (sites.plain, sites.hardened):
        headers = {
            "Content-Type": "multipart/form-data; boundary=b",
            "Cookie": cookie_of(site),
        }
        data = site.request("POST", "/upload", headers, body).json["result"]["data"]
        assert data["path"] == ("static/own" if name.startswith("own") else "static/files")
        assert site.request("GET", f"/{data['path']}/{data['file_name']}").body == b"mine"


@pytest.mark.parametrize(
    ("farewell", "status"),
    [("None", 302), ("Response('good bye')", 500)],  # plain Jam.py cannot send a response there
)
def test_its_farewell_is_said(
    demo_project: Path, tmp_path: Path, farewell: str, status: int
) -> None:
    code = f"""
from pathlib import Path

def on_logout(task, request):
    Path('farewell.txt').write_text(str(len(request.cookies)))
    return {farewell}
"""
    for harden in (False, True):
        folder = add_task_code(copy(demo_project, tmp_path / str(harden)), HOOKS + code)
        with run_server(folder, harden=harden) as site:
            reply = site.request("GET", "/logout", {"Cookie": cookie_of(site)})
            assert reply.status == status
            assert (folder / "farewell.txt").read_text() == "1"
