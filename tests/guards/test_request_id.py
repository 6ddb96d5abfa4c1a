"""Each request has one name: on the answer, in the log, and for the application."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from support.wsgi import Environ, call, environ, hello, serve

from jamguard import Shield, harden
from jamguard.guards.host import Host
from jamguard.guards.proxy import Proxy
from jamguard.guards.request_id import RequestId

PROXY = "203.0.113.1"
GUARDS = (Proxy(trusted=(PROXY,)), RequestId())
MADE = re.compile(r"[0-9a-f]{16}")


def name_of(**more: Any) -> str:
    """Send a request through the proxy; the name must be the same for all three."""
    seen: list[Environ] = []

    def app(env: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(env)
        return hello(env, start_response)

    answer = serve(Shield(app, GUARDS), environ(**more))
    (name,) = answer.all("X-Request-ID")
    assert seen[0]["HTTP_X_REQUEST_ID"] == name
    return name


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("f00dfeed", id="the shortest"),
        pytest.param("0123456789abcdef" * 2, id="nginx's $request_id"),
        pytest.param("6f0c8cbe-3d2b-4b5a-9c5d-1a2b3c4d5e6f", id="UUID"),
        pytest.param("Root=1-67891233-abcdef012345678912345678", id="AWS"),
        pytest.param("a" * 64, id="the longest"),
    ],
)
def test_a_declared_proxy_names_the_request(given: str) -> None:
    said = {"HTTP_X_FORWARDED_FOR": "198.51.100.7", "HTTP_X_REQUEST_ID": given}
    assert name_of(REMOTE_ADDR=PROXY, **said) == given
    for peer in ("192.0.2.1", "127.0.0.1", "", "203.0.113.2"):
        assert MADE.fullmatch(name_of(REMOTE_ADDR=peer, **said))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("", id="empty"),
        pytest.param("short", id="guessable"),
        pytest.param("a" * 65, id="too long"),
        pytest.param("a" * 100_000, id="huge"),
        pytest.param("f00dfeed f00dfeed", id="blank"),
        pytest.param("f00dfeed, f00dfeed", id="two lines"),
        pytest.param("f00dfeed\nrefused guard=host", id="a line of log"),
        pytest.param("f00dfeed\r\nSet-Cookie: a=b", id="a header"),
        pytest.param("f00dfeed\x00", id="NUL"),
        pytest.param("f00dfeed\n", id="newline at the end"),
        pytest.param('f00dfeed" client="', id="quote"),
        pytest.param("<script>alert(1)</script>", id="tag"),
        pytest.param("f\xf6\xf6dfeed", id="8-bit"),
        pytest.param("\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2", id="digits that are none"),
        pytest.param("${jndi:ldap://x}", id="braces"),
    ],
)
def test_a_name_that_is_not_plain_is_replaced_even_from_a_declared_proxy(given: str) -> None:
    name = name_of(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_REQUEST_ID=given)
    assert MADE.fullmatch(name)


def test_names_differ() -> None:
    assert len({name_of() for _ in range(1000)}) == 1000


def test_a_refusal_and_its_line_in_the_log_have_the_same_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shield = Shield(hello, [RequestId(), Host(allowed=("www.example.com",))])
    caplog.set_level(logging.WARNING)
    forged = "x\nrefused guard=host id=forged"
    answer = call(shield, HTTP_HOST="other.example.com", HTTP_X_REQUEST_ID=forged)
    assert answer.code == 421
    name = answer.get("X-Request-ID")
    assert name is not None
    (line,) = [r.getMessage() for r in caplog.records if "reason=unknown-host" in r.getMessage()]
    assert f"id={name}" in line
    assert "forged" not in caplog.text
    assert name.encode() in answer.body


def test_an_answer_has_the_name_of_the_log_and_not_the_applications_own() -> None:
    def app(env: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("x-request-id", "the application's"), ("Content-Length", "0")])
        return []

    (name,) = call(Shield(app, [RequestId()])).all("X-Request-ID")
    assert MADE.fullmatch(name)


def test_every_answer_has_a_name() -> None:
    def app(env: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        raise RuntimeError

    shield = harden(app)
    requests: list[Environ] = [{}, {"path": "/../x"}, {"method": "TRACE"}, {"HTTP_HOST": "a b"}]
    for more in requests:
        answer = call(shield, **more)
        assert answer.code >= 400
        assert MADE.fullmatch(answer.get("X-Request-ID") or "")


def test_it_stays_away_when_it_is_not_enabled() -> None:
    answer = call(harden(hello, {"request-id": {"enabled": False}}))
    assert answer.get("X-Request-ID") is None
