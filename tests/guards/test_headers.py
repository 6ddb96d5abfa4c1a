"""Security headers on every answer, and nothing that was there is lost."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.wsgi import Answer, call, hello

from jamguard import ConfigError, Guard, Refusal, Request, Shield, harden
from jamguard.config import Settings
from jamguard.guards.headers import Headers
from jamguard.jampy.content import digest
from jamguard.jampy.project import Project
from jamguard.site import Site
from jamguard.values import Duration

CSP = "Content-Security-Policy"
REPORT_ONLY = "Content-Security-Policy-Report-Only"
LIGHT = "base-uri 'self'; object-src 'self'; frame-ancestors 'self'"
HTML = ("Content-Type", "text/html; charset=utf-8")
HTTPS: dict[str, Any] = {"wsgi.url_scheme": "https"}
App = Callable[..., list[bytes]]


def answering(*headers: tuple[str, str], status: str = "200 OK") -> App:
    """An application that answers with these headers."""

    def app(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(status, list(headers))
        return [b""]

    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder, with what is asked of Jam.py's package beside it."""
    for path, text in (
        ("project/index.html", "<script>index()</script>"),
        ("jam/html/login.html", "<script>login()</script>"),
        ("jam/html/builder.html", "<script>builder()</script>"),
        ("jam/html/builder_login.html", "<script>builder_login()</script>"),
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path / "project"


def jams(folder: Path, on_request: object = None) -> Site:
    """A site of a Jam.py project that is never loaded."""
    task = SimpleNamespace(on_request=on_request)
    app = SimpleNamespace(
        work_dir=str(folder),
        jam_dir=str(folder.parent / "jam"),
        on_upload=print,
        _App__task=task if on_request else None,
    )
    return Site(Settings(), Project(app))


def ask(
    site: Site, path: str, app: App | None = None, guard: Guard | None = None, **more: Any
) -> Answer:
    app = app or answering(HTML, ("ETag", '"1"'))
    return call(Shield(app, [guard or Headers()], site), path, **more)


# --- every answer ------------------------------------------------------------------------


class Refuse(Guard):
    """Refuses all."""

    def check(self, request: Request) -> Refusal | None:
        del request
        from http import HTTPStatus  # noqa: PLC0415

        return Refusal(status=HTTPStatus.FORBIDDEN, reason="no")


@pytest.mark.parametrize(
    "app",
    [
        hello,
        answering(("Location", "/x"), status="302 FOUND"),
        answering(HTML, status="404 NOT FOUND"),
        answering(HTML, status="500 INTERNAL SERVER ERROR"),
        answering(status="304 NOT MODIFIED"),
        Shield(hello, [Refuse()]),
    ],
    ids=["page", "redirect", "not found", "error", "not modified", "refusal"],
)
def test_every_answer_of_any_application_has_them(app: App) -> None:
    answer = call(Shield(app, [Headers()]))
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert answer.get("Referrer-Policy") == "same-origin"
    assert answer.get("X-Frame-Options") == "SAMEORIGIN"
    assert answer.get("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.get("X-Permitted-Cross-Domain-Policies") == "none"
    assert len(answer.all(CSP)) == 1


def test_an_application_that_is_not_jams_gets_a_policy_that_breaks_nothing() -> None:
    answer = call(Shield(hello, [Headers()]), "/login.html")
    assert answer.get(CSP) == LIGHT
    assert answer.get("Cache-Control") is None


def test_a_refusal_keeps_its_own_policy() -> None:
    answer = call(Shield(hello, [Headers(), Refuse()]))
    assert "default-src 'none'" in str(answer.get(CSP))
    assert answer.get("X-Frame-Options") == "SAMEORIGIN"


def test_what_the_application_set_stays() -> None:
    own = [("X-Frame-Options", "DENY"), (CSP, "default-src *"), ("Referrer-Policy", "origin")]
    answer = call(Shield(answering(*own), [Headers()]))
    assert [pair for pair in answer.headers if pair[0] in dict(own)] == own


def test_the_software_is_not_named() -> None:
    answer = call(Shield(answering(("x-powered-by", "Jam.py")), [Headers()]))
    assert answer.get("X-Powered-By") is None


# --- https -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "more", "expected"),
    [
        ("www.example.com", HTTPS, "max-age=31536000"),
        ("www.example.com:8443", HTTPS, "max-age=31536000"),
        ("www.example.com", {}, None),
        ("localhost:8080", HTTPS, None),
        ("demo.localhost", HTTPS, None),
        ("192.0.2.1", HTTPS, None),
        ("[2001:db8::1]:443", HTTPS, None),
        ("", HTTPS, None),
    ],
)
def test_hsts_is_for_names_over_https(
    host: str, more: dict[str, Any], expected: str | None
) -> None:
    shield = Shield(hello, [Headers()])
    for _ in range(2):
        answer = call(shield, HTTP_HOST=host, **more)
        assert answer.get("Strict-Transport-Security") == expected
        assert answer.get("Cross-Origin-Opener-Policy") == ("same-origin" if more else None)


def test_hsts_of_the_application_and_of_the_settings() -> None:
    own = answering(("strict-transport-security", "max-age=1"))
    assert call(Shield(own, [Headers()]), **HTTPS).all("Strict-Transport-Security") == ["max-age=1"]
    guard = Headers(hsts=Duration(0))
    assert call(Shield(hello, [guard]), **HTTPS).get("Strict-Transport-Security") == "max-age=0"


def test_pages_upgrade_what_they_load_over_https_alone(folder: Path) -> None:
    assert "upgrade-insecure-requests" not in str(ask(jams(folder), "/").get(CSP))
    assert str(ask(jams(folder), "/", **HTTPS).get(CSP)).endswith("; upgrade-insecure-requests")


def test_what_an_undeclared_peer_says_of_https_is_not_believed() -> None:
    shield = harden(hello)
    answer = call(shield, HTTP_X_FORWARDED_PROTO="https", REMOTE_ADDR="127.0.0.1")
    assert answer.get("Strict-Transport-Security") is None
    trusting = harden(hello, {"proxy": {"trusted": ["127.0.0.1"]}})
    answer = call(trusting, HTTP_X_FORWARDED_PROTO="https", REMOTE_ADDR="127.0.0.1")
    assert answer.get("Strict-Transport-Security") == "max-age=31536000"


# --- cookies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "more", "expected"),
    [
        ("a=1", {}, "a=1; SameSite=Lax"),
        ("a=1", HTTPS, "a=1; Secure; SameSite=Lax"),
        ("a=1; samesite=None;SECURE", HTTPS, "a=1; samesite=None;SECURE"),
        ("a=1; Path=/; SameSite=Strict", HTTPS, "a=1; Path=/; SameSite=Strict; Secure"),
        ("a=secure", HTTPS, "a=secure; Secure; SameSite=Lax"),
        ("a=1; Path=/secure", HTTPS, "a=1; Path=/secure; Secure; SameSite=Lax"),
        ("demo_session_80=x", {}, "demo_session_80=x; HttpOnly; SameSite=Lax"),
        ("demo_session_80=x; httponly", {}, "demo_session_80=x; httponly; SameSite=Lax"),
        ("a=demo_session", {}, "a=demo_session; SameSite=Lax"),
        ("", {}, "; SameSite=Lax"),
    ],
)
def test_cookies_get_what_they_lack(
    folder: Path, cookie: str, more: dict[str, Any], expected: str
) -> None:
    app = answering(("set-cookie", cookie), HTML, ("Set-Cookie", cookie))
    answer = ask(jams(folder), "/", app, **more)
    assert answer.all("Set-Cookie") == [expected, expected]


