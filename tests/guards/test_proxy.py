"""Who asks: only declared proxies are believed, and nobody's text reaches the application."""

import ipaddress
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.wsgi import Environ, call, environ, hello, serve
from werkzeug.middleware.proxy_fix import ProxyFix

from jamguard import ConfigError, Request, Shield, harden
from jamguard.address import UNIX, UNKNOWN
from jamguard.config import Settings
from jamguard.forwarded import FORWARDING, Header, environ_key
from jamguard.guards.proxy import LONGEST, Proxy
from jamguard.request import KEY
from jamguard.site import Site

PROXY = "203.0.113.1"
CLIENT = "198.51.100.7"
LIE = "192.0.2.66"

DECLARED = Proxy(trusted=("203.0.113.0/28",))


def seen_behind(*guards: Proxy, **more: Any) -> tuple[Request, Environ]:
    """Send one request; return what the guards know of it and what the application sees."""
    seen: list[Environ] = []

    def app(env: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(dict(env))
        return hello(env, start_response)

    env = environ(**more)
    for key in [key for key, value in env.items() if value is None]:
        del env[key]
    assert serve(Shield(app, guards), env).code == 200
    return seen[0][KEY], seen[0]


def notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "notice" in record.getMessage()]


# --- without a declared peer ---------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(FORWARDING))
def test_no_claim_of_a_stranger_reaches_the_application(key: str) -> None:
    request, env = seen_behind(Proxy(), **{key: LIE})
    assert request.client.text == env["REMOTE_ADDR"] == "192.0.2.1"
    assert FORWARDING.isdisjoint(env)
    assert not request.undeclared  # a stranger buys no relief
    assert not request.peer_trusted


