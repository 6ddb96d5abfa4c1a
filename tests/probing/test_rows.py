"""Each row fails where its hole is and passes where it is closed.

Asked by http on this machine, by https, by a name in this process, and without a login.
"""

import sys
import time
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from support import need, projects
from support.inside import inside
from support.servers import LOCAL, Server, free_port, run_command, run_server
from support.tls import make_certificate

from jamguard.cli.hardening import harden_project
from jamguard.probing.http import HttpSite
from jamguard.probing.rows import questions
from jamguard.probing.scorecard import START, Scorecard, probe

IDS: Final = [question.id for question in questions()]
#: what fails on a plain Jam.py that is served as `python server.py`, and the worst of each
BY_HTTP: Final = {
    "debugger": "the debugger's page",
    "database": "an SQLite database",
    "sources": "Python source",
    "left-lying": "a part of a Git repository",
    "package": "Python source",
    "builder-pages": "form where an administrator's password is tried",
    "builder-calls": "Jam.py reads the call and answers it (7 of 7 ways of asking)",
    "foreign-host": "4 of 4 ways",
    "cross-site-call": "4 of 4 ways",
    "cross-site-login": "4 of 4 ways",
    "oversize": "2 of 2 ways",
    "long-head": "2 of 2 ways",
    "odd-methods": "7 of 7 ways",
    "crashes": "status 500",
    "scripts": "an injected one would run",
    "framing": "in a frame",
    "small-headers": "missing: X-Content-Type-Options, Referrer-Policy, Permissions-Policy",
    "stored": "no-store",
    "version": "Server: Werkzeug/",
    "rate": "no RateLimit header",
}
#: what is asked by https alone; a certificate of one's own making is no better hardened
BY_HTTPS: Final = {"cookies": "a cookie without secure"}
#: what takes a client from elsewhere, or a name
IN_PROCESS: Final = {"guessing": "8 wrong passwords", "hsts": "is missing"}
#: what fails where safe mode is off
OPEN: Final = {"builder-open": "nobody has logged in", "no-login": "nobody has logged in"}
#: what hardening does not change: see `test_http.py` and `test_judge.py`
ELSEWHERE: Final = {"https", "certificate", "old-tls"}

ALLOWED: Final = '[tool.jamguard.host]\nallowed = ["localhost", "www.example.com"]\n'
RATE: Final = 10_000


def test_every_row_is_seen_to_fail() -> None:
    assert {*BY_HTTP, *BY_HTTPS, *IN_PROCESS, *OPEN, *ELSEWHERE} == set(IDS)
    assert len(IDS) == len(set(IDS))


def test_the_battery_is_bounded() -> None:
    rows = questions()
    assert 140 < sum(len(row.requests) for row in rows) + len(rows) + 2 < 160


def test_the_documentation_has_every_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "probe.md").read_text("utf-8")
    rows = [f"| `{row.id}` | {row.asks} | {row.severity} |\n" for row in questions()]
    assert [row for row in rows if row not in page] == []
    assert page.count("\n| `") == len(rows)


def outcomes(card: Scorecard) -> dict[str, tuple[str, str]]:
    return {row.question.id: (row.outcome, row.said) for row in card.rows}


def ask(server: Server) -> Scorecard:
    return probe(HttpSite.at(server.url, RATE))


@pytest.fixture(scope="module")
def plain(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = projects.copy(demo_project, tmp_path_factory.mktemp("plain") / "project")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]\n\tbare = false\n")
    return folder


