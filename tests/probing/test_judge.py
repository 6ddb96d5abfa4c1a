"""What gives something away, and what only looks like it."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support.fake import site

from jamguard.probing import judge
from jamguard.probing.ask import Answer, Ask
from jamguard.probing.scorecard import ProbeError, Scorecard, ask_all, begin, probe
from jamguard.probing.wsgi import WsgiSite

HTML = ("Content-Type", "text/html; charset=utf-8")


def page(*headers: tuple[str, str], body: bytes = b"<!DOCTYPE html>") -> Answer:
    return Answer(200, (HTML, *headers), body, len(body))


@pytest.mark.parametrize(
    ("policy", "name", "says"),
    [
        ("default-src 'none'; script-src 'self'", "Content-Security-Policy", ""),
        ("DEFAULT-SRC 'self'", "Content-Security-Policy", ""),
        ("script-src 'unsafe-inline' 'sha256-abc='", "Content-Security-Policy", ""),
        ("script-src 'self' 'unsafe-inline'", "Content-Security-Policy", "allows scripts"),
        ("frame-ancestors 'self'", "Content-Security-Policy", "no policy for scripts"),
        ("script-src 'self'", "Content-Security-Policy-Report-Only", "only reported"),
        ("", "X-Other", "no policy for scripts"),
    ],
)
def test_a_policy_stops_an_injected_script_or_not(policy: str, name: str, says: str) -> None:
    said = judge.policy(page((name, policy)))
    assert says in said
    assert bool(said) is bool(says)


@pytest.mark.parametrize(
    ("header", "open_to_all"),
    [
        (("X-Frame-Options", "deny"), False),
        (("X-Frame-Options", "ALLOW-FROM https://example.com"), True),
        (("Content-Security-Policy", "frame-ancestors 'none'"), False),
        (("Content-Security-Policy", "script-src 'self'"), True),
    ],
)
def test_framing(header: tuple[str, str], open_to_all: bool) -> None:
    assert bool(judge.framing(page(header))) is open_to_all


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"SQLite format 3\0\x10", "an SQLite database"),
        (b"PK\x03\x04...", "a zip archive or an office document"),
        (b"[core]\n\tbare = false", "a part of a Git repository"),
        (b"#!/usr/bin/env python\nprint()", "Python source"),
        (b"from jam.wsgi import x\n", "Python source"),
        (b"SECRET=1\n", "settings"),
        (b"\x00\x01\x02", "a file"),
    ],
)
def test_a_file_is_told_by_size_and_kind(start: bytes, kind: str) -> None:
    assert judge.a_file(Answer(206, (), start, 12345)) == f"12,345 bytes: {kind}"


@pytest.mark.parametrize(
    "answer",
    [
        page(),
        Answer(200, (("Content-Type", "text/plain"),), b"  <html>", 9),
        Answer(404, (), b"SQLite format 3\0", 16),
        Answer(200, (), b"", 0),
        Answer(0, problem="connection refused"),
    ],
    ids=["a page", "a page without a type", "not found", "nothing", "no answer"],
)
def test_what_is_no_file_is_not_taken_for_one(answer: Answer) -> None:
    assert judge.a_file(answer) == ""


@pytest.mark.parametrize(
    ("answer", "is_call", "is_done"),
    [
        (b'{"result": {"status": 5, "data": null}, "error": null}', True, False),
        (b'{"result": {"status": 9, "data": [1]}, "error": null}', True, True),
        (b'{"result": {"status": 9, "data": [' + b"1," * 40_000, True, True),
        (b'{"result": {"status": 5, "data": [' + b"1," * 40_000, True, False),
        (b"[" * 65_536, False, False),
        (b'{"result": null}', False, False),
        (b"[1, 2]", False, False),
        (b"<!DOCTYPE html>", False, False),
    ],
    ids=["no login", "done", "long", "long and no login", "deep", "another's", "a list", "a page"],
)
def test_a_call_of_jam_py(answer: bytes, is_call: bool, is_done: bool) -> None:
    heard = Answer(200, (), answer, len(answer))
    assert bool(judge.a_call(heard)) is is_call
    assert bool(judge.carried_out(heard)) is is_done


def test_a_refusal_in_the_form_of_a_call_is_none() -> None:
    body = b'{"result": {"data": [null, "too much"]}, "error": "too much"}'
    assert judge.a_call(Answer(200, (("Jamguard-Refused", "request-size"),), body, 60)) == ""


@pytest.mark.parametrize(
    ("value", "fine"), [("max-age=31536000", True), ('max-age="3600"', False), ("", False)]
)
def test_hsts(value: str, fine: bool) -> None:
    assert (judge.no_hsts(page(("Strict-Transport-Security", value))) == "") is fine


def test_what_passes_on_the_way_is_read_unless_it_is_https() -> None:
    def outcome(url: str) -> str:
        asked = WsgiSite(site(), url)
        card = ask_all(asked, begin(asked).status)
        return next(row.outcome for row in card.rows if row.question.id == "https")

    assert outcome("http://www.example.com") == "failed"
    assert outcome("https://www.example.com") == "not asked"


def test_a_site_that_is_gone_has_no_bad_certificate() -> None:
    gone = Answer(0, problem="connection refused")
    asked: list[Ask] = []

    class Leaving(WsgiSite):
        @property
        def wired(self) -> bool:
            return True

        def ask(self, ask: Ask) -> Answer:
            asked.append(ask)
            return gone if any(one.verified for one in asked) else super().ask(ask)

    rows = {row.question.id: row for row in ask_all(Leaving(site()), 200).rows}
    assert rows["framing"].outcome == "failed"
    assert rows["certificate"].outcome == rows["old-tls"].outcome == "unknown"
    assert rows["certificate"].said == (
        "the site has stopped answering this address: connection refused"
    )


def test_grades_are_those_of_the_worst_row() -> None:
    asked = WsgiSite(site())
    card = ask_all(asked, begin(asked).status)
    grades = [Scorecard("", card.failed[number:]).grade for number in range(len(card.failed))]
    assert grades == sorted(grades, reverse=True)
    assert {*grades} == {"B", "C", "D"}
    assert Scorecard("", []).grade == "A"


def test_an_application_that_fails_is_a_site_that_fails() -> None:
    def app(*_: object) -> list[bytes]:
        raise ValueError

    with pytest.raises(ProbeError, match="answers its start page with status 500"):
        begin(WsgiSite(app))


@pytest.mark.parametrize(
    ("to", "away"),
    [
        ("/login.html", False),
        ("/a//b", False),
        ("https://localhost", False),
        ("https://localhost/login.html", False),
        ("http://localhost/", True),
        ("//www.example.com/", True),
        ("http://[/", True),
    ],
)
def test_a_start_page_that_leads_away_is_not_asked(to: str, away: bool) -> None:
    asked = WsgiSite(site("302 Found", ("Location", to)))
    if away:
        with pytest.raises(ProbeError, match="sends everybody to"):
            begin(asked)
    else:
        assert begin(asked).status == 302


@pytest.mark.parametrize("status", ["404 Not Found", "200 OK"])
def test_where_there_is_no_form_no_password_is_guessed(status: str) -> None:
    jam = site()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/login.html":
            return jam(environ, start_response)
        start_response(status, [("Content-Type", "text/plain")])
        return [b"nothing" if status.startswith("404") else b""]  # v5 says 200, and no more

    asked = WsgiSite(app)
    rows = {row.question.id: row for row in ask_all(asked, begin(asked).status).rows}
    assert rows["guessing"].outcome == "not asked"
    assert rows["guessing"].said == "there is no form to log in at /login.html"
    assert rows["cross-site-login"].outcome == "passed"


def test_a_site_of_jam_py_is_known_by_its_page_where_it_takes_no_calls() -> None:
    jam = site()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/api":
            return jam(environ, start_response)
        start_response("403 Forbidden", [])
        return []

    assert probe(WsgiSite(app)).grade == "D"
