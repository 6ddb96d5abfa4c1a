"""Which requests were born on a page of another origin, and what becomes of them."""

from typing import Any

import pytest
from support.jam import jam_site
from support.wsgi import Answer, call, hello

from jamguard import ConfigError, Shield, harden
from jamguard.guards.origin import Origin
from jamguard.guards.proxy import Proxy

#: an origin to trust, as careless people write it
SHOP = "HTTPS://Shop.Example.com:443"
#: a page on plain http, where browsers send no fetch metadata
HERE: dict[str, Any] = {"HTTP_HOST": "192.0.2.7:8080", "HTTP_ORIGIN": "http://192.0.2.7:8080"}
EVIL: dict[str, Any] = {"HTTP_HOST": "192.0.2.7:8080", "HTTP_ORIGIN": "http://evil.example"}
CROSS: dict[str, Any] = {
    "HTTP_SEC_FETCH_SITE": "cross-site",
    "HTTP_ORIGIN": "https://evil.example",
}
CLICK: dict[str, Any] = {
    "HTTP_SEC_FETCH_SITE": "cross-site",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_SEC_FETCH_USER": "?1",
}
#: what nginx adds, as far as it can be seen: it speaks HTTP/1.0 and listens elsewhere
NGINX: dict[str, Any] = {
    "REMOTE_ADDR": "127.0.0.1",
    "SERVER_PORT": "8001",
    "SERVER_PROTOCOL": "HTTP/1.0",
}
JSON = {"CONTENT_TYPE": "application/json;charset=utf-8"}
TEXT = {"CONTENT_TYPE": "text/plain;charset=UTF-8"}


def shield(trusted: tuple[str, ...] = (), **settings: Any) -> Shield:
    return Shield(hello, [Proxy(trusted=trusted), Origin(**settings)], jam_site())


def post(path: str = "/api", /, **environ: Any) -> Answer:
    return call(shield(), path, "POST", b"[]", **environ)


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        pytest.param({}, 200, id="neither"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-origin"}, 200, id="same-origin"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "none"}, 200, id="none"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-site"}, 403, id="same-site"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403, id="cross-site"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "Same-Origin"}, 403, id="wrong case"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-origin,none"}, 403, id="two of them"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "\xff" * 9000}, 403, id="junk"),
        pytest.param({"HTTP_SEC_FETCH_SITE": ""}, 200, id="empty"),
        pytest.param({**HERE, "HTTP_SEC_FETCH_SITE": "cross-site"}, 403, id="not by Origin"),
        pytest.param({**EVIL, "HTTP_SEC_FETCH_SITE": "same-origin"}, 200, id="nor by Host"),
    ],
)
def test_what_the_browser_says_decides(environ: dict[str, Any], code: int) -> None:
    answer = post(**environ)
    assert (answer.code, answer.get("Jamguard-Refused")) == (
        code,
        None if code == 200 else "origin",
    )


@pytest.mark.parametrize(
    ("origin", "host", "code"),
    [
        ("http://www.example.com", "www.example.com", 200),
        ("http://www.example.com", "WWW.Example.COM", 200),
        ("HTTP://WWW.EXAMPLE.COM", "www.example.com", 200),
        ("http://www.example.com", "www.example.com:80", 200),
        ("https://www.example.com", "www.example.com:443", 200),
        ("https://www.example.com", "www.example.com", 200),
        ("http://www.example.com:8080", "www.example.com:8080", 200),
        ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080", 200),
        ("http://[2001:db8::80]", "[2001:db8::80]", 200),
        ("http://192.0.2.7", "192.0.2.7", 200),
        ("http://my_server", "my_server", 200),
        ("", "www.example.com", 200),
        ("http://www.example.com", "www.example.com:443", 403),
        ("http://www.example.com:8081", "www.example.com:8080", 403),
        ("http://www.example.com:8080", "www.example.com", 403),
        ("http://www.example.com", "www.example.com:8080", 403),
        ("http://blog.example.com", "www.example.com", 403),
        ("http://www.example.com.evil.example", "www.example.com", 403),
        ("http://www.example.com@evil.example", "www.example.com", 403),
        ("http://evil.example/www.example.com", "www.example.com", 403),
        ("http://www.example.com/", "www.example.com", 403),
        ("http://www.example.com:", "www.example.com", 403),
        ("app://www.example.com", "www.example.com", 403),
        ("null", "null", 403),
        ("null", "www.example.com", 403),
        ("://", "", 403),
        ("http://", "", 403),
        ("http://www.example.com,http://www.example.com", "www.example.com", 403),
        ("http://www.example.com, http://evil.example", "www.example.com", 403),
        ("http://www.example.comhttp://evil.example", "www.example.com", 403),
        ("http://www.exämple.com", "www.exämple.com", 403),
        ("http://" + "x" * 60_000, "www.example.com", 403),
        ("x" * 60_000, "www.example.com", 403),
        ("http://www.example.com\n", "www.example.com", 403),
    ],
)
def test_without_fetch_metadata_the_origin_has_to_name_the_host(
    origin: str, host: str, code: int
) -> None:
    assert post(HTTP_ORIGIN=origin, HTTP_HOST=host).code == code