@pytest.mark.parametrize(
    ("remote", "client", "key"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", "192.0.2.1", id="IPv4"),
        pytest.param("2001:db8::1", "2001:db8::1", "2001:db8::/64", id="IPv6"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", id="socket of both versions"),
        pytest.param("fe80::1%eth0", "fe80::1", "fe80::/64", id="zone id"),
        pytest.param("", "", "unix", id="UNIX socket: gunicorn, cheroot, granian"),
        pytest.param("localhost", "", "unix", id="UNIX socket: waitress"),
        pytest.param("<local>", "", "unix", id="UNIX socket: werkzeug"),
        pytest.param("0.0.0.0", "", "unix", id="UNIX socket: bjoern, uWSGI"),
        pytest.param(None, "", "unix", id="UNIX socket: uvicorn and asgiref say nothing"),
        pytest.param("junk", "", "unknown", id="junk"),
        pytest.param("192.0.2.1192.0.2.2", "", "unknown", id="two joined"),
    ],
)
def test_the_peer_is_the_client_as_each_server_names_it(
    remote: str | None, client: str, key: str
) -> None:
    request, env = seen_behind(Proxy(), REMOTE_ADDR=remote)
    assert (request.client.text, request.client.key) == (client, key)
    assert request.peer is request.client
    assert env["REMOTE_ADDR"] == (remote or "")  # Jam.py takes it for granted
    assert not request.peer_trusted
    assert not request.undeclared


@pytest.mark.parametrize(
    ("remote", "more", "sign"),
    [
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": CLIENT}, "it sends X-Forwarded-For"),
        ("::1", {"HTTP_FORWARDED": "for=x"}, "it sends Forwarded"),
        ("10.0.0.1", {"HTTP_X_REAL_IP": CLIENT}, "it sends X-Real-Ip"),
        ("192.168.1.2", {"HTTP_VIA": "1.1 Caddy"}, "it sends Via"),
        ("127.0.0.1", {"SERVER_PROTOCOL": "HTTP/1.0"}, "it speaks HTTP/1.0"),
        ("", {"HTTP_CF_CONNECTING_IP": CLIENT}, "it sends Cf-Connecting-Ip"),
    ],
)
def test_an_undeclared_proxy_keeps_its_address_and_is_named_once_with_the_setting(
    remote: str, more: Environ, sign: str, caplog: pytest.LogCaptureFixture
) -> None:
    shield = Shield(hello, [Proxy()])
    for _ in range(3):
        env = environ(REMOTE_ADDR=remote, HTTP_HOST="localhost", **more)
        assert serve(shield, env).code == 200
        request = env[KEY]
        assert request.undeclared
        assert request.client is request.peer
        assert not request.local
        assert FORWARDING.isdisjoint(env)
        assert env["REMOTE_ADDR"] == remote
    (notice,) = notices(caplog)
    assert "id=JG003" in notice
    assert sign in notice
    assert f'trusted = [\\"{remote or "unix"}\\"]' in notice


def test_on_pythonanywhere_the_notice_names_the_preset(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONANYWHERE_SITE", "www.pythonanywhere.com")
    call(Shield(hello, [Proxy()]), REMOTE_ADDR="10.0.0.9", HTTP_X_REAL_IP=CLIENT)
    assert 'trusted = [\\"pythonanywhere\\"]' in notices(caplog)[0]


def test_a_stranger_who_looks_like_a_proxy_is_no_notice(caplog: pytest.LogCaptureFixture) -> None:
    request, _ = seen_behind(Proxy(), HTTP_VIA="1.1 squid", HTTP_X_FORWARDED_FOR="10.0.0.9")
    assert not request.undeclared
    assert notices(caplog) == []


@pytest.mark.parametrize(
    ("remote", "header", "secure", "scheme"),
    [
        pytest.param("192.0.2.1", "HTTP_X_FORWARDED_PROTO", False, "http", id="uWSGI, a stranger"),
        pytest.param("192.0.2.1", "HTTP_X_FORWARDED_SSL", False, "http", id="uWSGI, -Ssl"),
        pytest.param("127.0.0.1", "HTTP_X_FORWARDED_PROTOCOL", False, "https", id="gunicorn"),
        pytest.param("", "HTTP_X_FORWARDED_PROTO", False, "https", id="gunicorn, UNIX socket"),
        pytest.param("192.0.2.1", "HTTP_X_REAL_IP", True, "https", id="TLS of the server's own"),
    ],
)
def test_https_that_a_server_took_from_a_header_is_not_believed(
    remote: str, header: str, secure: bool, scheme: str
) -> None:
    request, env = seen_behind(
        Proxy(), REMOTE_ADDR=remote, **{"wsgi.url_scheme": "https", header: "https"}
    )
    assert request.secure is secure
    # behind an undeclared proxy the application goes on making the links that worked
    assert env["wsgi.url_scheme"] == scheme


# --- behind declared proxies ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("guard", "remote", "header", "value", "client"),
    [
        pytest.param(DECLARED, PROXY, "X-Forwarded-For", CLIENT, CLIENT, id="one proxy"),
        pytest.param(
            DECLARED, PROXY, "X-Forwarded-For", f"{LIE}, {CLIENT}", CLIENT, id="a client that lies"
        ),
        pytest.param(
            DECLARED, PROXY, "X-Forwarded-For", f"{LIE},{CLIENT},203.0.113.2", CLIENT, id="two"
        ),
        pytest.param(
            DECLARED, f"::ffff:{PROXY}", "X-Forwarded-For", CLIENT, CLIENT, id="v4-mapped peer"
        ),
        pytest.param(
            DECLARED, PROXY, "X-Forwarded-For", f"{CLIENT}:55001", CLIENT, id="with a port"
        ),
        pytest.param(
            Proxy(trusted=("unix",)), "", "X-Forwarded-For", CLIENT, CLIENT, id="UNIX: gunicorn"
        ),
        pytest.param(
            Proxy(trusted=("unix",)), "localhost", "X-Forwarded-For", CLIENT, CLIENT, id="waitress"
        ),
        pytest.param(
            Proxy(trusted=("unix", "203.0.113.1")),
            None,
            "X-Forwarded-For",
            f"{CLIENT}, {PROXY}",
            CLIENT,
            id="UNIX and another proxy before it",
        ),
        pytest.param(
            Proxy(trusted=("2001:db8:f::/48",)),
            "2001:db8:f::1",
            "X-Forwarded-For",
            "[2001:db8::7]:80",
            "2001:db8::7",
            id="IPv6",
        ),
        pytest.param(
            Proxy(trusted=(PROXY,), header="forwarded"),
            PROXY,
            "Forwarded",
            f'for={LIE};x=", for={CLIENT};proto=https',
            CLIENT,
            id="RFC 7239, with an open quote",
        ),
        pytest.param(
            Proxy(trusted=(PROXY,), header="cf-connecting-ip"),
            PROXY,
            "CF-Connecting-IP",
            CLIENT,
            CLIENT,
            id="Cloudflare",
        ),
        pytest.param(
            Proxy(trusted=("pythonanywhere",)), "10.0.3.4", "X-Real-IP", CLIENT, CLIENT, id="preset"
        ),
        pytest.param(
            Proxy(trusted=("pythonanywhere",), header="true-client-ip"),
            "10.0.3.4",
            "True-Client-IP",
            CLIENT,
            CLIENT,
            id="preset, and a header of one's own",
        ),
        pytest.param(
            Proxy(trusted=("127.0.0.1",)), "127.0.0.1", "X-Forwarded-For", CLIENT, CLIENT, id="here"
        ),
    ],
)
def test_a_declared_proxy_says_who_asks(
    guard: Proxy, remote: str | None, header: str, value: str, client: str
) -> None:
    for _ in range(2):  # read, and remembered
        request, env = seen_behind(guard, REMOTE_ADDR=remote, **{environ_key(header): value})
        assert request.client.text == client
        assert env["REMOTE_ADDR"] == env["HTTP_X_FORWARDED_FOR"] == client
        assert FORWARDING.intersection(env) == {"HTTP_X_FORWARDED_FOR"}
        assert request.peer_trusted
        assert not request.undeclared
        assert not request.local


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="no header"),
        pytest.param("", id="empty"),
        pytest.param("unknown", id="unknown"),
        pytest.param(f"{CLIENT}, junk", id="junk at the end"),
        pytest.param("1.1.1.12.2.2.2", id="joined without a comma (bjoern)"),
        pytest.param(f"{CLIENT}\x00", id="NUL"),
        pytest.param(f"{CLIENT}' where 1 --", id="SQL"),
    ],
)
def test_a_declared_proxy_that_says_nothing_usable_makes_the_client_unknown(
    value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    guard = Proxy(trusted=("127.0.0.1",))
    request, env = seen_behind(
        guard, REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost", HTTP_X_FORWARDED_FOR=value
    )
    assert request.client is UNKNOWN
    assert request.peer.loopback
    assert env["REMOTE_ADDR"] == ""
    assert FORWARDING.isdisjoint(env)
    assert request.undeclared  # it stands for many people
    assert not request.local
    (notice,) = notices(caplog)
    assert "id=JG013" in notice
    assert "127.0.0.1 sends no valid x-forwarded-for" in notice


@pytest.mark.parametrize("remote", ["192.0.2.1", PROXY])
def test_a_header_whose_name_has_a_blank_counts_for_nothing(remote: str) -> None:
    # bjoern and uWSGI make such keys of `X-Forwarded-For : 192.0.2.66`
    more = {"HTTP_X_FORWARDED_FOR ": LIE, "HTTP_X_FORWARDED_FOR": CLIENT}
    request, env = seen_behind(DECLARED, REMOTE_ADDR=remote, **more)
    assert request.client.text == env["REMOTE_ADDR"] == (CLIENT if remote == PROXY else remote)


def test_a_unix_peer_that_is_not_declared_is_not_believed() -> None:
    request, env = seen_behind(DECLARED, REMOTE_ADDR="", HTTP_X_FORWARDED_FOR=CLIENT)
    assert request.client is UNIX
    assert "HTTP_X_FORWARDED_FOR" not in env


def test_only_the_chosen_header_is_read() -> None:
    more = {environ_key(name): LIE for name in ("Forwarded", "X-Real-IP", "CF-Connecting-IP")}
    request, _ = seen_behind(DECLARED, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=CLIENT, **more)
    assert request.client.text == CLIENT
    request, _ = seen_behind(DECLARED, REMOTE_ADDR=PROXY, **more)
    assert request.client is UNKNOWN


@pytest.mark.parametrize(
    ("settings", "said", "expected"),
    [
        pytest.param({}, {"X-Forwarded-Proto": "https"}, {"wsgi.url_scheme": "https"}, id="scheme"),
        pytest.param(
            {}, {"X-Forwarded-Proto": "http,https"}, {"wsgi.url_scheme": "https"}, id="the last one"
        ),
        pytest.param({}, {"X-Forwarded-Proto": "wss"}, {"wsgi.url_scheme": "http"}, id="no scheme"),
        pytest.param(
            {}, {"X-Forwarded-Proto": "https\x00"}, {"wsgi.url_scheme": "http"}, id="NUL in it"
        ),
        pytest.param(
            {"scheme": False},
            {"X-Forwarded-Proto": "https"},
            {"wsgi.url_scheme": "http"},
            id="scheme off",
        ),
        pytest.param(
            {},
            {
                "X-Forwarded-Host": "evil.example.com",
                "X-Forwarded-Port": "443",
                "X-Forwarded-Prefix": "/x",
            },
            {"HTTP_HOST": "www.example.com", "SERVER_PORT": "8000", "SCRIPT_NAME": ""},
            id="host, port and prefix are off",
        ),
        pytest.param(
            {"host": True},
            {"X-Forwarded-Host": "app.example.com:8443"},
            {
                "HTTP_HOST": "app.example.com:8443",
                "SERVER_NAME": "app.example.com",
                "SERVER_PORT": "8000",
            },
            id="host, and the port is not changed with it",
        ),
        pytest.param(
            {"host": True},
            {"X-Forwarded-Host": "a.example.com, b.example.com"},
            {"HTTP_HOST": "b.example.com"},
            id="two hosts",
        ),
        pytest.param(
            {"host": True},
            {"X-Forwarded-Host": 'x"/<script>'},
            {"HTTP_HOST": "www.example.com"},
            id="a host that is none",
        ),
        pytest.param(
            {"port": True},
            {"X-Forwarded-Port": "443"},
            {"SERVER_PORT": "443", "HTTP_HOST": "www.example.com:443"},
            id="port",
        ),
        pytest.param(
            {"port": True},
            {"X-Forwarded-Port": "443; Domain=evil.example.com"},
            {"SERVER_PORT": "8000", "HTTP_HOST": "www.example.com"},
            id="a port that would end up in a cookie's name",
        ),
        pytest.param(
            {"port": True},
            {"X-Forwarded-Port": "443", "Host": None},
            {"SERVER_PORT": "443", "HTTP_HOST": None},
            id="port, no Host",
        ),
        pytest.param(
            {"prefix": True}, {"X-Forwarded-Prefix": "/crm"}, {"SCRIPT_NAME": "/crm"}, id="prefix"
        ),
        pytest.param(
            {"prefix": True}, {"X-Forwarded-Prefix": "//evil"}, {"SCRIPT_NAME": ""}, id="no prefix"
        ),
    ],
)
def test_what_else_a_declared_proxy_may_say(
    settings: dict[str, Any], said: dict[str, str | None], expected: dict[str, str | None]
) -> None:
    guard = Proxy(trusted=(PROXY,), **settings)
    more = {environ_key(name): value for name, value in said.items()}
    for _ in range(2):
        request, env = seen_behind(guard, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=CLIENT, **more)
        assert {key: env.get(key) for key in expected} == expected
        assert request.secure is (env["wsgi.url_scheme"] == "https")
        assert FORWARDING.intersection(env) == {"HTTP_X_FORWARDED_FOR"}
        assert request.client.text == CLIENT


def test_forwarded_tells_the_scheme_and_x_forwarded_proto_does_not() -> None:
    guard = Proxy(trusted=(PROXY,), header="forwarded")
    said = {"REMOTE_ADDR": PROXY, "HTTP_FORWARDED": f"for={CLIENT};proto=https"}
    request, env = seen_behind(guard, **said)
    assert request.secure
    assert env["wsgi.url_scheme"] == "https"
    request, env = seen_behind(guard, **said, HTTP_X_FORWARDED_PROTO="http")
    assert request.secure
    request, env = seen_behind(Proxy(trusted=(PROXY,), header="forwarded", scheme=False), **said)
    assert env["wsgi.url_scheme"] == "http"
    said["HTTP_FORWARDED"] = f"for={CLIENT}"
    # gunicorn believed the client's own header
    forged = {"HTTP_X_FORWARDED_PROTO": "https", "wsgi.url_scheme": "https"}
    request, env = seen_behind(guard, **said, **forged)
    assert not request.secure


def test_an_outer_shield_has_found_the_client_for_an_inner_one() -> None:
    guard = Proxy(trusted=(PROXY,))
    env = environ(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="192.168.1.50")
    assert serve(Shield(Shield(hello, [guard]), [guard]), env).code == 200
    assert env["REMOTE_ADDR"] == "192.168.1.50"
    assert env[KEY].peer_trusted
    assert not env[KEY].undeclared


def test_a_flood_of_claims_stays_within_bounds() -> None:
    guard = Proxy(trusted=(PROXY,))
    remembered = guard._claims
    shield = Shield(hello, [guard])
    for number in range(10_000):
        entry = f"{number}.invalid, {CLIENT}"
        call(shield, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=entry)
    assert len(remembered) <= 4096
    remembered.clear()
    request, _ = seen_behind(
        guard, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="x" * LONGEST + f", {CLIENT}"
    )
    assert request.client.text == CLIENT
    assert len(remembered) == 0  # too long to be kept


# --- properties ----------------------------------------------------------------------------

header_text = st.text(st.characters(max_codepoint=255), max_size=80) | st.sampled_from(
    [LIE, f"{LIE}, {LIE}", "127.0.0.1", "::1", "unix", f"for={LIE}", 'for="[::1]";proto=https']
)
lies = st.dictionaries(st.sampled_from(sorted(FORWARDING)), header_text, max_size=6)


@settings(deadline=None)
@given(lies)
def test_without_a_declared_peer_the_client_is_the_peer_whatever_is_sent(
    claims: dict[str, str],
) -> None:
    for remote in ("192.0.2.1", "127.0.0.1", "10.0.0.1", ""):
        request, env = seen_behind(Proxy(), REMOTE_ADDR=remote, **claims)
        assert request.client is request.peer
        assert env["REMOTE_ADDR"] == remote
        assert FORWARDING.isdisjoint(env)
        assert request.undeclared is (bool(claims) and remote != "192.0.2.1")


@settings(deadline=None)
@given(lies, st.text(st.characters(max_codepoint=255), max_size=80))
def test_behind_declared_proxies_a_client_never_chooses_its_address(
    claims: dict[str, str], left: str
) -> None:
    for chain in (CLIENT, f"{CLIENT}, 203.0.113.2"):
        said = {**claims, "REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": f"{left}, {chain}"}
        request, env = seen_behind(DECLARED, **said)
        assert request.client.text == env["REMOTE_ADDR"] == env["HTTP_X_FORWARDED_FOR"] == CLIENT


@settings(deadline=None)
@given(lies)
def test_no_raw_text_reaches_the_application_as_an_address(claims: dict[str, str]) -> None:
    headers: tuple[Header, ...] = ("x-forwarded-for", "forwarded", "x-real-ip")
    for header in headers:
        guard = Proxy(trusted=(PROXY,), header=header)
        _, env = seen_behind(guard, REMOTE_ADDR=PROXY, **claims)
        for text in (env["REMOTE_ADDR"], env.get("HTTP_X_FORWARDED_FOR", "")):
            assert text == "" or text == str(ipaddress.ip_address(text))
        assert env["REMOTE_ADDR"] != PROXY


@settings(deadline=None)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6, network="2001:db8:1::/48"))
def test_behind_one_proxy_the_environ_is_what_proxy_fix_makes_of_it(
    client: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if client.is_unspecified or client in ipaddress.ip_network("203.0.113.0/28"):
        return
    said: Environ = {
        "REMOTE_ADDR": PROXY,
        "HTTP_X_FORWARDED_FOR": str(client),
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "app.example.com:8443",
        "HTTP_X_FORWARDED_PORT": "8443",
        "HTTP_X_FORWARDED_PREFIX": "/crm",
    }
    reference = environ(**said)
    serve(ProxyFix(hello, x_host=1, x_port=1, x_prefix=1), reference)
    guard = Proxy(trusted=(PROXY,), host=True, port=True, prefix=True)
    _, env = seen_behind(guard, **said)
    same = set(reference) - {"wsgi.input", "wsgi.errors", "werkzeug.proxy_fix.orig"} - FORWARDING
    assert {key: env.get(key) for key in same} == {key: reference[key] for key in same}


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"trusted": ["nginx"]},
            'trusted: ["nginx"] has "nginx", which is not a network; write "192.0.2.0/24", ',
        ),
        (
            {"trusted": ["nginx"]},
            'or one address, or one of "unix", "pythonanywhere"',
        ),
        ({"trusted": "unix"}, 'trusted: "unix" must be a list'),
        ({"header": "X-Forwarded-For"}, "did you mean 'x-forwarded-for'?"),
        ({"header": "x-my-ip"}, "must be one of 'cf-connecting-ip', "),
        ({"mode": "report"}, "proxy only transforms, so it has no mode"),
    ],
)
def test_bad_settings_are_explained(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        harden(hello, {"proxy": settings})
    assert message in str(caught.value)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_trusting_everybody_is_pointed_out(network: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    Shield(hello, [Proxy(trusted=(network, "unix"))])
    (notice,) = notices(caplog)
    assert "id=JG005" in notice
    assert network in notice


@pytest.mark.parametrize(
    ("more", "local"),
    [
        ({}, True),
        ({"HTTP_X_FORWARDED_FOR": "198.51.100.7"}, False),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ({"HTTP_VIA": "1.1 caddy"}, False),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, False),
        ({"HTTP_CONNECTION": "close"}, False),
        ({"HTTP_CONNECTION": "Keep-Alive"}, False),
        ({"HTTP_HOST": "www.example.com"}, False),
        ({"REMOTE_ADDR": "192.168.0.9"}, False),
    ],
)
def test_a_browser_of_this_machine_goes_round_the_proxy_that_is_declared_there(
    more: dict[str, str], *, local: bool
) -> None:
    """So that one can build and develop with the settings of a site behind nginx."""
    env: dict[str, Any] = {
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_CONNECTION": "keep-alive",
    }
    request = Request(environ("/builder.html", **{**env, **more}), Site(Settings(), None))
    Proxy(trusted=("127.0.0.1", "192.168.0.9")).check(request)
    assert request.local == local