@pytest.fixture(scope="module")
def hardened(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = projects.copy(plain, tmp_path_factory.mktemp("hardened") / "project")
    (folder / "pyproject.toml").write_text(ALLOWED)
    harden_project(folder)
    return folder


@pytest.fixture(scope="module")
def plain_card(plain: Path) -> Generator[Scorecard, None, None]:
    with run_server(plain, "werkzeug", harden=False) as server:
        yield ask(server)


@pytest.fixture(scope="module")
def hardened_card(hardened: Path) -> Generator[Scorecard, None, None]:
    with run_server(hardened) as server:
        yield ask(server)


@pytest.mark.parametrize("row", BY_HTTP)
def test_a_row_fails_on_plain_jam_py_and_passes_hardened(
    plain_card: Scorecard, hardened_card: Scorecard, row: str
) -> None:
    outcome, said = outcomes(plain_card)[row]
    assert outcome == "failed"
    assert BY_HTTP[row] in said
    assert outcomes(hardened_card)[row] == ("passed", "")


def test_the_scorecards_differ_as_they_should(
    plain_card: Scorecard, hardened_card: Scorecard
) -> None:
    assert (plain_card.grade, hardened_card.grade) == ("F", "A")
    assert plain_card.verdict == "the worst that failed is critical"
    assert hardened_card.verdict == "nothing failed that was asked"
    assert {row.question.id for row in plain_card.failed} == set(BY_HTTP)
    assert not hardened_card.stopped
    assert {row.question.id for row in hardened_card.rows if row.outcome == "not asked"} == {
        *("https", "certificate", "old-tls", "hsts", "guessing")
    }


def test_what_was_leaked_is_told_by_size_and_type_and_never_shown(
    plain: Path, plain_card: Scorecard
) -> None:
    _, said = outcomes(plain_card)["database"]
    size = (plain / "admin.sqlite").stat().st_size
    assert said.startswith(f"{size:,} bytes: an SQLite database (10 of 13 ways")
    every_word = " ".join(row.said for row in plain_card.rows)
    assert "create_application" not in every_word
    assert projects.ADMIN.password not in every_word


def ask_by_https(folder: Path, certificate: Path, key: Path) -> Scorecard:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "wsgi:application", "--bind", f"{LOCAL}:{port}"),
        *("--worker-class", "gthread", "--threads", "4", "--no-control-socket"),
        *("--certfile", str(certificate), "--keyfile", str(key)),
    ]
    with run_command(command, folder, port):
        site = HttpSite.at(f"https://{LOCAL}:{port}", RATE)
        while not site.ask(START).status:
            time.sleep(0.05)
        return probe(site)


@need.program("openssl")
def test_over_https_cookies_and_the_certificate_are_looked_at(
    plain: Path, hardened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    found = outcomes(ask_by_https(plain, *certificate))
    assert found["cookies"] == ("failed", f"{BY_HTTPS['cookies']} (1 of 2 ways of asking)")
    assert found["certificate"] == ("failed", "self-signed certificate")
    assert found["old-tls"] == ("passed", "")
    assert found["hsts"][0] == found["https"][0] == "not asked"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    card = ask_by_https(hardened, *certificate)
    assert outcomes(card)["cookies"] == outcomes(card)["certificate"] == ("passed", "")
    assert card.grade == "A"


IN_THIS_PROCESS: Final = """\
from jamguard.probing.scorecard import ask_all, begin
from jamguard.probing.wsgi import WsgiSite
from wsgi import application


site = WsgiSite(application, "https://www.example.com")
card = ask_all(site, begin(site).status)
result = {row.question.id: [row.outcome, row.said] for row in card.rows}
"""


def test_in_process_guesses_and_hsts_are_looked_at(plain: Path, hardened: Path) -> None:
    before, after = (inside(folder, IN_THIS_PROCESS) for folder in (plain, hardened))
    for row, said in IN_PROCESS.items():
        assert before[row][0] == "failed"
        assert said in before[row][1]
        assert after[row] == ["passed", ""]
    assert {row for row, (outcome, _) in after.items() if outcome != "passed"} == {
        *("https", "certificate", "old-tls")
    }


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_without_safe_mode_anybody_builds_and_hardened_only_the_application_is_open(
    tmp_path: Path,
) -> None:
    folder = projects.make(tmp_path / "open", safe_mode=False)
    with run_server(folder, harden=False) as server:
        server.api(["load", 1, 0, None, 0])  # Jam.py loads the project
        before = contents(folder)
        found = outcomes(ask(server))
        assert contents(folder) == before, "where everybody may write, the probe does not"
        for row, said in OPEN.items():
            assert found[row][0] == "failed"
            assert said in found[row][1]
    with run_server(folder) as server:
        found = outcomes(ask(server))
        assert found["builder-open"] == ("passed", "")
        assert found["no-login"][0] == "failed"


@pytest.mark.long
def test_of_jam_py_v5_the_probe_says_as_much(
    v5_python: Path, v5_project: Path, tmp_path: Path
) -> None:
    folder = projects.copy(v5_project, tmp_path / "project")
    with run_server(folder, harden=False, python=v5_python) as server:
        found = outcomes(ask(server))
        for row in ("builder-pages", "builder-calls", "cross-site-call", "crashes", "scripts"):
            assert found[row][0] == "failed"
        assert found["database"] == ("passed", "")  # as v5 is
    with run_server(folder, config=ALLOWED, python=v5_python) as server:
        assert ask(server).grade == "A"
