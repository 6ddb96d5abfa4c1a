"""Every guard's refusals, in every form."""

import json
from http import HTTPStatus
from typing import Any

import attrs
import pytest
from support.jam import jam_site
from support.wsgi import Answer, call, environ, hello

from jamguard import ConfigError, Guard, Refusal, Request, Shield
from jamguard.config import Settings, Source, load
from jamguard.guards import GUARDS
from jamguard.refusal import render, wait
from jamguard.routes import Route
from jamguard.site import Site

COURTESY = Refusal(
    status=HTTPStatus.TOO_MANY_REQUESTS,
    reason="rate",
    sentence="too-many",
    retry_after=30,
    courtesy=True,
    headers=(("RateLimit", '"api";r=0;t=30'),),
)
HOSTILE = Refusal(status=HTTPStatus.FORBIDDEN, reason="attack")


def refused(
    refusal: Refusal, path: str, method: str = "GET", guard: type[Guard] = Guard, **more: Any
) -> Answer:
    """The answer of a shield on a Jam.py site in which a guard of this kind refuses."""

    def check(self: Guard, request: Request) -> Refusal:
        return refusal

    def concerns(self: Guard, route: Route) -> bool:
        return True

    forced = attrs.frozen(kw_only=True, eq=False)(
        type(guard.__name__, (guard,), {"check": check, "concerns": concerns})
    )
    return call(Shield(hello, [forced()], jam_site()), path, method, **more)


FORMS = [
    # path, method, refusal, status, media type
    ("/", "GET", COURTESY, 429, "text/html; charset=utf-8"),
    ("/", "GET", HOSTILE, 403, "text/html; charset=utf-8"),
    ("/api", "POST", COURTESY, 200, "application/json"),
    ("/api", "POST", HOSTILE, 403, None),
    ("//api/x", "POST", COURTESY, 200, "application/json"),
    ("/upload", "POST", COURTESY, 200, "application/json"),
    ("/upload", "POST", HOSTILE, 403, None),
    ("/ext/orders", "POST", COURTESY, 429, "application/problem+json"),
    ("/ext/orders", "POST", HOSTILE, 403, "application/problem+json"),
    ("/", "HEAD", COURTESY, 429, "text/html; charset=utf-8"),
    ("/api", "HEAD", HOSTILE, 403, None),
]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
@pytest.mark.parametrize(
    ("path", "method", "refusal", "status", "media_type"),
    FORMS,
    ids=[f"{row[1]} {row[0]} {row[2].reason}" for row in FORMS],
)
def test_a_refusal_has_the_form_that_its_client_can_use(
    guard: type[Guard],
    path: str,
    method: str,
    refusal: Refusal,
    status: int,
    media_type: str | None,
) -> None:
    answer = refused(refusal, path, method, guard)

    assert (answer.code, answer.get("Content-Type")) == (status, media_type)
    assert answer.get("Jamguard-Refused") == guard.name
    assert answer.get("Cache-Control") == "no-store"
    assert len(answer.get("X-Request-ID") or "") == 16
    if method == "HEAD":
        assert answer.body == b""
    else:
        assert answer.get("Content-Length") == str(len(answer.body))
        assert bool(answer.body) == (media_type is not None)
    if refusal is COURTESY:
        assert answer.get("Retry-After") == "30"
        assert answer.get("RateLimit") == '"api";r=0;t=30'


def test_the_envelope_is_what_jam_pys_client_shows_as_a_message() -> None:
    answer = refused(COURTESY, "/api", "POST")
    message = json.loads(answer.body)["error"]
    assert json.loads(answer.body) == {"result": {"data": [None, message]}, "error": message}
    assert message.startswith(
        "Too many requests in a short time. Please try again in 30 seconds. (Request number "
    )
    assert answer.get("X-Request-ID") in message


def test_a_problem_says_the_real_status() -> None:
    answer = refused(COURTESY, "/ext/orders", "POST")
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many requests in a short time. Please try again in 30 seconds.",
        "instance": f"urn:request:{answer.get('X-Request-ID')}",
    }


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        ("/api", "application/problem+json", "application/problem+json"),
        ("/", "application/json", "application/problem+json"),
        ("/", "text/html,application/json;q=0.9", "text/html; charset=utf-8"),
        ("/", "*/*", "text/html; charset=utf-8"),
    ],
)
def test_a_client_can_ask_for_a_problem(path: str, accept: str, media_type: str) -> None:
    answer = refused(COURTESY, path, "POST", HTTP_ACCEPT=accept)
    assert (answer.code, answer.get("Content-Type")) == (429, media_type)


def test_a_redirect_has_a_location_and_no_body() -> None:
    moved = Refusal(
        status=HTTPStatus.FOUND, reason="moved", headers=(("Location", "https://www.example.com/"),)
    )
    answer = refused(moved, "/")
    assert (answer.code, answer.get("Location")) == (302, "https://www.example.com/")
    assert (answer.body, answer.get("Content-Type")) == (b"", None)


def test_a_page_echoes_nothing_of_the_request() -> None:
    answer = refused(
        HOSTILE,
        "/<script>alert(1)</script>",
        QUERY_STRING="q=<script>",
        HTTP_HOST="evil.example.com",
        SCRIPT_NAME='/"><script>',
    )
    assert b"<script" not in answer.body
    assert b"evil" not in answer.body
    assert b'href="/"' in answer.body


def test_the_way_back_keeps_the_mount() -> None:
    assert b'href="/shop/"' in refused(HOSTILE, "/x", SCRIPT_NAME="/shop").body


def test_a_page_has_a_policy_that_allows_its_own_style_only() -> None:
    policy = refused(HOSTILE, "/").get("Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "Please try again in 1 second."),
        (119, "Please try again in 119 seconds."),
        (120, "Please try again in 2 minutes."),
        (121, "Please try again in 3 minutes."),
    ],
)
def test_the_wait_is_said_in_words(seconds: int, words: str) -> None:
    assert wait(Request(environ(), Site(Settings(), None)), seconds) == words


def test_the_operator_can_say_it_in_another_language() -> None:
    source = Source("a test", {"sentences": {"refused": "Nein.", "lang": "de"}})
    settings, _ = load(source, [])
    request = Request(environ(), Site(settings, None))
    _, _, body = render(HOSTILE, request, "path")
    assert b'<html lang="de">' in body[0]
    assert b"<h1>Nein.</h1>" in body[0]


@pytest.mark.parametrize(
    ("sentences", "problem"),
    [
        ({"refusd": "x"}, "there is no sentence 'refusd'; did you mean 'refused'?"),
        ({"wait": "in {n}"}, "wait: may contain only {wait}"),
        ({"refused": "{id}"}, "refused: may contain no"),
        ({"seconds": "{n"}, "seconds: may contain only {n}"),
    ],
)
def test_a_sentence_that_could_not_be_written_is_found_at_start(
    sentences: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(Source("a test", {"sentences": sentences}), [])
    assert problem in str(error.value)
