"""Which names this site answers to."""

import pytest
from support.wsgi import call, environ, hello, serve

from jamguard import ConfigError, Shield, harden
from jamguard.guards.host import Host
from jamguard.guards.proxy import Proxy

NAMES = ("www.example.com", ".apps.example.com", "[2001:db8::1]", "192.0.2.80")


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("www.example.com", 200),
        ("WWW.Example.COM:8443", 200),
        ("www.example.com.", 200),
        ("www.example.com:", 200),
        ("apps.example.com", 200),
        ("one.apps.example.com", 200),
        ("[2001:DB8::1]:80", 200),
        ("192.0.2.80", 200),
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("example.com", 421),
        ("evil-apps.example.com", 421),
        ("www.example.com.evil.example", 421),
        ("", 421),
        ("a.example.com, b.example.com", 400),
        ("www.example.com/", 400),
        ("user@www.example.com", 400),
        ("www.example.com:port", 400),
        ("www.example.com:123456", 400),
        ("www.exämple.com", 400),
        ("[2001:db8::1", 400),
        ("x" * 300, 400),
        ("www.example.com\n", 400),
    ],
)
def test_a_host_is_known_unknown_or_malformed(host: str, code: int) -> None:
    answer = call(Shield(hello, [Host(allowed=NAMES)]), HTTP_HOST=host)
    assert answer.code == code
    assert answer.get("Jamguard-Refused") == (None if code == 200 else "host")


def test_without_names_any_well_formed_host_is_answered_with_a_notice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shield = Shield(hello, [Host()])
    assert caplog.text.count("id=JG002") == 1
    assert call(shield, HTTP_HOST="anything.example").code == 200
    assert call(shield, HTTP_HOST="a, b").code == 400


@pytest.mark.parametrize("host", [None, ""], ids=["gunicorn", "granian"])
def test_a_request_without_a_host_is_for_nobody_in_particular(host: str | None) -> None:
    """A monitor by HTTP/1.0: some servers give it an empty Host."""

    def code(guard: Host) -> int:
        env = environ(HTTP_HOST=host)
        if host is None:
            del env["HTTP_HOST"]
        return serve(Shield(hello, [guard]), env).code

    assert code(Host()) == 200
    assert code(Host(allowed=NAMES)) == 421


def test_a_health_check_comes_by_address() -> None:
    assert call(Shield(hello, [Host(allowed=NAMES)]), "/health", HTTP_HOST="10.0.0.9").code == 200


def test_a_host_that_a_proxy_forwards_is_the_one_that_is_judged() -> None:
    """Also where the proxy itself asks for a loopback name, as a browser there would."""
    guards = [Proxy(trusted=("127.0.0.1",), host=True), Host(allowed=NAMES)]
    asked = {"HTTP_HOST": "localhost:8000", "HTTP_CONNECTION": "keep-alive"}
    for name, expected in (("www.example.com", 200), ("evil.example", 421)):
        asked |= {"HTTP_X_FORWARDED_HOST": name, "HTTP_X_FORWARDED_FOR": "192.0.2.1"}
        assert call(Shield(hello, guards), REMOTE_ADDR="127.0.0.1", **asked).code == expected


def test_report_mode_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    shield = Shield(hello, [Host(allowed=NAMES, mode="report")])
    assert call(shield, HTTP_HOST="evil.example").code == 200
    assert "would-refuse guard=host reason=unknown-host status=421" in caplog.text
    assert "detail=evil.example" in caplog.text


@pytest.mark.parametrize(
    "name", ["https://www.example.com", "www.example.com:443", "*.example.com", "", "a b"]
)
def test_what_is_no_name_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match=r"tool.jamguard.host.allowed: .* write a name without"):
        harden(hello, {"host": {"allowed": [name]}})
