"""Who is sent to https, and where."""

import pytest
from support.wsgi import call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.guards.https import Https
from jamguard.guards.proxy import Proxy


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_visitor_over_http_is_redirected_when_asked(method: str) -> None:
    answer = call(
        Shield(hello, [Https(redirect=True)]),
        "/a b/\xc3\xa9;x",
        method,
        QUERY_STRING="q=1&r=%20",
        HTTP_HOST="WWW.example.com:8080",
        SCRIPT_NAME="/shop",
    )
    assert answer.code == 308
    assert answer.get("Location") == "https://www.example.com/shop/a%20b/%C3%A9;x?q=1&r=%20"
    assert (answer.body, answer.get("Cache-Control")) == (b"", "no-store")


@pytest.mark.parametrize(
    ("path", "method", "more"),
    [
        ("/", "GET", {"wsgi.url_scheme": "https"}),
        ("/", "POST", {}),
        ("/health", "GET", {}),
        ("/.well-known/acme-challenge/token", "GET", {}),
        ("/", "GET", {"HTTP_HOST": ""}),
    ],
    ids=["https", "post", "health", "acme", "no host"],
)
def test_who_is_not_redirected(path: str, method: str, more: dict[str, str]) -> None:
    assert call(Shield(hello, [Https(redirect=True)]), path, method, **more).code == 200


def test_a_proxy_that_is_not_declared_is_not_sent_in_circles() -> None:
    """It may have ended TLS; its word for it is not taken."""
    app = Shield(hello, [Proxy(), Https(redirect=True)])
    said = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}
    assert call(app, **said).code == 200
    assert call(app, REMOTE_ADDR="198.51.100.1", HTTP_X_FORWARDED_PROTO="https").code == 308


def test_nobody_is_redirected_by_default() -> None:
    assert call(Shield(hello, [Https()])).code == 200


def test_the_root_is_written_as_a_slash() -> None:
    answer = call(Shield(hello, [Https(redirect=True)]), "", HTTP_HOST="[2001:db8::1]:80")
    assert answer.get("Location") == "https://[2001:db8::1]/"


def test_a_path_of_two_slashes_does_not_lead_to_another_host() -> None:
    answer = call(Shield(hello, [Https(redirect=True)]), "//evil.example/x")
    assert answer.get("Location") == "https://www.example.com//evil.example/x"


def test_report_mode_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert call(Shield(hello, [Https(redirect=True, mode="report")])).code == 200
    assert "would-refuse guard=https reason=http status=308" in caplog.text


def test_bad_settings_stop_the_start() -> None:
    with pytest.raises(ConfigError, match='redirect: "yes" must be true or false'):
        harden(hello, {"https": {"redirect": "yes"}})


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("a=%0d%0aX:1&b=[2]+~!$'()*,;:@/?", "a=%0d%0aX:1&b=[2]+~!$'()*,;:@/?"),
        ("a\r\nSet-Cookie: b=c", "a%0D%0ASet-Cookie:%20b=c"),
        ("a\x00\x7f\t\x85\xff", "a%00%7F%09%85%FF"),
        ('"<script>#', "%22%3Cscript%3E%23"),
    ],
    ids=["as it came", "uWSGI passes line ends", "controls and 8 bits", "markup"],
)
def test_a_query_cannot_become_a_header(query: str, sent: str) -> None:
    answer = call(Shield(hello, [Https(redirect=True)]), "/", QUERY_STRING=query)
    assert answer.get("Location") == f"https://www.example.com/?{sent}"
