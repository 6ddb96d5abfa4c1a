"""What scripts do that a policy would stop: nothing missed that breaks a page, few false alarms."""

import pytest

from jamguard.jampy.scripts import ENOUGH, read_library, read_script


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
        ("$.getScript('//cdn.example.com/x.js')", "//cdn.example.com"),
        ("$('<img src=\"https://i.example.com/i.png\">')", "https://i.example.com"),
        ("a.b = \"<iframe src='https://f.example.com/'>\"", "https://f.example.com"),
    ],
)
def test_origins_that_scripts_name_have_to_be_listed(code: str, origin: str) -> None:
    content = read_script("js/demo.js", f"\n{code}\n{code}")
    (objection,) = content.objections([])
    listed = f"https:{origin}" if origin.startswith("//") else origin
    assert objection == (
        f"js/demo.js:2: names {origin.removeprefix('//')}; "
        f'list it: [tool.jamguard.headers] origins = ["{listed}"]'
    )
    assert content.objections([listed]) == []


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


def test_a_library_may_bring_compiled_code() -> None:
    assert read_library("WebAssembly.instantiate(x)").origins == {
        "script-src": {"'wasm-unsafe-eval'"}
    }


def test_scripts_that_make_files_may_show_them() -> None:
    content = read_script("js/demo.js", "a = URL.createObjectURL(b); c = '<embed src=\"x.pdf\">'")
    assert content.origins == {
        "connect-src": {"blob:"},
        "frame-src": {"blob:"},
        "worker-src": {"blob:"},
        "object-src": {"blob:", "'self'"},
    }


def test_a_script_full_of_reasons_is_read_no_further() -> None:
    assert len(read_script("js/demo.js", "eval(a)\n" * 100).reasons) == ENOUGH


def test_a_script_of_a_million_characters_is_read_in_no_time() -> None:
    read_script("js/demo.js", "'" * 500_000 + "/*" * 100 + '"\\' * 100_000 + "<a " * 50_000)
    read_script("js/demo.js", "'" + "<a " * 100_000 + "'")
