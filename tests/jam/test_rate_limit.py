"""Rates on a real project: who is counted, with Jam.py's own sessions."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.projects import ADMIN, CLERK, CUSTOMERS, TASK
from support.servers import Server, run_server

OPEN = [
    "open",
    TASK,
    CUSTOMERS,
    {"__expanded": True, "__fields": ["id", "name"], "__limit": 10, "__offset": 0},
    0,
]


def refused(
    server: Server, times: int, cookie: str | None = None, source: str = "127.0.0.1"
) -> int:
    """Send calls; return how many the rate refused."""
    replies = [server.api(OPEN, cookie, source=source) for _ in range(times)]
    return sum(reply.get("Jamguard-Refused") == "rate-limit" for reply in replies)


def test_plain_jam_py_answers_as_often_as_it_is_asked(project: Path) -> None:
    """The control: seven hundred calls of nobody in particular, each one worked on."""
    with run_server(project, "gunicorn", harden=False) as server:
        replies = [server.api(OPEN) for _ in range(700)]
        assert {reply.status for reply in replies} == {200}
        assert {reply.json["result"]["status"] for reply in replies} == {5}


def test_seven_hundred_calls_in_a_minute_are_six_hundred(project: Path) -> None:
    with run_server(project, "gunicorn") as server:
        assert 90 <= refused(server, 700) <= 100  # a minute may end on the way
        assert "refused guard=rate-limit reason=rate status=429" in server.log()
        # another network, a user who logs in, and files are not touched by it
        assert refused(server, 3, source="127.0.0.2") == 0
        assert refused(server, 3, server.login(CLERK)) == 0
        assert server.request("GET", "/jam/js/jquery.js").status == 200


def test_four_workers_let_through_as_many_as_one(project: Path) -> None:
    config = '[tool.jamguard.rate-limit]\napi = "50/hour"\n'
    with run_server(project, "gunicorn", config=config, workers=4, threads=2) as server:

        def ask(number: int) -> int:
            return refused(server, number)

        with ThreadPoolExecutor(8) as clients:
            assert sum(clients.map(ask, [20] * 8)) == 160 - 50
        pids = {line.split("pid: ")[1] for line in server.log().splitlines() if "pid: " in line}
        assert len(pids) == 4
        assert "JG012" not in server.log()


def test_a_user_has_a_rate_of_his_own_for_as_long_as_he_is_logged_in(project: Path) -> None:
    config = '[tool.jamguard.rate-limit]\napi = "20/hour"\n'
    with run_server(project, "gunicorn", config=config) as server:
        clerk = server.login(CLERK)
        for _ in range(20):  # Jam.py signs the cookie anew at each call
            reply = server.api(OPEN, clerk)
            assert reply.json["result"]["status"] == 9
            clerk = (reply.get("Set-Cookie") or clerk).partition(";")[0]
        assert refused(server, 5, clerk) == 5
        assert refused(server, 5, server.login(ADMIN)) == 0
        name, _, value = clerk.partition("=")
        forged = f"{name}={'B' if value.startswith('A') else 'A'}{value[1:]}"
        assert refused(server, 25, forged) == 5  # counted by network: it proves nothing