def test_the_cookies_of_other_applications_may_be_read_by_their_scripts() -> None:
    answer = call(Shield(answering(("Set-Cookie", "my_session=x; SameSite=Lax")), [Headers()]))
    assert answer.get("Set-Cookie") == "my_session=x; SameSite=Lax"


# --- Jam.py's pages ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "script"),
    [
        ("/", "index()"),
        ("/index.html", "index()"),
        ("/login.html", "login()"),
        ("/builder.html", "builder()"),
        ("/builder_login.html", "builder_login()"),
    ],
)
def test_each_page_has_a_policy_of_its_own(folder: Path, path: str, script: str) -> None:
    policy = str(ask(jams(folder), path).get(CSP))
    assert policy.startswith(f"default-src 'none'; script-src 'self' {digest(script)}; ")
    assert policy.count("sha256-") == 1


def test_an_index_that_is_edited_gets_a_new_policy(folder: Path) -> None:
    site = jams(folder)
    before = ask(site, "/").get(CSP)
    assert ask(site, "/").get(CSP) == before
    index = folder / "index.html"
    index.write_text("<script>edited()</script>", "utf-8")
    os.utime(index, ns=(1, 1))
    assert digest("edited()") in str(ask(site, "/").get(CSP))


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/upload",
        "/ext/x",
        "/static/x.html",
        "/jam/js/min/vs/base/worker/workerMain.js",
        "/own-page",
        "/logout",
        "/health",
    ],
)
def test_all_else_gets_a_policy_that_breaks_nothing(folder: Path, path: str) -> None:
    assert ask(jams(folder), path).get(CSP) == LIGHT