@pytest.mark.parametrize(
    ("origin", "code"), [("https://www.example.com", 200), ("http://www.example.com", 403)]
)
def test_a_page_that_came_by_http_sends_nothing_to_https(origin: str, code: int) -> None:
    by_tls = {"wsgi.url_scheme": "https"}
    by_proxy = {
        "REMOTE_ADDR": "192.0.2.80",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_FOR": "198.51.100.7",
    }
    app = shield(("192.0.2.80",))
    for secure in (by_tls, by_proxy):
        assert call(app, "/api", "POST", b"[]", HTTP_ORIGIN=origin, **secure).code == code
    claimed = {**by_proxy, "wsgi.url_scheme": "https", "REMOTE_ADDR": "192.0.2.81"}
    assert call(app, "/api", "POST", b"[]", HTTP_ORIGIN=origin, **claimed).code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api", "/login.html", "/own", "/ext/x", "/static/x"])
def test_what_changes_nothing_passes(method: str, path: str) -> None:
    assert call(shield(), path, method, **CROSS).code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "FROB"])
@pytest.mark.parametrize(
    "path", ["/api", "//api/x", "/upload", "/login.html", "/builder_login.html", "/", "/logout"]
)
def test_what_may_change_something_at_jam_pys_places_does_not(method: str, path: str) -> None:
    assert call(shield(), path, method, b"[]", **CROSS).code == 403


@pytest.mark.parametrize("path", ["/ext/pay", "/own/page", "/health"])
@pytest.mark.parametrize(
    ("rights", "code"),
    [
        pytest.param({}, 200, id="nobody's"),
        pytest.param({"HTTP_AUTHORIZATION": "Bearer abc"}, 200, id="a token"),
        pytest.param({"HTTP_COOKIE": "x=y"}, 403, id="a cookie"),
        pytest.param({"HTTP_COOKIE": "x=y", "HTTP_AUTHORIZATION": "Bearer a"}, 403, id="both"),
        pytest.param({"HTTP_AUTHORIZATION": "Basic abc"}, 403, id="a login of the browser's"),
        pytest.param({"REMOTE_USER": "anna"}, 403, id="Kerberos"),
    ],
)
def test_at_the_projects_own_places_only_a_users_rights_are_protected(
    path: str, rights: dict[str, Any], code: int
) -> None:
    assert post(path, **CROSS, **rights).code == code
    assert post(path, **EVIL, **rights).code == code
    assert post(path, **rights).code == 200
    assert post(path, HTTP_SEC_FETCH_SITE="same-origin", **rights).code == 200


def test_an_application_that_is_not_jam_pys_is_protected_as_a_whole() -> None:
    app = Shield(hello, [Origin()])
    assert call(app, "/own/page", "POST", b"", **CROSS).code == 403
    assert call(app, "/own/page", "POST", b"").code == 200
    assert call(app, "/logout", "GET", **CROSS).code == 200


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        pytest.param({}, 200, id="old browser, or http"),
        pytest.param({"HTTP_REFERER": "http://evil.example/x"}, 403, id="picture or link on http"),
        pytest.param({"HTTP_REFERER": "http://www.example.com:81/"}, 403, id="another port"),
        pytest.param({"HTTP_REFERER": "http://www.example.com/"}, 200, id="own page on http"),
        pytest.param({"HTTP_REFERER": "about:blank"}, 200, id="no page of the web"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-origin"}, 200, id="own page"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "none"}, 200, id="typed"),
        pytest.param(CLICK, 200, id="clicked link elsewhere"),
        pytest.param({**CLICK, "HTTP_SEC_FETCH_SITE": "same-site"}, 200, id="clicked link nearby"),
        pytest.param({**CLICK, "HTTP_SEC_FETCH_USER": ""}, 403, id="a script goes there"),
        pytest.param({**CLICK, "HTTP_SEC_FETCH_DEST": "iframe"}, 403, id="frame"),
        pytest.param({**CLICK, "HTTP_SEC_FETCH_MODE": "no-cors"}, 403, id="no navigation"),
        pytest.param(
            {"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_SEC_FETCH_DEST": "image"}, 403, id="image"
        ),
        pytest.param(EVIL, 403, id="fetch with CORS on http"),
    ],
)
def test_only_the_user_logs_out(environ: dict[str, Any], code: int) -> None:
    for path in ("/logout", "//logout/x"):
        assert call(shield(), path, "GET", **environ).code == code


