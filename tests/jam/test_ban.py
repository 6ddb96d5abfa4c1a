"""Bans on a real project: a scanner that is stopped, everybody else who is not."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support.projects import CLERK, CUSTOMERS, TASK, copy
from support.servers import Reply, Server, free_port, own_address, run_server

SCANNER, OTHER = "198.51.100.1", "198.51.100.2"
DECLARED = '[tool.jamguard.proxy]\ntrusted = ["127.0.0.1"]\n'

#: what a scanner asks for: ways out of the folder, sources, databases
PATHS = [
    f"{place}{way}{name}"
    for name in ("admin.sqlite", "demo.sqlite", "wsgi.py", "server.py", "langs.sqlite")
    for place in ("/jam/", "/static/", "/js/", "/css/")
    for way in ("", "../", "%2e%2e/", "../../", "js/../../", ".../", "..%2f", "x/../", "/../", "./")
]
ORDINARY = ("/", "/login.html", "/jam/js/jquery.js", "/static/none.css", "/no/such/page")

OPEN: list[Any] = ["open", TASK, CUSTOMERS, {"__expanded": True, "__fields": ["id", "name"]}, 0]


def ask(server: Server, path: str, client: str, method: str = "GET") -> Reply:
    """Ask as a client behind a proxy on this machine."""
    headers = {"X-Forwarded-For": client, "Host": "www.example.com"}
    return server.request(method, path, headers, b"" if method == "POST" else None)


def scan(server: Server, client: str = SCANNER, paths: Iterable[str] = PATHS) -> list[str | None]:
    """Ask for all of it; return by which guard each request was refused."""
    replies = [ask(server, path, client) for path in paths]
    assert not any(reply.body.startswith(b"SQLite format 3") for reply in replies)
    return [reply.get("Jamguard-Refused") for reply in replies]


def refused(server: Server, client: str) -> set[str | None]:
    """Return by which guards a client's ordinary requests are refused."""
    replies = [ask(server, path, client) for path in ORDINARY] + call(server, client, OPEN)
    return {reply.get("Jamguard-Refused") for reply in replies}


def call(server: Server, client: str, *calls: list[Any], cookie: str = "") -> list[Reply]:
    """Send calls as a client behind a proxy on this machine."""
    headers = {"X-Forwarded-For": client, "Host": "www.example.com"}
    return [server.api(one, cookie or None, headers) for one in calls]


