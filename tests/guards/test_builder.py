"""Who may build, and what is the builder's."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from support.jam import BUILDER_SESSION, SESSION, jam_site
from support.wsgi import call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.guards.builder import Builder
from jamguard.guards.proxy import Proxy
from jamguard.jampy.session import Session
from jamguard.values import parse_network

HERE: dict[str, Any] = {
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "127.0.0.1:8080",
    "HTTP_CONNECTION": "keep-alive",
}


def shield(trusted: tuple[str, ...] = (), **settings: Any) -> Shield:
    return Shield(hello, [Proxy(trusted=trusted), Builder(**settings)], jam_site())


@pytest.mark.parametrize(
    ("path", "method", "body", "code"),
    [
        ("/builder.html", "GET", None, 403),
        ("//builder.html/x", "GET", None, 403),
        ("/builder_login.html", "POST", b"login=a&password=b", 403),
        ("/api", "POST", b'["load",1,0,null,0]', 200),
        ("/api", "POST", b"", 200),
        ("/", "GET", None, 200),
        ("/login.html", "GET", None, 200),
        ("/jam/js/admin.js", "GET", None, 200),
        ("/upload", "POST", b"", 200),
    ],
)
def test_what_is_the_builders_is_refused_to_a_stranger(
    path: str, method: str, body: bytes | None, code: int
) -> None:
    app = shield()
    answer = call(app, path, method, body)
    assert (answer.code, answer.get("Jamguard-Refused")) == (
        code,
        "builder" if code == 403 else None,
    )
    assert call(app, path, method, body, **HERE).code == 200


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        (HERE, 200),
        ({**HERE, "REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8080"}, 200),
        ({**HERE, "REMOTE_ADDR": "::ffff:127.0.0.1", "HTTP_HOST": "localhost"}, 200),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8080"}, 403),
        ({**HERE, "HTTP_ORIGIN": "http://localhost:8080"}, 200),
        ({"REMOTE_ADDR": "192.168.0.9"}, 403),
        ({**HERE, "HTTP_HOST": "www.example.com"}, 403),
        ({**HERE, "HTTP_ORIGIN": "http://evil.example"}, 403),
        ({**HERE, "HTTP_REFERER": "http://evil.example/"}, 403),
        ({**HERE, "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({**HERE, "HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({**HERE, "SERVER_PROTOCOL": "HTTP/1.0"}, 403),
        ({**HERE, "HTTP_CONNECTION": "upgrade"}, 403),
        ({**HERE, "HTTP_CONNECTION": "upgrade", "HTTP_UPGRADE": "websocket"}, 403),
        ({**HERE, "HTTP_CONNECTION": "Keep-Alive"}, 403),
        ({**HERE, "REMOTE_ADDR": ""}, 403),
        ({**HERE, "REMOTE_ADDR": "localhost"}, 403),
        ({**HERE, "REMOTE_ADDR": "junk"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_HOST": "localhost"}, 403),
    ],
)
def test_loopback_means_somebody_on_this_computer(environ: dict[str, Any], code: int) -> None:
    assert call(shield(), "/builder.html", **environ).code == code


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"REMOTE_ADDR": "198.51.100.7"}, 200),
        ({"REMOTE_ADDR": "198.51.101.7"}, 403),
        ({"REMOTE_ADDR": "2001:db8::7"}, 200),
        (HERE, 403),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}, 200),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7, 203.0.113.5"}, 403),
        ({"REMOTE_ADDR": "10.0.0.1"}, 403),
        ({"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}, 403),
    ],
)
def test_networks_can_be_allowed(environ: dict[str, Any], code: int) -> None:
    allow = tuple(map(parse_network, ("198.51.100.0/24", "2001:db8::/32")))
    assert call(shield(("10.0.0.1",), allow=allow), "/builder.html", **environ).code == code


def test_an_undeclared_proxy_in_an_allowed_network_may_not_build() -> None:
    app = shield(allow=(parse_network("192.168.0.0/16"),))
    assert call(app, "/builder.html", REMOTE_ADDR="192.168.0.9").code == 200
    proxied = {"REMOTE_ADDR": "192.168.0.9", "HTTP_X_FORWARDED_FOR": "192.168.0.7"}
    assert call(app, "/builder.html", **proxied).code == 403


@pytest.mark.parametrize(
    ("told", "safe_mode", "page", "login_page"),
    [
        ({}, True, 200, 200),
        ({BUILDER_SESSION: Session("b", 1, admin=True)}, True, 200, 200),
        ({BUILDER_SESSION: Session("b", 2, admin=False)}, True, 403, 200),
        ({BUILDER_SESSION: Session("b", 2, admin=False)}, False, 200, 200),
        # Jam.py shows the login page of the builder to users of the application
        ({SESSION: Session("a", 2, admin=False)}, True, 200, 200),
        ({SESSION: Session("a", 1, admin=True)}, True, 200, 200),
    ],
    ids=["nobody", "administrator", "user", "safe mode off", "in the application", "as both"],
)
def test_who_is_logged_in_to_the_builder_is_an_administrator(
    told: dict[str, Any],
    safe_mode: bool,
    page: int,
    login_page: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consts = SimpleNamespace(SAFE_MODE=safe_mode)
    monkeypatch.setitem(sys.modules, "jam.common", SimpleNamespace(consts=consts))
    app = shield()
    assert call(app, "/builder.html", **HERE, **told).code == page
    assert call(app, "/builder_login.html", "POST", b"", **HERE, **told).code == login_page
    assert call(app, "/builder.html", **told).code == 403


def test_the_log_says_which_setting_would_allow_it(caplog: pytest.LogCaptureFixture) -> None:
    call(shield(), "/builder.html", REMOTE_ADDR="198.51.100.7")
    setting = 'allow = [\\"127.0.0.0/8\\", \\"::1/128\\", \\"198.51.100.7\\"]'
    assert f'detail="[tool.jamguard.builder] {setting}"' in caplog.text
    caplog.clear()
    call(shield(), "/builder.html", **{**HERE, "HTTP_HOST": "www.example.com"})
    assert 'detail="not known to be on this computer"' in caplog.text


def test_an_application_that_is_not_jam_pys_has_no_builder() -> None:
    assert call(Shield(hello, [Builder()]), "/builder.html").code == 200


def test_report_mode_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    assert call(shield(mode="report"), "/builder.html").code == 200
    assert "would-refuse guard=builder reason=builder status=403" in caplog.text


def test_bad_settings_stop_the_start() -> None:
    with pytest.raises(ConfigError, match=r'builder.allow\[0\]: "office" is not a network'):
        harden(hello, {"builder": {"allow": ["office"]}})