def test_a_click_excuses_no_write() -> None:
    assert post("/login.html", **CLICK).code == 403


def test_the_handshake_of_a_websocket_is_a_write() -> None:
    handshake = {"HTTP_UPGRADE": "WebSocket", "HTTP_COOKIE": "x=y"}
    for origin in (CROSS, EVIL):
        assert call(shield(), "/own/socket", "GET", **handshake, **origin).code == 403
    assert call(shield(), "/own/socket", "GET", **handshake, **HERE).code == 200
    assert call(shield(), "/own/socket", "GET", **handshake).code == 200
    for other in ("", "h2c"):
        handshake["HTTP_UPGRADE"] = other
        assert call(shield(), "/own/page", "GET", **handshake, **CROSS).code == 200


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://shop.example.com", 200),
        ("https://SHOP.example.com", 200),
        ("http://192.0.2.9:8080", 200),
        ("app://localhost", 200),
        ("http://shop.example.com", 403),
        ("https://shop.example.com:8443", 403),
        ("https://shop.example.com.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_trusted_origin_may_send_anything(origin: str, code: int) -> None:
    guard = Origin(trusted=(SHOP, "http://192.0.2.9:8080", "app://localhost"))
    app = Shield(hello, [guard], jam_site())
    for site in ("cross-site", "same-site"):
        answer = call(app, "/api", "POST", b"", HTTP_SEC_FETCH_SITE=site, HTTP_ORIGIN=origin)
        assert answer.code == code
    if origin:
        assert call(app, "/api", "POST", b"", HTTP_ORIGIN=origin).code == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/ext/pay", 200),
        ("/ext/pay/", 200),
        ("/ext/pay/done", 200),
        ("/hook", 200),
        ("/hook/x", 200),
        ("/ext/payments", 403),
        ("/ext", 403),
        ("//ext/pay", 403),
        ("/EXT/pay", 403),
        ("/api", 403),
    ],
)
def test_a_bypass_is_a_path_and_what_is_below_it(path: str, code: int) -> None:
    app = shield(insecure_bypass=("/ext/pay", "/hook/"))
    assert call(app, path, "POST", b"", HTTP_COOKIE="x=y", **CROSS).code == code


