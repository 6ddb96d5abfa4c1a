"""Hostile and harmless paths on a real project: plain Jam.py first, then behind jamguard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import attrs
import pytest
from support.code import OWN_PAGES, add_task_code
from support.projects import ADMIN, CLERK, copy, make
from support.servers import Kind, Server, run_nginx, run_server

DATABASE: Final = b"SQLite format 3"

#: what downloads a file of the project on plain Jam.py
DOWNLOADS: Final = (
    "/jam/../admin.sqlite",
    "/jam/../demo.sqlite",
    "/jam/%2e%2e/admin.sqlite",
    "/jam/.%2E/admin.sqlite",
    "/jam/..%2fadmin.sqlite",
    "/jam%2f..%2fadmin.sqlite",
    "/%6aam/../admin.sqlite",
    "/jam//../admin.sqlite",
    "/jam/./../admin.sqlite",
    "/jam/x/../../admin.sqlite",
    "http://other.example.com/jam/../admin.sqlite",
)
#: what a logged-in user downloads
DOWNLOADS_OF_USERS: Final = ("/js/../admin.sqlite", "/css/%2e%2e/admin.sqlite")

#: what is served without any trick, and is a file of the package or of nobody's pages
NEEDLESS: Final = (
    "/jam/wsgi.py",
    "/jam/admin//builder.py",
    "/jam/wsgi.py/",
    "/jam/%77sgi.py",
    "/jam%2fwsgi.py",
    "/jam/admin/builder.py",
    "/jam/admin/builder_structure.info",
    "/jam/project/admin.sqlite",
    "/jam/langs.sqlite",
    "/jam/html/builder.html",
    "/static/.env",
    "/static/.git/config",
    "/static/copy.sqlite",
    "/static/copy.sqlite/",
    "/static/own.py",
    "/static/js/own.js~",
    "/static%2fjs%2fown.js~",
)
SECRET: Final = "what only some may read"

#: names that an upload, or somebody by hand, puts into static/files
NAMES: Final = (
    "plain.txt",
    "annual report.txt",
    "report (1) [final] {2}.txt",
    "Żółć-名前-naïve.txt",
    "a..b.txt",
    "..a.txt",
    "100% sure.txt",
    "%2e%2e.txt",
    "a+b&c=d;e,f@g!h'i~j$k.txt",
    "12:30.txt",
    "what?.txt",
    "no#1.txt",
    ".hidden.txt",
    "no ending",
)


@attrs.frozen
class Site:
    kind: Kind
    plain: Server
    hardened: Server


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def site(
    request: pytest.FixtureRequest, demo_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    projects = [
        add_task_code(copy(demo_project, folder / name), OWN_PAGES)
        for name in ("plain", "hardened")
    ]
    for project in projects:
        files = project / "static" / "files"
        files.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (files / name).write_text(f"this is {name}", "utf-8")
        for path in NEEDLESS:
            if path.startswith("/static/"):
                left = project / path.strip("/")
                left.parent.mkdir(parents=True, exist_ok=True)
                left.write_text(SECRET, "utf-8")
    with (
        run_server(projects[0], kind, harden=False) as plain,
        run_server(projects[1], kind) as hardened,
    ):
        for server in (plain, hardened):
            server.request("GET", "/")  # loads the project, and with it the pages of its own
        yield Site(kind, plain, hardened)


@pytest.mark.parametrize("path", DOWNLOADS)
def test_the_projects_files_stay_where_they_are(site: Site, path: str) -> None:
    stolen = site.plain.request("GET", path)
    assert stolen.status == 200
    assert stolen.body.startswith(DATABASE), "the control: plain Jam.py hands the database out"
    reply = site.hardened.request("GET", path)
    assert reply.status == 400
    assert DATABASE not in reply.body
    assert "guard=path" in site.hardened.log()


@pytest.mark.parametrize("path", NEEDLESS)
def test_a_file_that_no_browser_needs_is_not_there(site: Site, path: str) -> None:
    stolen = site.plain.request("GET", path)
    assert stolen.status == 200, "the control"
    assert len(stolen.body) > 20  # not the empty answer to what is not there
    reply = site.hardened.request("GET", path)
    assert reply.status == 404
    assert "There is nothing at this address." in reply.text
    assert not site.hardened.request("HEAD", path).body
    assert "reason=not-served" in site.hardened.log()


@pytest.mark.parametrize(
    ("path", "file"),
    [("/static/reports/own.ods", "report"), ("/static/internal/own.zip", "export")],
    ids=["a report", "an export"],
)
def test_what_only_some_may_read_is_theirs(site: Site, path: str, file: str) -> None:
    for server in (site.plain, site.hardened):
        # loading the project, which the first page does, has emptied static/internal
        place = server.output.parent / ("plain" if server is site.plain else "hardened")
        made = place / path.strip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(SECRET, "utf-8")
    assert site.plain.request("GET", path).text == SECRET, "the control"
    here = {"Connection": "keep-alive"}  # as a browser on this very machine
    user = here | {"Cookie": site.hardened.login(CLERK)}
    builder = here | {"Cookie": site.hardened.login(ADMIN, "/builder_login.html", here)}
    readers = {"report": (user, builder), "export": (builder,)}[file]
    for headers in (here, user, builder):
        reply = site.hardened.request("GET", path, headers)
        if headers in readers:
            assert (reply.status, reply.text) == (200, SECRET)
            assert reply.get("Cache-Control") == "no-store"
            assert reply.get("Expires") is None
        else:
            assert reply.status == 404
            assert SECRET not in reply.text


def test_a_report_is_everybodys_where_nobody_logs_in(tmp_path: Path) -> None:
    project = make(tmp_path / "project", safe_mode=False)
    with run_server(project) as server:
        server.request("GET", "/")
        for path in ("static/reports/own.ods", "static/internal/own.zip"):
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(SECRET, "utf-8")
        assert server.request("GET", "/static/reports/own.ods").text == SECRET
        here = {"Connection": "keep-alive"}  # the builder's networks: this very machine
        assert server.request("GET", "/static/internal/own.zip", here).text == SECRET
        assert server.request("GET", "/static/internal/own.zip").status == 403


def test_slashes_that_only_waitress_folds_are_no_way_in(site: Site) -> None:
    stolen = site.plain.request("GET", "//jam/../admin.sqlite")
    assert stolen.body.startswith(DATABASE) == (site.kind == "waitress"), "the control"
    assert site.hardened.request("GET", "//jam/../admin.sqlite").status == 400


@pytest.mark.parametrize("path", DOWNLOADS_OF_USERS)
def test_they_stay_there_for_a_user_too(site: Site, path: str) -> None:
    cookie = {"Cookie": site.plain.login(CLERK)}
    assert site.plain.request("GET", path, cookie).body.startswith(DATABASE), "the control"
    cookie = {"Cookie": site.hardened.login(CLERK)}
    assert site.hardened.request("GET", path, cookie).status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/jam/..\\admin.sqlite",
        "/jam/..%5cadmin.sqlite",
        "/jam/js/jam.js%00",
        "/static/files/%0d%0aSet-Cookie:a=b",
        "/static/%2e%2e%20/admin.sqlite",
        "/static/..",
        "/..%2f..%2fetc%2fpasswd",
    ],
)
def test_what_other_systems_would_resolve_is_refused(site: Site, path: str) -> None:
    assert site.hardened.request("GET", path).status == 400


def test_a_proxy_that_passes_paths_on_is_no_help_and_none_is_needed(site: Site) -> None:
    how = "location / { proxy_pass http://UPSTREAM; }"
    with run_nginx(how, site.plain) as nginx:
        stolen = nginx.request("GET", "/jam/../admin.sqlite")
        assert stolen.body.startswith(DATABASE), "the control"
    with run_nginx(how, site.hardened) as nginx:
        assert nginx.request("GET", "/jam/../admin.sqlite").status == 400


@pytest.mark.parametrize("name", NAMES)
def test_an_ordinary_file_is_served_whatever_its_name(site: Site, name: str) -> None:
    path = "/static/files/" + quote(name)
    reply = site.hardened.request("GET", path)
    assert reply.status == 200
    assert reply.text == f"this is {name}"
    assert not site.hardened.request("HEAD", path).body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_page_of_the_projects_own_gets_every_ordinary_method(site: Site, method: str) -> None:
    for server in (site.plain, site.hardened):
        reply = server.request(method, "/own/page", body=b"{}")
        assert (reply.status, reply.text) == (200, f"{method} page")


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
def test_a_method_that_no_page_needs_is_not_implemented(site: Site, method: str) -> None:
    assert site.plain.request(method, "/own/page").status == 200, "the control"
    assert site.hardened.request(method, "/own/page").status == 501
    assert site.hardened.request(method, "/login.html").status == 405


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/", "GET, HEAD"),
        ("DELETE", "/login.html", "GET, HEAD, POST"),
        ("OPTIONS", "/js/demo.js", "GET, HEAD"),
        ("GET", "/api", "POST"),
        ("PATCH", "/upload", "POST"),
        ("POST", "/jam/js/jam.js", "GET, HEAD"),
    ],
)
def test_a_place_of_jam_pys_names_its_methods(
    site: Site, method: str, path: str, allowed: str
) -> None:
    reply = site.hardened.request(method, path)
    assert (reply.status, reply.get("Allow")) == (405, allowed)


@pytest.mark.parametrize(
    "line",
    [
        "OPTIONS * HTTP/1.1",
        "GET http://other.example.com/own/page HTTP/1.1",
        "GET own/page HTTP/1.1",
        "get /own/page HTTP/1.1",
        "GET /own\\page HTTP/1.1",
        "CONNECT other.example.com:443 HTTP/1.1",
    ],
)
def test_an_odd_request_line_gets_no_page(site: Site, line: str) -> None:
    data = f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = site.hardened.raw(data)
    assert answer.split(b" ", 2)[1] in {b"400", b"501"}, answer


def test_gunicorn_takes_the_mount_from_declared_proxies_only(
    demo_project: Path, tmp_path: Path
) -> None:
    """It believes `SCRIPT_NAME` of any loopback peer, which then chooses what a path means."""
    project = copy(demo_project, tmp_path / "project")
    header = {"SCRIPT_NAME": "/hidden"}
    with run_server(copy(demo_project, tmp_path / "plain"), harden=False) as plain:
        assert plain.request("GET", "/hidden/login.html", header).status == 200, "the control"
    with run_server(project) as hardened:
        assert hardened.request("GET", "/hidden/login.html", header).status == 400
        assert hardened.request("GET", "/login.html").status == 200
    declared = '[tool.jamguard.proxy]\ntrusted = ["127.0.0.1"]\n'
    with run_server(project, config=declared) as hardened:
        assert hardened.request("GET", "/hidden/login.html", header).status == 200
