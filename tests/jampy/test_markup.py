"""What HTML and CSS ask of a policy: nothing missed that breaks a page, few false alarms."""

import hashlib
from base64 import b64encode

import pytest

from jamguard.jampy.content import Content, digest
from jamguard.jampy.markup import read_css, read_html

FOREIGN = {"https://c.example.com", "https://cdn.jsdelivr.net"}


def sha(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def html(text: str, *, rendered: bool = False) -> Content:
    return read_html("index.html", text, rendered=rendered)


def test_inline_scripts_and_styles_are_hashed_as_browsers_read_them() -> None:
    content = html("<style>a{}</style>\r\n<script>\r\n  run();\r</script><script></script>")
    assert list(content.scripts) == [sha("\n  run();\n"), sha("")]
    assert list(content.styles) == [sha("a{}")]
    assert digest("é") == sha("é")


@pytest.mark.parametrize(
    "text",
    [
        "<!-- <script>gone()</script> <button onclick='gone()'> -->",
        '<script type="application/json">{"a": "{{ b }}"}</script>',
        '<script type="text/template"><a onclick="x()"></a></script>',
        "<p>&lt;script&gt;only words&lt;/script&gt;</p>",
        '<p once="1" only="2" on="3" data-onclick="4">',
        '<a href="#">, <a href="mailto:x@example.com">, <a href="https://elsewhere.example.com/">',
        "<script>never closed",
    ],
    ids=["comment", "data", "template", "text", "attributes", "links", "unclosed"],
)
def test_what_asks_for_nothing(text: str) -> None:
    content = html(text, rendered=True)
    assert (content.scripts, content.origins, content.reasons) == ({}, {}, [])


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        (
            '<script src="https://cdn.jsdelivr.net/x.js">',
            {"script-src", "style-src", "font-src", "img-src", "connect-src"},
        ),
        (
            '<link rel="Stylesheet" href="https://c.example.com">',
            {"style-src", "font-src", "img-src"},
        ),
        ('<link rel="shortcut icon" href="https://c.example.com/i">', {"img-src"}),
        ('<link rel="preconnect" href="https://c.example.com">', set[str]()),
        ('<link rel="manifest" href="https://c.example.com/m">', {"manifest-src"}),
        ('<img src="https://c.example.com/i.png">', {"img-src"}),
        ('<img src="i.png" srcset="j.png 1x, https://c.example.com/k.png 2x">', {"img-src"}),
        ('<p style="background:url(https://c.example.com/i.png)">', {"img-src", "font-src"}),
        (
            '<style>@import "https://c.example.com/x.css";</style>',
            {"style-src", "font-src", "img-src"},
        ),
        ('<iframe src="https://c.example.com/">', {"frame-src"}),
        ('<video src="https://c.example.com/v"></video>', {"media-src"}),
        ('<object data="https://c.example.com/o">', {"object-src"}),
        ('<form action="https://c.example.com/pay">', {"form-action"}),
        ('<base href="https://c.example.com/">', {"base-uri"}),
    ],
)
def test_what_tags_load_is_allowed_by_the_directive_that_rules_it(
    tag: str, asked: set[str]
) -> None:
    content = html(tag)
    assert {name for name, found in content.origins.items() if found & FOREIGN} == asked
    assert content.reasons == []


def test_a_foreign_script_may_bring_styles() -> None:
    assert html('<script src="https://c.example.com/x.js">').styles_itself
    assert not html('<script src="static/x.js">').styles_itself


@pytest.mark.parametrize(
    ("address", "objections"),
    [
        ("https://cdnjs.cloudflare.com/ajax/libs/x.js", 0),
        ("//unpkg.com/x.js", 0),
        ("https://www.googletagmanager.com/gtag/js?id=1", 0),
        ("https://maps.example.com/api.js", 1),
        ("//maps.example.com/api.js", 1),
        ("static/x.js", 0),
    ],
)
def test_a_script_that_may_load_anything_has_to_be_listed(address: str, objections: int) -> None:
    content = html(f'\n<script src="{address}"></script>')
    assert len(content.objections([])) == objections
    assert all(text.startswith("index.html:2: a script from ") for text in content.objections([]))
    assert content.objections(list(content.named)) == []


def test_analytics_may_send_what_it_counts() -> None:
    content = html('<script src="https://www.googletagmanager.com/gtag/js"></script>')
    assert "https://*.google-analytics.com" in content.origins["connect-src"]


def test_inline_scripts_are_read_like_all_others() -> None:
    content = html("\n<script>\nfetch('https://api.example.com')\neval(a)</script>")
    (reason,) = content.reasons
    assert reason.startswith("index.html:4: eval(...)")
    assert content.named == {
        "https://api.example.com": "index.html:3: names https://api.example.com"
    }


def test_own_files_may_be_embedded() -> None:
    assert html('<embed src="static/x.pdf">').origins == {"object-src": {"'self'"}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '\n<a onclick="x()">',
            'index.html:2: onclick="..."; bind it in a script: $(...).on("click"',
        ),
        ('<body ONLOAD="x()">', 'index.html:1: onload="..."'),
        ('<a href=" JavaScript:void(0)">', "index.html:1: a javascript: URL; use a button"),
        ("\n\n<script>let a = '{{ a }}'</script>", "index.html:3: Jinja in an inline script; put"),
        (
            "<style>a{color:{% if a %}red{% endif %}}</style>",
            "index.html:1: Jinja in an inline style",
        ),
    ],
    ids=["handler", "handler in capitals", "javascript", "jinja", "jinja style"],
)
def test_what_a_hash_cannot_express_is_named(text: str, reason: str) -> None:
    (found,) = html(text, rendered=True).reasons
    assert found.startswith(reason)


@pytest.mark.parametrize(
    "text", ["<![nonsense[x]]>", "<![if IE]>", "<![CDATA[>", "<!DOCTYPE html>"]
)
def test_declarations_are_read_as_browsers_do(text: str) -> None:
    content = html(f"{text}<script>a</script><![if")
    assert list(content.scripts) == [sha("a")]


def test_braces_are_no_jinja_in_a_page_that_is_served_as_it_is() -> None:
    assert html("<script>let a = '{{ a }}'</script>").reasons == []


def test_jinja_outside_of_scripts_is_fine() -> None:
    content = html('<title>{{ title }}</title><input value="{{ login }}">', rendered=True)
    assert content.reasons == []


def test_style_sheets() -> None:
    content = read_css(
        "/* @import 'https://gone.example.com/'; */"
        '@import url("https://fonts.googleapis.com/css2?family=Lato:ital,wght@0,400;0,700");'
        "@import 'more.css'; @import url(/static/x.css) print;"
        "a{background:url( 'https://c.example.com/i.png' )}"
        "b{background:url(data:image/png;base64,A)}"
    )
    assert content.origins == {
        "style-src": {"https://fonts.googleapis.com"},
        "font-src": {
            "https://fonts.googleapis.com",
            "https://fonts.gstatic.com",
            "https://c.example.com",
        },
        "img-src": {"https://fonts.googleapis.com", "https://c.example.com"},
    }
    assert content.sheets == ["more.css", "/static/x.css"]
