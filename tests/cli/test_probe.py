"""`jamguard probe`, against sites that answer as they are told, and one that bans."""

import json
import re
import socket
from pathlib import Path

import pytest
from support.fake import served, site
from support.servers import own_address, run_server
from support.wsgi import App
from typer.testing import CliRunner

from jamguard import harden
from jamguard.cli.app import app
from jamguard.probing.rows import questions

SAFE = {"storage": "process", "host": {"allowed": ["localhost"]}}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


def probe(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["probe", *words, "--rate", "10000"])
    return done.exit_code, done.stdout, done.stderr


def hardened() -> App:
    return harden(site(), SAFE)


def test_a_scorecard_says_what_is_had_and_what_to_do() -> None:
    with served(site()) as url:
        code, text, err = probe(url)
    assert code == 1
    assert re.search(r"medium +No other site shows this one in a frame +failed", text)
    assert f"{url}: grade D, the worst that failed is high" in text
    assert "  medium: any site can show the page in a frame, and lead its users' clicks" in text
    assert "    There should be: No other site shows this one in a frame" in text
    assert "    Harden the application; the guard headers does this" in text
    assert "not asked  A certificate that browsers accept: there is no TLS to look at" in text
    assert f"Asking {url}, at most 10000 requests a second" in err
    assert re.search(rf"\d+ requests, {len(questions())} rows", err)


def test_two_sites_are_shown_side_by_side_and_the_first_one_counts() -> None:
    with served(hardened()) as better, served(site()) as worse:
        code, text, _ = probe(better, "--compare", worse)
        assert code == probe(better)[0]
    assert text.index(f"{better}: grade") < text.index(f"{worse}: grade D")
    assert re.search(r"medium +No other site shows this one in a frame +passed +failed", text)


def test_a_program_reads_json() -> None:
    with served(site()) as url:
        code, text, _ = probe(url, "--format", "json")
    assert code == 1
    (card,) = json.loads(text)["sites"]
    assert (card["url"], card["grade"], card["stopped"]) == (url, "D", "")
    rows = {row.pop("id"): row for row in card["rows"]}
    assert set(rows) == {question.id for question in questions()}
    assert rows["framing"] == {
        "expected": "No other site shows this one in a frame",
        "severity": "medium",
        "outcome": "failed",
        "said": (
            "any site can show the page in a frame, and lead its users' clicks "
            "(2 of 2 ways of asking)"
        ),
        "advice": "Harden the application; the guard headers does this",
    }


def test_a_page_needs_nothing_but_itself() -> None:
    with served(site()) as url, served(hardened()) as other:
        one, two = (
            probe(url, "--format", "html")[1],
            probe(url, "--compare", other, "--format", "html")[1],
        )
    assert "What this site gives to a stranger" in one
    assert "data-of" not in one.partition("<body>")[2]
    assert (
        f'<td class="failed" data-of="{url}">failed</td><td class="passed" data-of="{other}">passed'
        in two
    )
    for page in (one, two):
        assert page.startswith("<!DOCTYPE html>")
        assert page.endswith("</html>\n")
        assert "width=device-width" in page
        assert "prefers-color-scheme:dark" in page
        assert not re.search(r"<script|<link|<img|\ssrc=|\shref=|url\(|@import|\son\w+=", page)


def test_what_a_site_says_commands_neither_terminal_nor_page() -> None:
    evil = ("Server", "<b>x\x1b[2J 1.0 [bold]")
    with served(site("200 OK", evil)) as url:
        text, page = probe(url)[1], probe(url, "--format", "html")[1]
    assert "\x1b" not in text
    assert r"Server: <b>x\x1b[2J 1.0 [bold]" in text
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page


