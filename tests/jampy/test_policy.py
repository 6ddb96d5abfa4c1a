"""The policy of a page, and which files are kept from running."""

import pytest

from jamguard.guard import Response
from jamguard.jampy.content import Content
from jamguard.jampy.policy import LOADING, may_run, page_policy
from jamguard.jampy.routes import BUILDER, LOGIN, PAGE


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


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/static/files/a.html", "text/html; charset=utf-8", True),
        ("/static/files/a.svg", "image/svg+xml", True),
        ("/static/files/a.svg", "IMAGE/SVG+XML; charset=utf-8", True),
        ("/static/files/a.xml", "application/xml", True),
        ("/static/files/a", None, True),
        ("/static/reports/a.html", "text/html", True),
        ("/static/internal/a.zip", "application/zip", True),
        ("//static/./files//a.html", "text/html", True),
        ("/STATIC/Files/a.html", "text/html", True),
        ("/static/files/a.png", "image/png", False),
        ("/static/files/a.pdf", "application/pdf", False),
        ("/static/files/a.txt", "text/plain; charset=utf-8", False),
        ("/static/files/a.mp4", "video/mp4", False),
        ("/static/pages/help.html", "text/html", False),
        ("/static/files.html", "text/html", False),
        ("/jam/html/x.html", "text/html", False),
        ("/static", "text/html", False),
        ("", None, False),
    ],
)
def test_which_files_may_hold_code_of_strangers(
    path: str, kind: str | None, *, expected: bool
) -> None:
    response = Response("200 OK", [("Content-Type", kind)] if kind else [])
    assert may_run(path, response) is expected
