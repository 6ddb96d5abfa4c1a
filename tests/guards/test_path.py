"""Which paths, files and methods pass, whatever the server made of them."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter
from types import ModuleType, SimpleNamespace

import pytest
from support.jam import BUILDER_SESSION, SESSION, jam_site
from support.wsgi import call, environ, hello, serve

from jamguard import Shield
from jamguard.guards.builder import Builder
from jamguard.guards.path import Path
from jamguard.guards.proxy import Proxy
from jamguard.jampy.session import Session
from jamguard.values import parse_network

SITE = jam_site()


def answer(path: str, method: str = "GET", *, jam: bool = True) -> int:
    return call(Shield(hello, [Path()], SITE if jam else None), path, method).code


HOSTILE = {
    "dots": "/jam/../admin.sqlite",
    "dots at once": "/../admin.sqlite",
    "dots behind two slashes": "//jam/../admin.sqlite",
    "dots behind empty segments": "/jam//../admin.sqlite",
    "dots behind another segment": "/jam/x/../../admin.sqlite",
    "dots for a logged-in user": "/js/../admin.sqlite",
    "dots at the end": "/static/..",
    "one dot": "/jam/./wsgi.py",
    "one dot at the end": "/jam/.",
    "three dots, which old Windows goes up by": "/jam/.../admin.sqlite",
    "a blank behind the dots, which Windows drops": "/jam/.. /admin.sqlite",
    "a blank before the dots": "/jam/ ../admin.sqlite",
    "dots with the name of an NTFS stream": "/jam/..::$INDEX_ALLOCATION/admin.sqlite",
    "backslash": "/jam/..\\admin.sqlite",
    "backslash in a name": "/static/files/a\\b",
    "NUL": "/jam/js/jam.js\x00.png",
    "line feed": "/static/files/a\nb",
    "carriage return": "/static/files/a\r\nSet-Cookie: a=b",
    "tab": "/static/files/a\tb",
    "delete": "/static/files/a\x7f",
    "absolute form": "http://other.example.com/",
    "asterisk form": "*",
    "authority form": "other.example.com:443",
    "no slash": "api",
    "outside of Jam.py's places": "/own/../jam/../admin.sqlite",
}


@pytest.mark.parametrize("jam", [True, False], ids=["Jam.py", "any application"])
@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_a_path_that_can_be_read_in_two_ways_is_refused(path: str, jam: bool) -> None:
    assert answer(path, jam=jam) == 400


HARMLESS = {
    "the start": "/",
    "a mount without a slash": "",
    "many slashes": "///",
    "an empty segment": "/static//files/a.txt",
    "dots in a name": "/static/files/jquery.min.3.7.js",
    "two dots in a name": "/static/files/a..b",
    "two dots at its start": "/static/files/..a",
    "two dots at its end": "/static/files/a..",
    "a hidden file": "/.well-known/acme-challenge/token",
    "a trailing dot": "/static/files/annual report.",
    "a trailing blank": "/static/files/report ",
    "blanks and brackets": "/static/files/annual report (1) [final] {2}.pdf",
    "percent, once decoded": "/static/files/100% sure.pdf",
    "percent that looks encoded, once decoded": "/static/files/%2e%2e",
    "punctuation": "/static/files/a;b,c=d&e+f@g!h'i~j$k#l?m\"n<o>p|q^r`s*",
    "a colon": "/static/files/12:30.png",
    "UTF-8": "/static/files/Żółć-名前-naïve.pdf".encode().decode("latin-1"),
    "not UTF-8": "/static/files/\xff\xfe",
    "fullwidth dots": "/static/files/\uff0e\uff0e".encode().decode("latin-1"),
    "overlong dots, which no decoder accepts": "/static/\xc0\xae\xc0\xae/a",
    "a path of the project's own": "/own/page",
}


@pytest.mark.parametrize("path", HARMLESS.values(), ids=HARMLESS)
def test_an_ordinary_path_passes(path: str) -> None:
    assert answer(path) == 200


ALLOWED = {
    "/": "GET, HEAD",
    "/index.html": "GET, HEAD",
    "/login.html": "GET, HEAD, POST",
    "/login.html/": "GET, HEAD, POST",
    "/builder.html": "GET, HEAD",
    "/builder_login.html": "GET, HEAD, POST",
    "/api": "POST",
    "//api/": "POST",
    "/upload": "POST",
    "/ext/report": "POST",
    "/logout": "GET, POST",
    "/jam/js/jam.js": "GET, HEAD",
    "/js/demo.js": "GET, HEAD",
    "/css/project.css": "GET, HEAD",
    "/static/files/a.png": "GET, HEAD",
    "/static/reports/a.ods": "GET, HEAD",
    "/static/internal/demo.zip": "GET, HEAD",
    "/favicon.ico": "GET, HEAD",
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ALLOWED)
def test_a_place_of_jam_py_takes_its_own_methods_only(path: str, method: str) -> None:
    reply = call(Shield(hello, [Path()], SITE), path, method)
    if method in ALLOWED[path].split(", "):
        assert reply.code == 200
    else:
        assert reply.code == 405
        assert reply.get("Allow") == ALLOWED[path]


@pytest.mark.parametrize(
    ("method", "code"),
    [
        *((method, 200) for method in METHODS if method.isupper() and method != "TRACE"),
        ("M-SEARCH", 200),
        ("TRACE", 501),
        ("TRACK", 501),
        ("CONNECT", 501),
        ("get", 400),
        ("Get", 400),
        ("GET ", 400),
        ("GÉT", 400),
        ("", 400),
        ("A" * 32, 200),
        ("A" * 33, 400),
        ("FOO-bar_x!", 400),
        ("GET\n", 400),
    ],
)
def test_any_other_place_takes_any_ordinary_method(method: str, code: int) -> None:
    assert answer("/own/page", method) == code
    assert answer("/api", method, jam=False) == code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/jam/wsgi.py", "/static/.env", "/js/x.py", "/api/own", "/"])
def test_a_file_that_no_browser_needs_is_as_good_as_not_there(path: str, method: str) -> None:
    reply = call(Shield(hello, [Path()], SITE), path, method)
    if path == "/":
        assert reply.code == (200 if method == "GET" else 405)
    else:
        assert reply.code == 404
    assert answer(path, method, jam=False) == 200


def test_a_project_that_answers_first_may_have_pages_below_jam_pys_places() -> None:
    site = jam_site()
    assert site.project
    shield = Shield(hello, [Path()], site)
    assert call(shield, "/api/own", "POST").code == 404
    site.project.app._App__task = SimpleNamespace(on_request=print)
    for path in ("/api/own", "/upload/own", "/logout/own", "/index.html/own"):
        assert call(shield, path, "GET" if path.startswith("/index") else "POST").code == 200
    assert call(shield, "/jam/own").code == 404
    assert call(shield, "/static/own.sqlite").code == 404


def test_what_the_operator_calls_public_is_served_whatever_its_name() -> None:
    public = ("/static/own.sqlite", "/static/zdjęcia/", "/static/reports/")
    shield = Shield(hello, [Path(public=public)], SITE)
    photo = "/static/zdjęcia/x.py".encode().decode("latin-1")
    with safe_mode():
        for path in ("/static/own.sqlite", photo, "/static/reports/a.ods"):
            assert call(shield, path).code == 200
    for path in ("/static/own.sqlite/", "/static/own.sqlite2", "/static/zdj.py", "//static/x.py"):
        assert call(shield, path).code == 404
    assert call(shield, "/static/reports/../../admin.sqlite").code == 400


def test_the_log_says_what_would_open_a_file(caplog: pytest.LogCaptureFixture) -> None:
    shield = Shield(hello, [Path()], SITE)
    hint = 'detail="unless [tool.jamguard.path] public names it"'
    assert call(shield, "/jam/wsgi.py").code == 404
    assert hint not in caplog.text
    assert call(shield, "/static/own.sqlite").code == 404
    assert hint in caplog.text


def test_only_what_lies_in_static_can_be_public() -> None:
    with pytest.raises(ValueError, match='has "/jam/", which does not start with "/static/"'):
        Path(public=("/jam/",))


@contextmanager
def safe_mode() -> Generator[None, None, None]:
    """Stand in for the module where Jam.py keeps its parameters."""
    common = ModuleType("jam.common")
    common.consts = SimpleNamespace(SAFE_MODE=True)  # type: ignore[attr-defined] # as in Jam.py
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, common.__name__, common)
        yield


USER = Session("a", 2, admin=False)
ADMIN = Session("b", 1, admin=True)


@pytest.mark.parametrize(
    ("sessions", "report", "export"),
    [
        ({}, 404, 404),
        ({SESSION: USER}, 200, 404),
        ({SESSION: ADMIN}, 200, 404),
        ({BUILDER_SESSION: USER}, 200, 404),
        ({BUILDER_SESSION: ADMIN}, 200, 200),
        ({SESSION: USER, BUILDER_SESSION: ADMIN}, 200, 200),
    ],
    ids=["nobody", "user", "administrator", "no administrator", "builder", "both"],
)
def test_reports_are_for_users_and_exports_for_the_builder(
    sessions: dict[str, Session], report: int, export: int
) -> None:
    shield = Shield(hello, [Path()], jam_site())
    for path, code in (("/static/reports/a.ods", report), ("/static/internal/a.zip", export)):
        assert serve(shield, environ(path) | sessions).code == 200
        with safe_mode():
            assert serve(shield, environ(path) | sessions).code == code
            assert serve(shield, environ("/static/files/a.ods") | sessions).code == 200


def test_the_builders_networks_are_the_exports_too() -> None:
    """Without safe mode nobody logs in, so they are all that decides."""
    shield = Shield(hello, [Path(), Builder(allow=(parse_network("198.51.100.0/24"),))], jam_site())
    stranger = environ("/static/internal/a.zip")
    assert serve(shield, stranger).code == 403
    builder = environ("/static/internal/a.zip", REMOTE_ADDR="198.51.100.1")
    assert serve(shield, builder).code == 200


def test_a_project_that_answers_first_may_answer_any_method_of_a_call() -> None:
    """Its `on_request` may be made for CORS (OPTIONS) or for the check of a webhook (GET)."""
    site = jam_site()
    assert site.project
    site.project.app._App__task = SimpleNamespace(on_request=print)
    shield = Shield(hello, [Path()], site)
    assert {call(shield, path, "OPTIONS").code for path in ("/api", "/upload", "/ext/x")} == {200}
    assert call(shield, "/ext/x", "TRACE").code == 501
    assert call(shield, "/static/a.png", "OPTIONS").code == 405


@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"], ids=["gunicorn", "others"])
@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/own?next=http://other.example.com/", 200),
        ("//own", 200),
        ("", 200),
        ("http://other.example.com/own", 400),
        ("*", 400),
        ("own", 400),
    ],
)
def test_a_target_with_a_host_in_it_is_refused_where_the_server_shows_it(
    key: str, target: str, code: int
) -> None:
    assert serve(Shield(hello, [Path()], SITE), {**environ("/own"), key: target}).code == code


SEEN: dict[str, tuple[dict[str, str], int]] = {
    "decoded once, by most": ({"PATH_INFO": "/jam/js/jam.js", "RAW_URI": "/jam/%6as/jam.js"}, 200),
    "and the sources": ({"PATH_INFO": "/jam/wsgi.py", "RAW_URI": "/jam/%77sgi.py"}, 404),
    "a slash kept encoded, by cheroot": ({"PATH_INFO": "/jam/..%2Fadmin.sqlite"}, 404),
    "dots resolved, by uWSGI": ({"PATH_INFO": "/wsgi.py", "REQUEST_URI": "/jam/../wsgi.py"}, 200),
    "encoded dots left, by uWSGI": ({"PATH_INFO": "/jam/../wsgi.py"}, 400),
    "NUL for %zz, by uWSGI": ({"PATH_INFO": "/jam/js/jam.js\x00", "REQUEST_URI": "/%zz"}, 400),
    "a host in it, by uWSGI and wsgiref": ({"PATH_INFO": "http://x/jam/js/jam.js"}, 400),
    "a host taken out, by gunicorn": ({"PATH_INFO": "/", "RAW_URI": "http://x/"}, 400),
    "no path for a relative one, by granian": ({"PATH_INFO": ""}, 200),
    "the sign for what is no UTF-8, by granian": ({"PATH_INFO": "/jam/js/\ufffd.js"}, 200),
    "an asterisk, by most": ({"PATH_INFO": "*"}, 400),
    "an asterisk, by cheroot": ({"PATH_INFO": "/*"}, 200),
    "slashes kept, by gunicorn": ({"PATH_INFO": "//jam/wsgi.py"}, 404),
    "slashes folded, by waitress": (
        {"PATH_INFO": "/jam/wsgi.py", "REQUEST_URI": "//jam/wsgi.py"},
        404,
    ),
    "a mount": ({"SCRIPT_NAME": "/crm", "PATH_INFO": "/jam/js/jam.js"}, 200),
    "sources below a mount": ({"SCRIPT_NAME": "/crm", "PATH_INFO": "/jam/wsgi.py"}, 404),
    "a place for a mount": ({"SCRIPT_NAME": "/jam", "PATH_INFO": "/wsgi.py"}, 200),
    "the mount itself": ({"SCRIPT_NAME": "/crm", "PATH_INFO": ""}, 200),
}


@pytest.mark.parametrize(("seen", "code"), SEEN.values(), ids=SEEN)
def test_a_path_counts_as_the_server_hands_it_on(seen: dict[str, str], code: int) -> None:
    assert serve(Shield(hello, [Path()], SITE), {**environ(), **seen}).code == code


def test_no_path_at_all_is_the_start() -> None:
    """PEP 3333 lets a server leave out what is empty."""
    without = environ()
    del without["PATH_INFO"], without["SCRIPT_NAME"]
    assert serve(Shield(hello, [Path()], SITE), without).code == 200


@pytest.mark.parametrize("header", ["HTTP_SCRIPT_NAME", "HTTP_PATH_INFO"])
def test_only_a_declared_proxy_may_say_where_the_site_is_mounted(header: str) -> None:
    spoof = {**environ("/own"), header: "/x"}
    assert serve(Shield(hello, [Path()], SITE), spoof).code == 400
    behind = Shield(hello, [Proxy(trusted=("192.0.2.0/24",)), Path()], SITE)
    assert serve(behind, {**environ("/own"), header: "/x"}).code == 200
    stranger = {**environ("/own"), header: "/x", "REMOTE_ADDR": "198.51.100.1"}
    assert serve(behind, stranger).code == 400


def test_in_report_mode_everything_passes() -> None:
    reporting = Shield(hello, [Path(mode="report")], SITE)
    assert call(reporting, "/jam/../admin.sqlite").code == 200
    assert call(reporting, "/api", "DELETE").code == 200


@pytest.mark.parametrize("unit", [".", " ", "/", "/.", ". ", "/ ", "/.. x", "a."])
def test_a_long_path_costs_no_more_than_its_length(unit: str) -> None:
    path = "/" + unit * 200_000 + "x"
    start = perf_counter()
    answer(path)
    assert perf_counter() - start < 1  # what is quadratic takes minutes
