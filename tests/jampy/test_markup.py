"""What files ask of a policy: nothing missed that would break a page, few false alarms."""

import hashlib
from base64 import b64encode

import pytest

from jamguard.jampy.markup import (
    ENOUGH,
    Content,
    digest,
    origin_of,
    read_css,
    read_html,
    read_library,
    read_script,
)


def sha(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def html(text: str, *, rendered: bool = False) -> Content:
    return read_html("index.html", text, rendered=rendered)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://cdn.example.com/x.js?v=1", "https://cdn.example.com"),
        ("HTTPS://CDN.Example.com:8443", "https://cdn.example.com:8443"),
        (" http://cdn.example.com#x", "http://cdn.example.com"),
        ("//cdn.example.com/x.js", "cdn.example.com"),
        ("wss://live.example.com/feed", "wss://live.example.com"),
        ("https://{s}.tile.example.com/{z}/{x}.png", "https://*.tile.example.com"),
        ("jam/js/jam.js", None),
        ("/static/x.js", None),
        ("data:image/png;base64,AAAA", None),
        ("https://", None),
        ("https://x;script-src *", None),
        ("https://ex ample.com/", "https://ex"),
        ("https://münchen.example/", None),
        ("", None),
    ],
)
def test_origins(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


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
        ('<script src="https://c.example.com/x.js">', {"script-src"}),
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
    assert {
        name for name, found in content.origins.items() if "https://c.example.com" in found
    } == asked
    assert content.reasons == []


def test_a_foreign_script_may_bring_styles() -> None:
    assert html('<script src="https://c.example.com/x.js">').styles_itself
    assert not html('<script src="static/x.js">').styles_itself


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


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("let a;\neval(a)", "js/demo.js:2: eval(...) makes code out of text; use a function"),
        ("window.eval (a)", "js/demo.js:1: window.eval (...)"),
        ("x = new  Function('return 1')", "js/demo.js:1: new Function(...)"),
        ("setTimeout('go()', 1)", "js/demo.js:1: setTimeout(...)"),
        ("setInterval( `go()`, 1)", "js/demo.js:1: setInterval(...)"),
        ("""a = '<a href="#" onclick="go()">'""", 'js/demo.js:1: HTML with onclick="..."; bind it'),
        (r'a = "<a onclick=\"go()\">"', 'js/demo.js:1: HTML with onclick="..."'),
        ("a = `\n<img onerror=go()>`", 'js/demo.js:1: HTML with onerror="..."'),
        ("a = '<a href=\"javascript:void(0)\">'", "js/demo.js:1: HTML with a javascript: URL"),
    ],
)
def test_what_scripts_do_that_a_policy_would_stop(code: str, reason: str) -> None:
    (found,) = read_script("js/demo.js", code).reasons
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("code", "origin"),
    [
        ("fetch('https://api.example.com/v1')", "https://api.example.com"),
        ("const API = `https://api.example.com`", "https://api.example.com"),
        ("new WebSocket('wss://live.example.com')", "wss://live.example.com"),
        ("import x from 'https://esm.example.com/x.js'", "https://esm.example.com"),
        ("$.getScript('//cdn.example.com/x.js')", "cdn.example.com"),
        ("$('<img src=\"https://i.example.com/i.png\">')", "https://i.example.com"),
        ("a.b = \"<iframe src='https://f.example.com/'>\"", "https://f.example.com"),
    ],
)
def test_origins_that_scripts_name_have_to_be_listed(code: str, origin: str) -> None:
    content = read_script("js/demo.js", "\n" + code)
    (objection,) = content.objections([])
    assert objection.startswith(f"js/demo.js:2: names {origin}; ")
    assert f'origins = ["{origin}"]' in objection
    assert content.objections([origin]) == []


@pytest.mark.parametrize(
    "code",
    [
        "// eval(a); fetch('https://api.example.com')",
        "/* eval(a)\n onclick= */",
        "medieval(a); obj.eval(a); retrieval (a)",
        "setTimeout(function() { go() }, 100); setTimeout(go, 1)",
        "a = 'https://www.w3.org/2000/svg'",
        "a = '<svg xmlns=\"http://www.w3.org/2000/svg\">'",
        "a = '<a href=\"https://help.example.com\">Help</a>'",
        "window.open('https://help.example.com', '_blank')",
        "location.href = 'https://help.example.com'",
        "location = \"https://help.example.com\"; location.assign('https://help.example.com')",
        "$('a').attr({href: 'https://help.example.com'})",
        "item.message('See https://help.example.com')",
        "[location.protocol, '//', location.host].join('')",
        "a = '// no comment'; b = '//'; c = \"a//b\"",
        "a = 'condition = 1'; b = 'javascript: the language'",
        "button.on('click', go); item.on_after_open = go",
        "a = 'it\\'s eval(x)'",
        "a = /[\"']/; go()",
        "",
    ],
)
def test_scripts_that_are_no_cause_for_alarm(code: str) -> None:
    content = read_script("js/demo.js", code)
    assert content.objections([]) == []
    assert (content.evaluates, content.styles_itself, content.origins) == (False, False, {})


@pytest.mark.parametrize(
    ("code", "evaluates", "styles_itself"),
    [
        ("var f=new Function('a','return a')", True, False),
        ("eval(x)", True, False),
        ("d.createElement('style')", False, True),
        ("e.innerHTML='<style>a{}</style>'", False, True),
        ("'https://docs.example.com/'; x.onclick=y", False, False),
    ],
)
def test_what_libraries_do_is_allowed(code: str, evaluates: bool, styles_itself: bool) -> None:
    content = read_library(code)
    assert (content.evaluates, content.styles_itself) == (evaluates, styles_itself)
    assert content.objections([]) == []


def test_scripts_that_make_files_may_show_them() -> None:
    content = read_script("js/demo.js", "a = URL.createObjectURL(b); c = '<embed src=\"x.pdf\">'")
    assert content.origins == {
        "connect-src": {"blob:"},
        "frame-src": {"blob:"},
        "worker-src": {"blob:"},
        "object-src": {"blob:", "'self'"},
    }


def test_contents_add_up() -> None:
    content = Content()
    content.add(html('<script>a</script><img src="https://a.example.com/i">'))
    content.add(html('<script>b</script><img src="https://b.example.com/i"><p onclick="x">'))
    content.add(read_library("eval(a); '<style>'"))
    content.add(read_script("js/a.js", "'https://c.example.com'"))
    content.add(read_script("js/b.js", "'https://c.example.com'"))
    assert list(content.scripts) == [sha("a"), sha("b")]
    assert content.origins == {"img-src": {"https://a.example.com", "https://b.example.com"}}
    assert content.named == {"https://c.example.com": "js/a.js:1"}
    assert (content.evaluates, content.styles_itself, len(content.reasons)) == (True, True, 1)


def test_a_script_full_of_reasons_is_read_no_further() -> None:
    assert len(read_script("js/demo.js", "eval(a)\n" * 100).reasons) == ENOUGH


def test_a_script_of_a_million_characters_is_read_in_no_time() -> None:
    read_script("js/demo.js", "'" * 500_000 + "/*" * 100 + '"\\' * 100_000 + "<a " * 50_000)
    read_script("js/demo.js", "'" + "<a " * 100_000 + "'")
