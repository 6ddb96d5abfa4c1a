"""The policy of a page, and which files are kept from running."""

import pytest

from jamguard.guard import Response
from jamguard.jampy.content import Content
from jamguard.jampy.policy import LOADING, contain, page_policy
from jamguard.jampy.routes import BUILDER, EXPORT, LOGIN, PAGE, REPORT, UPLOADED
from jamguard.routes import Route


def test_the_strictest_policy_that_jam_works_with() -> None:
    content = Content(scripts={"'sha256-a'": None}, styles={"'sha256-b'": None})
    policy = page_policy(PAGE, content, [])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'", "'sha256-a'"]
    assert policy["style-src"] == ["'self'", "'sha256-b'"]
    assert policy["style-src-attr"] == ["'unsafe-inline'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["connect-src"] == policy["form-action"] == policy["base-uri"] == ["'self'"]


def test_the_code_editor_injects_styles_and_a_hash_would_forbid_it() -> None:
    policy = page_policy(BUILDER, Content(styles={"'sha256-b'": None}, evaluates=True), [])
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert "style-src-attr" not in policy


def test_scripts_that_bring_styles_may() -> None:
    policy = page_policy(PAGE, Content(styles_itself=True), [])
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]


def test_origins_of_the_page_and_of_the_settings_are_allowed_once() -> None:
    origins = {"script-src": {"https://b.example.com", "https://a.example.com"}}
    policy = page_policy(
        LOGIN,
        Content(origins=origins | {"object-src": {"'self'"}}),
        ["https://a.example.com", "https://c.example.com"],
    )
    assert policy["script-src"] == [
        "'self'",
        "https://a.example.com",
        "https://b.example.com",
        "https://c.example.com",
    ]
    assert policy["object-src"] == ["'self'"]
    assert all(policy[name][-1] == "https://c.example.com" for name in LOADING)
    assert policy["form-action"] == ["'self'"]


def test_no_script_is_ever_allowed_for_being_inline() -> None:
    content = Content(evaluates=True, styles_itself=True)
    for route in (PAGE, LOGIN, BUILDER):
        assert "'unsafe-inline'" not in page_policy(route, content, [])["script-src"]


FILE_SERVER = [
    ("Etag", '"wzsdm-1-2-3"'),
    ("Cache-Control", "max-age=43200, public"),
    ("Expires", "Fri, 01 Jan 2027 00:00:00 GMT"),
]


def contained(kind: str | None, route: Route = UPLOADED) -> Response:
    headers = [*FILE_SERVER, *([("Content-Type", kind)] if kind is not None else [])]
    response = Response("200 OK", headers)
    contain(route, response)
    return response


HARMLESS = [
    "image/png",
    "IMAGE/JPEG",
    "image/png; charset=x",
    "audio/mpeg",
    "video/mp4",
    "application/pdf",
    "text/plain; charset=utf-8",
]
#: what Werkzeug's file server can make of a name, and what a name may lie about
ACTIVE = [
    "text/html; charset=utf-8",
    "text/html; charset=utf-7",
    " text/html",
    "image/svg+xml",
    "IMAGE/SVG+XML; charset=utf-8",
    "image/other+xml",
    "video/vnd.other+xml",
    "text/xml; charset=utf-8",
    "application/xml",
    "application/xslt+xml",
    "application/xhtml+xml",
    "application/rss+xml",
    "application/mathml+xml",
    "text/cache-manifest",
    "text/css; charset=utf-8",
    "text/x-component",
    "text/vtt",
    "message/rfc822",
    "multipart/x-mixed-replace; boundary=x",
    "multipart/related",
    "application/x-shockwave-flash",
    "application/octet-stream",
    "application/postscript",
    "application/wasm",
    "application/pdf, text/html",
    "image/",
    "nonsense",
    "",
    None,
]
SCRIPTS = [
    "text/javascript; charset=utf-8",
    "Application/JavaScript",
    "application/x-javascript",
    "application/ecmascript",
    "text/x-ecmascript",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
]


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_holds_no_code_is_served_as_it_is(kind: str) -> None:
    response = contained(kind)
    assert response.get("Content-Type") == kind
    assert response.get("Content-Security-Policy") is None


@pytest.mark.parametrize("kind", ACTIVE)
def test_what_may_hold_code_is_shown_without_it(kind: str | None) -> None:
    response = contained(kind)
    assert response.get("Content-Type") == kind
    policy = response.get("Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none'; ")
    assert "script" not in policy


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_is_plain_text(kind: str) -> None:
    assert contained(kind).get("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("route", "kept"), [(UPLOADED, True), (REPORT, False), (EXPORT, False)], ids=str
)
def test_what_not_everybody_may_read_is_kept_by_no_cache(route: Route, *, kept: bool) -> None:
    response = contained("image/png", route)
    assert response.get("Cache-Control") == ("max-age=43200, public" if kept else "no-store")
    assert (response.get("Expires") is not None) is kept