@pytest.mark.parametrize(
    "status", ["302 FOUND", "404 NOT FOUND", "500 INTERNAL SERVER ERROR", "403 FORBIDDEN"]
)
def test_what_is_not_the_page_has_not_its_policy(folder: Path, status: str) -> None:
    assert ask(jams(folder), "/", answering(HTML, status=status)).get(CSP) == LIGHT


def test_an_answer_that_nothing_changed_repeats_the_policy(folder: Path) -> None:
    unchanged = answering(("ETag", '"1"'), status="304 NOT MODIFIED")
    assert ask(jams(folder), "/", unchanged).get(CSP) == ask(jams(folder), "/").get(CSP)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api", "no-store"),
        ("/login.html", "no-store"),
        ("/builder_login.html", "no-store"),
        ("/", None),
        ("/static/x", None),
    ],
)
def test_what_is_one_persons_is_not_stored(folder: Path, path: str, expected: str | None) -> None:
    assert ask(jams(folder), path).get("Cache-Control") == expected
    own = answering(HTML, ("Cache-Control", "max-age=1"))
    assert ask(jams(folder), path, own).get("Cache-Control") == "max-age=1"


def answers_log_in(_: object, request: Any) -> object:
    return request if request.path == "/login.html" else None


def answers_elsewhere(_: object, request: Any) -> object:
    return request if request.path == "/hello" else None


@pytest.mark.parametrize(
    ("on_request", "path", "headers", "computed"),
    [
        (answers_elsewhere, "/", [HTML], False),
        (answers_elsewhere, "/", [HTML, ("ETag", '"1"')], True),
        (answers_elsewhere, "/login.html", [HTML], True),
        (answers_log_in, "/login.html", [HTML], False),
        (print, "/login.html", [HTML], True),
    ],
    ids=["index", "Jam.py's index", "Jam.py's log-in", "log-in", "built in"],
)
def test_a_page_that_the_project_answers_itself_is_its_own(
    folder: Path,
    on_request: object,
    path: str,
    headers: list[tuple[str, str]],
    *,
    computed: bool,
) -> None:
    answer = ask(jams(folder, on_request), path, answering(*headers))
    assert ("default-src 'none'" in str(answer.get(CSP))) is computed


# --- what cannot be expressed ------------------------------------------------------------