# --- behind a proxy that hides the Host -------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "origin", "code"),
    [
        pytest.param("127.0.0.1:8001", "http://192.168.0.5", 200, id="nginx"),
        pytest.param("localhost", "http://192.168.0.5", 200, id="nginx, UNIX socket"),
        pytest.param("[::1]:8001", "http://crm.example.com", 200, id="nginx, IPv6"),
        pytest.param("app:8001", "http://crm.example.com:8080", 200, id="Docker"),
        pytest.param("backend", "https://crm.example.com", 200, id="upstream; old browser"),
        pytest.param("10.0.0.4:8001", "http://crm.example.com", 200, id="nginx elsewhere"),
        pytest.param("crm.example.com", "http://crm.example.com:8080", 200, id="$host, no port"),
        pytest.param("192.168.0.5", "http://192.168.0.5:8080", 200, id="$host, address"),
        pytest.param("192.168.0.5", "http://192.168.0.5", 200, id="right"),
        pytest.param("192.168.0.5", "http://evil.example", 403, id="right Host, evil page"),
        pytest.param("192.168.0.5:8080", "http://192.168.0.5:9090", 403, id="another port"),
        pytest.param("10.0.0.4:80", "http://evil.example", 403, id="not where the server is"),
        pytest.param("203.0.113.4:8001", "http://evil.example", 403, id="public address"),
        pytest.param("crm.example.com", "http://evil.example", 403, id="name with a dot"),
        pytest.param("127.0.0.1:8001", "null", 403, id="null"),
        pytest.param("127.0.0.1:8001", "http://a.example,http://b.example", 403, id="two"),
        pytest.param("127.0.0.1:8001", "app://crm.example.com", 403, id="no page of the web"),
    ],
)
@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        pytest.param((), {}, id="undeclared"),
        pytest.param(("127.0.0.1",), {"HTTP_X_FORWARDED_FOR": "192.168.0.9"}, id="declared"),
    ],
)
def test_where_a_proxy_hides_the_host_pages_go_on_working(
    host: str,
    origin: str,
    code: int,
    trusted: tuple[str, ...],
    seen: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = shield(trusted)
    environ = {**NGINX, **seen, "HTTP_HOST": host, "HTTP_ORIGIN": origin}
    for path in ("/api", "/upload", "/login.html", "/own"):
        assert call(app, path, "POST", b"", HTTP_COOKIE="x=y", **JSON, **environ).code == code
    noticed = code == 200 and not origin.endswith(f"//{host}")
    assert caplog.text.count("id=JG017") == noticed


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (JSON, 200),
        ({"CONTENT_TYPE": "Application/JSON"}, 200),
        ({"HTTP_X_REQUESTED_WITH": "XMLHttpRequest", **TEXT}, 200),
        (TEXT, 403),
        ({"CONTENT_TYPE": "text/plain;application/json"}, 403),
        ({"CONTENT_TYPE": "multipart/form-data; boundary=x"}, 403),
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, 403),
        ({"CONTENT_TYPE": ""}, 403),
        ({}, 403),
    ],
)
def test_where_a_proxy_hides_the_host_no_other_page_can_make_a_call(
    more: dict[str, Any], code: int
) -> None:
    environ = {**NGINX, "HTTP_HOST": "127.0.0.1:8001", "HTTP_ORIGIN": "http://192.168.0.5"}
    assert post(**environ, **more).code == code
    assert post(**environ, **more, HTTP_SEC_FETCH_SITE="same-origin").code == 200
    assert post(**environ, **more, HTTP_SEC_FETCH_SITE="cross-site").code == 403


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param({"REMOTE_ADDR": "127.0.0.1"}, id="no sign of a proxy"),
        pytest.param({**NGINX, "REMOTE_ADDR": "192.0.2.80"}, id="a stranger, never believed"),
    ],
)
def test_a_hidden_host_needs_a_proxy(peer: dict[str, Any]) -> None:
    assert (
        post(HTTP_HOST="127.0.0.1:8001", HTTP_ORIGIN="http://a.example", **JSON, **peer).code == 403
    )


# --- how it is told ---------------------------------------------------------------------------


def test_calls_get_the_status_alone_and_people_a_sentence() -> None:
    for path in ("/api", "/upload"):
        answer = post(path, **CROSS)
        assert (answer.code, answer.body) == (403, b"")
    page = post("/login.html", **CROSS)
    assert b"This came from a page of another site, so it was not done" in page.body
    machine = post("/ext/x", HTTP_COOKIE="x=y", **CROSS)
    assert machine.get("Content-Type") == "application/problem+json"


def test_the_log_says_where_it_came_from_and_what_to_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    post(**CROSS)
    assert "reason=other-origin status=403" in caplog.text
    assert 'trusted = [\\"https://evil.example\\"]' in caplog.text
    assert "$http_host" not in caplog.text
    caplog.clear()
    post(**EVIL)
    assert "from http://evil.example, while Host is 192.0.2.7" in caplog.text
    assert "proxy_set_header Host $http_host; (Apache: ProxyPreserveHost On)" in caplog.text
    assert 'trusted = [\\"http://evil.example\\"]' in caplog.text
    caplog.clear()
    post(HTTP_SEC_FETCH_SITE="cross-site")
    assert 'detail="from another site"' in caplog.text
    caplog.clear()
    post(HTTP_ORIGIN='"]\n' + "x" * 500)
    assert "trusted" not in caplog.text
    assert len(caplog.text.strip().splitlines()) == 1
    assert "x" * 150 not in caplog.text


def test_report_mode_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    assert call(shield(mode="report"), "/api", "POST", b"[]", **CROSS).code == 200
    assert "would-refuse guard=origin reason=other-origin status=403" in caplog.text


@pytest.mark.parametrize(
    "origin",
    [
        "www.example.com",
        "https://www.example.com/",
        "https://www.example.com/shop",
        "*",
        "null",
        "",
    ],
)
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(ConfigError, match=r"tool.jamguard.origin.trusted: .* write scheme, name"):
        harden(hello, {"origin": {"trusted": [origin]}})


@pytest.mark.parametrize("path", ["ext/pay", "https://www.example.com/ext", ""])
def test_what_is_no_path_stops_the_start(path: str) -> None:
    with pytest.raises(ConfigError, match=r"tool.jamguard.origin.insecure-bypass: .* write a path"):
        harden(hello, {"origin": {"insecure-bypass": [path]}})