def test_other_peoples_sites_are_not_asked_without_a_word() -> None:
    code, _, problem = probe("https://www.example.com")
    assert code == 2
    assert "is not on this machine" in problem
    assert "add --i-am-allowed if it is yours" in problem


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://localhost", "it has to look like https://www.example.com"),
        ("", "it has to look like"),
        ("http://localhost:99999", "Port out of range"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://ann:secret@localhost", "leave out the user and the password"),
        ("http://localhost/shop/login.html", "name the site, and not one of its pages"),
        ("http://localhost/a b", "write it as it would be in a browser's address bar"),
        ("http://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example.com", "write it as"),
        ("http://localhost/\x1b[2J", "write it as"),
    ],
)
def test_what_is_no_address_is_told(url: str, says: str) -> None:
    code, text, problem = probe(url)
    assert (code, text) == (2, "")
    assert "is not an address that can be asked" in problem
    assert says in problem
    assert "\x1b" not in problem
    assert "Traceback" not in problem


def test_a_site_that_does_not_run_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    code, text, problem = probe(url)
    assert (code, text) == (2, "")
    assert f"{url} does not answer: connection refused" in problem


def not_jam(environ: object, start_response: object) -> list[bytes]:
    assert callable(start_response)
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<h1>Bread and cakes</h1>"]


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (not_jam, "does not answer as a site of Jam.py's does"),
        (
            site("301 Moved", ("Location", "https://www.example.com/")),
            "sends everybody to https://",
        ),
        (site("503 Busy"), "answers its start page with status 503"),
        (
            site("403 Forbidden", ("Jamguard-Refused", "ban"), ("Retry-After", "3599")),
            "has banned this address for 3599 s more",
        ),
    ],
    ids=["not Jam.py's", "a redirect", "out of order", "banned before"],
)
def test_a_site_that_cannot_be_asked_is_told(app: App, says: str) -> None:
    with served(app) as url:
        code, text, problem = probe(url)
    assert (code, text) == (2, "")
    assert says in problem


def test_what_could_not_be_asked_to_its_end_is_no_success() -> None:
    banned = site("403 Forbidden", ("Jamguard-Refused", "ban"))
    with served(site(until=2, after=banned)) as url:
        code, text, _ = probe(url)
    assert f"{url}: grade A, nothing failed that was asked" in text
    assert code == 1


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (site("403 Forbidden", ("Jamguard-Refused", "ban")), "it has banned this address"),
        (site("429 Slow down", ("Jamguard-Refused", "rate-limit")), "it has asked to slow down"),
        (site("403 Forbidden"), "its start page is answered with status 403 now"),
    ],
    ids=["jamguard's ban", "jamguard's rate", "another's ban"],
)
def test_a_ban_is_a_result_and_no_row_passes_after_it(after: App, why: str) -> None:
    with served(site(until=60, after=after)) as url:
        code, text, _ = probe(url)
    assert code == 1
    assert f"Not all was asked: {why}" in re.sub(r"the site has stopped answering .*: ", "", text)
    for row in ("No debugger: it shows", "No database of Jam.py"):
        assert re.search(rf"{row}.* unknown", text)


def test_jamguard_bans_the_probe_from_another_machine_and_it_says_so(project: Path) -> None:
    address = own_address()
    config = f'[tool.jamguard.host]\nallowed = ["localhost", "{address}"]\n'
    with run_server(project, config=config, args=("--bind", f"{address}:0")) as server:
        found = re.search(rf"http://{re.escape(address)}:(\d+)", server.log())
        assert found
        url = f"http://{address}:{found[1]}"
        code, text, _ = probe(url, "--i-am-allowed")
        assert code == 1  # plain http, to another machine
        assert f"{url}: grade D" in text
        assert "high: passwords, cookies and data, by whoever is on the way" in text
        assert re.search("Nobody tries one password after another +passed", text)
        assert re.search("No database of Jam.py.* passed", text)
        assert (
            "Not all was asked: it has banned this address, which is a result, and a good" in text
        )
        assert re.search("No file of Jam.py's own that no page needs +unknown", text)
        code, _, problem = probe(url, "--i-am-allowed")
        assert code == 2
        assert "has banned this address for" in problem