def test_a_handler_in_the_page_turns_the_policy_to_reporting(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "index.html").write_text('<p>\n<a onclick="x()">', "utf-8")
    site = jams(folder)
    answer = ask(site, "/", **HTTPS)
    assert answer.get(CSP) == LIGHT
    assert str(answer.get(REPORT_ONLY)).startswith("default-src 'none'; ")
    assert "upgrade-insecure-requests" not in str(answer.get(REPORT_ONLY))
    assert ask(site, "/login.html").get(REPORT_ONLY) is None  # it has nothing to do with it
    assert caplog.text.count("id=JG006") == 1
    assert r"index.html:2: onclick=\"...\"; bind it in a script" in caplog.text


def test_the_start_tells_of_it_before_the_first_visitor(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "login.html").write_text('<a onclick="x()">' * 7, "utf-8")
    Shield(hello, [Headers()], jams(folder))
    assert caplog.text.count("login.html:1: onclick") == 5
    assert "; and 2 more" in caplog.text


def test_an_origin_that_scripts_name_is_no_reason_when_it_is_listed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "js").mkdir()
    (folder / "js/demo.js").write_text("fetch('https://api.example.com')", "utf-8")
    assert ask(jams(folder), "/").get(REPORT_ONLY)
    assert "js/demo.js:1: names https://api.example.com" in caplog.text
    caplog.clear()
    answer = ask(jams(folder), "/", guard=Headers(origins=("https://api.example.com",)))
    assert "connect-src 'self' https://api.example.com;" in str(answer.get(CSP))
    assert caplog.text == ""


# --- settings ----------------------------------------------------------------------------


def test_reporting_for_all_pages(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "index.html").write_text('<a onclick="x()">', "utf-8")
    for path in ("/", "/builder.html"):
        answer = ask(jams(folder), path, guard=Headers(csp="report"))
        assert answer.get(CSP) == LIGHT
        assert "default-src 'none'" in str(answer.get(REPORT_ONLY))
    assert caplog.text == ""


def test_no_policy_at_all(folder: Path) -> None:
    for path in ("/", "/builder.html", "/api", "/own-page"):
        answer = ask(jams(folder), path, guard=Headers(csp="off"))
        assert (answer.get(CSP), answer.get(REPORT_ONLY)) == (None, None)
        assert answer.get("X-Frame-Options") == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/", True),
        ("/login.html", True),
        ("/own-page", True),
        ("/builder.html", False),
        ("/builder_login.html", False),
        ("/api", False),
        ("/jam/js/jam.js", False),
    ],
)
def test_a_policy_of_the_settings(folder: Path, path: str, *, own: bool) -> None:
    answer = ask(jams(folder), path, guard=Headers(csp="default-src 'self'"))
    assert (answer.get(CSP) == "default-src 'self'") is own
    redirect = ask(jams(folder), path, answering(status="302 FOUND"), Headers(csp="default-src *"))
    assert (redirect.get(CSP) == "default-src *") is own


@pytest.mark.parametrize(
    ("path", "frame", "embedder"),
    [
        ("/static/embed/x.html", None, "unsafe-none"),
        ("/static/embed/own/x.html", "DENY", "unsafe-none"),
        ("/static/embed", "SAMEORIGIN", None),
        ("/static/one.html", "ALLOWALL", None),
        ("/static/one.html/more", "SAMEORIGIN", None),
    ],
)
def test_headers_of_a_path_have_the_last_word(
    folder: Path, path: str, frame: str | None, embedder: str | None
) -> None:
    guard = Headers(
        paths={
            "/static/embed/own/": {"X-Frame-Options": "DENY"},
            "/static/embed/": {
                "X-Frame-Options": "",
                "Cross-Origin-Embedder-Policy": "unsafe-none",
            },
            "/static/one.html": {"x-frame-options": "ALLOWALL"},
        }
    )
    answer = ask(jams(folder), path, answering(("Cross-Origin-Embedder-Policy", "x")), guard)
    assert answer.get("X-Frame-Options") == frame
    assert answer.all("Cross-Origin-Embedder-Policy") == [embedder or "x"]


