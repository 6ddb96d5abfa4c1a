"""The facts about a request."""

from typing import Any

import pytest
from support.jam import jam_site
from support.wsgi import Environ, environ, hello, serve

from jamguard import Request, Shield
from jamguard.guards.proxy import Proxy
from jamguard.request import KEY
from jamguard.site import Site

SITE = Site.of(hello)
HERE: Environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


def request(**more: Any) -> Request:
    env = environ(**more)
    for key in [key for key, value in env.items() if value is None]:
        del env[key]
    return Request(env, SITE)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="curl"),
        pytest.param({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"}, id="IPv6"),
        pytest.param({"REMOTE_ADDR": "::ffff:127.0.0.1"}, id="a socket of both versions"),
        pytest.param(
            {"REMOTE_ADDR": "127.0.0.53", "HTTP_HOST": "127.0.0.1"}, id="another loopback"
        ),
        pytest.param({"HTTP_HOST": "LOCALHOST"}, id="Host in capitals"),
        pytest.param({"HTTP_ORIGIN": "http://localhost:8000"}, id="a page of its own"),
        pytest.param({"HTTP_ORIGIN": "http://[::1]:8000"}, id="a page of its own, IPv6"),
        pytest.param({"HTTP_REFERER": "http://127.0.0.1:8000/x?y"}, id="a link of its own"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-origin"}, id="fetch"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "none"}, id="typed by hand"),
        pytest.param(
            {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "navigate"},
            id="a link in a web mail",
        ),
        pytest.param({"SERVER_PROTOCOL": "HTTP/2"}, id="HTTP/2"),
        pytest.param(
            {"HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_CONNECTION": "keep-alive"}, id="a browser"
        ),
        pytest.param({"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}, id="a WebSocket"),
    ],
)
def test_a_person_on_this_machine_is_local(more: Environ) -> None:
    assert request(**{**HERE, **more}).local


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"REMOTE_ADDR": "192.0.2.1"}, id="a stranger"),
        pytest.param({"REMOTE_ADDR": "10.0.0.1"}, id="a machine of the network"),
        pytest.param({"REMOTE_ADDR": ""}, id="a UNIX socket"),
        pytest.param({"REMOTE_ADDR": None}, id="no address"),
        pytest.param({"REMOTE_ADDR": "junk"}, id="junk"),
        pytest.param({"HTTP_HOST": "www.example.com"}, id="a proxy that passes the Host"),
        pytest.param({"HTTP_HOST": "rebound.example.com:8000"}, id="DNS rebinding"),
        pytest.param({"HTTP_HOST": "localhost.example.com"}, id="a name that begins so"),
        pytest.param({"HTTP_HOST": ""}, id="an empty Host"),
        pytest.param({"HTTP_HOST": "[::1"}, id="an open bracket"),
        pytest.param({"HTTP_HOST": None}, id="no Host"),
        pytest.param({"SERVER_PROTOCOL": "HTTP/1.0"}, id="nginx, passing nothing on"),
        pytest.param({"HTTP_CONNECTION": "close"}, id="nginx by HTTP/1.1, and a script's urllib"),
        pytest.param({"HTTP_CONNECTION": "Close"}, id="the same in capitals"),
        pytest.param({"HTTP_CONNECTION": "upgrade"}, id="nginx, set up for WebSockets"),
        pytest.param({"HTTP_VIA": "1.1 Caddy"}, id="Via"),
        pytest.param({"HTTP_USER_AGENT": "Mozilla/5.0"}, id="nginx 1.30, passing nothing on"),
        pytest.param({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, id="X-Forwarded-For"),
        pytest.param({"HTTP_X_REAL_IP": "127.0.0.1"}, id="X-Real-IP"),
        pytest.param({"HTTP_FORWARDED": "for=127.0.0.1"}, id="Forwarded"),
        pytest.param({"HTTP_ORIGIN": "https://www.example.com"}, id="a page from elsewhere"),
        pytest.param({"HTTP_ORIGIN": "null"}, id="a page that hides"),
        pytest.param(
            {"HTTP_ORIGIN": "http://localhost.example.com"}, id="an origin that begins so"
        ),
        pytest.param({"HTTP_ORIGIN": "http://localhost@www.example.com"}, id="a user name"),
        pytest.param({"HTTP_ORIGIN": "http://[::1"}, id="an origin that cannot be read"),
        pytest.param({"HTTP_REFERER": "http://www.example.com/"}, id="a link from elsewhere"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "cross-site"}, id="an image on another page"),
        pytest.param({"HTTP_SEC_FETCH_SITE": "same-site"}, id="another port of this machine"),
    ],
)
def test_what_may_come_from_elsewhere_is_not_local(more: Environ) -> None:
    assert not request(**{**HERE, **more}).local


@pytest.mark.parametrize("said", ["127.0.0.1", "::1", "192.0.2.1"])
def test_behind_a_declared_proxy_nobody_is_local(said: str) -> None:
    env = environ(**HERE, HTTP_X_FORWARDED_FOR=said)
    serve(Shield(hello, [Proxy(trusted=("127.0.0.1",))]), env)
    assert env[KEY].client.text == said
    assert not env[KEY].local


def test_a_request_that_is_known_to_come_through_a_proxy_is_not_local() -> None:
    declared, undeclared = request(**HERE), request(**HERE)
    declared.peer_trusted = undeclared.undeclared = True
    assert not declared.local
    assert not undeclared.local


def test_without_the_proxy_guard_the_peer_is_the_client() -> None:
    plain = request(REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert plain.client is plain.peer
    assert plain.client.text == "192.0.2.9"
    assert not plain.peer_trusted
    assert not plain.undeclared


@pytest.mark.parametrize(("scheme", "secure"), [("https", True), ("http", False), (None, False)])
def test_secure_is_what_the_server_says(scheme: str | None, secure: bool) -> None:
    assert request(**{"wsgi.url_scheme": scheme}).secure is secure


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("WWW.Example.com:8000", "www.example.com"),
        ("[2001:DB8::1]:80", "[2001:db8::1]"),
        ("[2001:db8::1", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_host_is_a_name_without_its_port(header: str | None, host: str) -> None:
    assert request(HTTP_HOST=header).host == host


def test_a_fact_is_worked_out_once() -> None:
    one = request()
    one.environ["REMOTE_ADDR"] = "192.0.2.9"
    first = one.peer
    one.environ["REMOTE_ADDR"] = "192.0.2.10"
    assert one.peer is first
    assert Request.peer.__doc__


def test_each_request_has_a_name_of_its_own() -> None:
    assert len({request().id for _ in range(1000)}) == 1000


def test_facts_of_the_connection_are_carried_and_facts_of_the_path_are_not() -> None:
    outer = request(path="/a")
    outer.undeclared = True
    _ = outer.client, outer.host
    outer.environ["PATH_INFO"] = "/b"
    assert not outer.serves(outer.environ, SITE)
    inner = Request(outer.environ, SITE, outer)
    assert inner.serves(inner.environ, SITE)
    assert inner.path == "/b"
    assert inner.undeclared
    assert inner.client is outer.client
    assert "host" not in inner.__dict__
    assert not inner.serves(dict(inner.environ), SITE)
    assert not inner.serves(inner.environ, Site.of(hello))
    inner.environ["SCRIPT_NAME"] = "/mounted"
    assert not inner.serves(inner.environ, SITE)


@pytest.mark.parametrize("site", [SITE, jam_site()], ids=["no project", "a project"])
def test_without_a_cookie_of_jam_py_there_is_no_session(site: Site) -> None:
    assert Request(environ(HTTP_COOKIE="theme=dark"), site).session is None