def command(folder: Path, *words: str) -> str:
    """Run `jamguard bans ...` beside the site in `folder`; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "jamguard", "bans", *words],
        check=True,
        capture_output=True,
        text=True,
        env={"JAMGUARD_STORAGE": f"shared:{folder.parent}"},
    )
    assert done.stderr == ""
    return done.stdout


def test_plain_jam_py_answers_a_scanner_to_the_end(project: Path) -> None:
    """The control: two hundred requests, each one answered, and databases among the answers."""
    with run_server(project, harden=False) as server:
        replies = [ask(server, path, SCANNER) for path in PATHS]
        assert len(replies) == 200
        assert sum(reply.body.startswith(b"SQLite format 3") for reply in replies) > 10
        assert ask(server, "/login.html", SCANNER).status == 200


def test_a_scanner_is_refused_everywhere_after_twenty(project: Path) -> None:
    with run_server(project, config=DECLARED, workers=2) as server:
        found = scan(server)
        begin = found.index("ban")
        assert set(found[begin:]) == {"ban"}
        assert refused(server, SCANNER) == {"ban"}
        assert refused(server, OTHER) == {None}  # and so is nobody else
        assert ask(server, "/health", SCANNER).get("Jamguard-Refused") is None
        log = server.log()
        before, _, _ = log.partition("banned network")
        counted = re.compile(r'refused guard=path .*(not-served .*path="/jam/|path=".*[.][.])')
        assert len(counted.findall(before)) == 20
        assert log.count(f'banned network={SCANNER} for="1 hour" times=1 reason=') == 1
        assert log.count("refused guard=ban") <= 4  # a line a minute of each worker


def test_who_is_banned_by_one_worker_is_banned_by_all(project: Path) -> None:
    with run_server(project, config=DECLARED) as one, run_server(project) as other:
        scan(one, paths=PATHS[:60])
        assert refused(other, SCANNER) == {"ban"}


def test_the_proxy_itself_is_never_banned(project: Path) -> None:
    with run_server(project, config=DECLARED) as server:
        assert "ban" not in scan(server, "127.0.0.1", PATHS[:60])
        for path in PATHS[:60]:  # without a header: nobody knows who
            server.request("GET", path)
        assert server.request("GET", "/login.html").status == 200
        assert "banned" not in server.log()


def test_behind_an_undeclared_proxy_nobody_is_banned(project: Path) -> None:
    with run_server(project) as server:
        assert "ban" not in scan(server)
        assert refused(server, SCANNER) == {None}
        assert 'spared="it may stand for many clients"' in server.log()


def test_who_comes_without_a_proxy_is_banned_by_address(project: Path) -> None:
    address, port = own_address(), free_port()
    with run_server(project, args=["--bind", f"{address}:{port}"]) as server:
        outside = Server(port, server.output, server.process)

        def by(path: str, source: str, to: Server) -> str | None:
            place = address if to is outside else "127.0.0.1"
            return to.request("GET", path, source=source, address=place).get("Jamguard-Refused")

        found = [by(path, address, outside) for path in PATHS[:60]]
        assert found[-1] == "ban"
        assert by("/", address, outside) == "ban"
        assert by("/", "127.0.0.1", server) is None


def test_an_operator_sees_lifts_and_adds_bans_at_once(project: Path) -> None:
    folder = str(project)
    with run_server(project, config=DECLARED, workers=2) as server:
        assert command(project, "list", folder) == "Nobody is banned.\n"
        scan(server, paths=PATHS[:60])
        (ban,) = json.loads(command(project, "list", folder, "--json"))
        assert ban["network"] == SCANNER
        assert 3500 < ban["seconds"] <= 3600
        assert SCANNER in command(project, "list", folder)

        command(project, "lift", SCANNER, folder)
        assert refused(server, SCANNER) == {None}

        command(project, "add", "198.51.100.0/24", folder, "--for", "2 hours", "--why", "spam")
        assert refused(server, SCANNER) == refused(server, OTHER) == {"ban"}
        assert refused(server, "203.0.113.1") == {None}

        command(project, "clear", folder)
        assert refused(server, OTHER) == {None}


NO_PARAMS: dict[str, Any] = {}
NO_ARGUMENTS: list[Any] = []


@pytest.mark.parametrize(
    ("calls", "banned"),
    [
        pytest.param(
            [["server", TASK, 0, ["execute_query", ["DELETE FROM DEMO_ORDERS"]], 0]],
            True,
            id="Jam.py's own functions",
        ),
        pytest.param(
            [["open", TASK, CUSTOMERS, {"__funcs": {"id": "count(*) FROM x --"}}, 0]],
            True,
            id="SQL in a value",
        ),
        pytest.param([["load", 0, 0, None, 0]], True, id="the builder"),
        pytest.param(
            [["open", TASK, CUSTOMERS, {"__limit": "10"}, 0]], False, id="a limit in quotes"
        ),
        pytest.param(
            [["open", TASK, CUSTOMERS, {"__funcs": {"id": "group_concat"}}, 0]],
            False,
            id="a function that is not in the settings",
        ),
        pytest.param(
            [["open", TASK, 99, NO_PARAMS, 0]], False, id="a page from before the last change"
        ),
        pytest.param(
            [["server", TASK, CUSTOMERS, ["_own", NO_ARGUMENTS], 0]], False, id="a private function"
        ),
        pytest.param([["open", 1.0, CUSTOMERS, NO_PARAMS, 0]], False, id="a careless script"),
    ],
)
def test_calls_count_where_only_an_attacker_makes_them(
    project: Path, calls: list[list[Any]], *, banned: bool
) -> None:
    with run_server(project, config=DECLARED) as server:
        headers = {"X-Forwarded-For": SCANNER, "Host": "www.example.com"}
        cookie = server.login(CLERK, headers=headers)
        replies = call(server, SCANNER, *(calls * 25), cookie=cookie)
        assert all(reply.get("Jamguard-Refused") for reply in replies)
        assert (replies[-1].get("Jamguard-Refused") == "ban") is banned
        if banned:
            assert replies[19].get("Jamguard-Refused") != "ban"
            (reply,) = call(server, SCANNER, OPEN, cookie=cookie)
            assert "Please try again in" in reply.json["error"]


@pytest.mark.long
def test_a_scanner_of_a_v5_site_is_refused_everywhere_after_twenty(
    v5_python: Path, v5_project: Path, tmp_path: Path
) -> None:
    folder = copy(v5_project, tmp_path / "v5")
    with run_server(folder, config=DECLARED, python=v5_python) as server:
        for _ in range(20):
            (reply,) = call(server, SCANNER, ["load", 0, 0, None, 0])
            assert reply.get("Jamguard-Refused") == "builder"
        assert refused(server, SCANNER) == {"ban"}
        assert ask(server, "/", OTHER).status == 200
