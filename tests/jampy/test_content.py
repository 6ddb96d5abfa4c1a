"""Origins, and what several files ask for together."""

import pytest

from jamguard.jampy.content import Content, digest, origin_of
from jamguard.jampy.markup import read_html
from jamguard.jampy.scripts import read_library, read_script


def html(text: str) -> Content:
    return read_html("index.html", text, rendered=False)


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


def test_contents_add_up() -> None:
    content = Content()
    content.add(html('<script>a</script><img src="https://a.example.com/i">'))
    content.add(html('<script>b</script><img src="https://b.example.com/i"><p onclick="x">'))
    content.add(read_library("eval(a); '<style>'"))
    content.add(read_script("js/a.js", "'https://c.example.com'"))
    content.add(read_script("js/b.js", "'https://c.example.com'"))
    assert list(content.scripts) == [digest("a"), digest("b")]
    assert content.origins == {"img-src": {"https://a.example.com", "https://b.example.com"}}
    assert content.named == {"https://c.example.com": "js/a.js:1: names https://c.example.com"}
    assert (content.evaluates, content.styles_itself, len(content.reasons)) == (True, True, 1)