def test_uploads_are_kept_from_running(folder: Path) -> None:
    upload = answering(("Content-Type", "image/svg+xml"))
    answer = ask(jams(folder), "/static/files/x.svg", upload, Headers(csp="off"))
    assert str(answer.get(CSP)).startswith("default-src 'none'; ")
    assert "script" not in str(answer.get(CSP))
    assert "sandbox" not in str(answer.get(CSP))  # Chromium refuses it over https
    picture = answering(("Content-Type", "image/png"))
    assert ask(jams(folder), "/static/files/x.png", picture).get(CSP) == LIGHT


@pytest.mark.parametrize("kind", ["text/javascript; charset=utf-8", "Application/ECMAScript"])
def test_an_uploaded_script_is_plain_text(folder: Path, kind: str) -> None:
    script = answering(("Content-Type", kind))
    answer = ask(jams(folder), "/static/files/x.js", script)
    assert answer.all("Content-Type") == ["text/plain; charset=utf-8"]
    assert ask(jams(folder), "/static/js/x.js", script).get("Content-Type") == kind


@pytest.mark.parametrize(("length", "expected"), [("0", None), ("9", "nosniff")])
def test_a_script_that_is_not_there_may_be_an_empty_text(
    folder: Path, length: str, expected: str | None
) -> None:
    text = answering(("Content-Type", "text/plain"), ("Content-Length", length))
    answer = ask(jams(folder), "/js/events.js", text)
    assert answer.get("X-Content-Type-Options") == expected


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"mode": "report"}, "tool.jamguard.headers.mode"),
        ({"csp": "of"}, "'of' is no directive; did you mean 'off'?"),
        ({"csp": "defualt-src 'self'"}, "did you mean 'default-src'?"),
        ({"csp": "xyzzy"}, 'must be "auto", "report", "off" or a policy'),
        ({"csp": "default-src self"}, "has self without quotes; write 'self'"),
        ({"csp": "img-src *\nX-Evil: 1"}, "must be one line of ASCII text"),
        ({"csp": " ; "}, "must be one line of ASCII text"),
        ({"csp": 1}, "must be text"),
        ({"hsts": "1 yaer"}, "did you mean '1 year'?"),
        ({"origins": ["cdn.example.com"]}, '"cdn.example.com", which is no origin'),
        ({"origins": ["https://x; script-src *"]}, "which is no origin"),
        ({"paths": {"static/": {}}}, 'has "static/", which does not start with "/"'),
        ({"paths": {"/x": {"X Y": "1"}}}, "which is no header"),
        ({"paths": {"/x": {"X-Y": "1\r\nZ: 2"}}}, "which is no header"),
        ({"paths": {"/x": {"X-Y": 1}}}, "tool.jamguard.headers.paths./x.X-Y: 1 must be text"),
        ({"paths": {"/x": 1}}, "tool.jamguard.headers.paths"),
    ],
)
def test_bad_settings_stop_the_start(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        harden(hello, {"headers": settings})
    assert problem in str(error.value)


def test_good_settings_are_taken() -> None:
    shield = harden(
        hello,
        {
            "headers": {
                "csp": "default-src 'self'; upgrade-insecure-requests;",
                "hsts": "30 days",
                "origins": ["https://cdn.example.com", "wss://*.example.com:8443"],
                "paths": {"/x": {"X-Y": "1"}},
            }
        },
    )
    answer = call(shield, "/x", **HTTPS)
    assert answer.get("Strict-Transport-Security") == "max-age=2592000"
    assert answer.get(CSP) == "default-src 'self'; upgrade-insecure-requests;"
    assert answer.get("X-Y") == "1"
