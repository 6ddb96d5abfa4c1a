"""Passwords are guessed at a real project: what gets through, and who still gets in."""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Final

import attrs
import pytest
from support import v5_project
from support.code import add_task_code
from support.projects import ADMIN, CLERK, TASK, User, copy
from support.servers import Reply, Server, run_server

#: the test's own address stands for a proxy, which says for whom it asks; so many attempts in
#: so few seconds are stopped by another guard too
CONFIG: Final = """
[tool.jamguard.rate-limit]
enabled = false
[tool.jamguard.proxy]
trusted = ["127.0.0.1"]
[tool.jamguard.builder]
allow = ["198.51.100.0/24"]
"""
#: which worker has answered
WORKERS: Final = ["--access-logfile", "-", "--access-logformat", "worker=%(p)s"]
HERE, THERE = "198.51.100.1", "198.51.100.2"

Ask = Callable[[Server, User, str], Reply]


def by_form(server: Server, user: User, source: str) -> Reply:
    return server.try_login(user, headers={"X-Forwarded-For": source})


def by_form_of_the_builder(server: Server, user: User, source: str) -> Reply:
    return server.try_login(user, "/builder_login.html", {"X-Forwarded-For": source})


def by_call(server: Server, user: User, source: str, task: int = TASK) -> Reply:
    form = {"login": user.login, "password": user.password}
    headers = {"X-Forwarded-For": source}
    return server.api(["login", task, 0, [form], 0], headers=headers)


def by_call_of_the_builder(server: Server, user: User, source: str) -> Reply:
    return by_call(server, user, source, 0)


def outcome(reply: Reply) -> str:
    """Say whether somebody is logged in, or which guard has refused it."""
    if reply.get("Set-Cookie") and (reply.status == 302 or b'"data": true' in reply.body):
        return "in"
    if b"error-modal-border" in reply.body or b'"data": null' in reply.body:
        return "out"
    if b"project_loading" in reply.body:
        return "loading"  # v5, while its first request is being answered
    return reply.get("Jamguard-Refused") or f"status {reply.status}"


def guess(server: Server, ask: Ask, user: User, times: int, source: str = HERE) -> Counter[str]:
    """Try wrong passwords from eight threads, again where there are too many at once."""

    def one(number: int) -> str:
        while True:
            got = outcome(ask(server, User(user.login, f"guess {number}"), source))
            if got not in {"concurrency", "loading"}:
                return got
            pause.wait(0.05)

    pause = threading.Event()

    with ThreadPoolExecutor(8) as threads:
        return Counter(threads.map(one, range(times)))


@pytest.mark.parametrize(
    ("ask", "user"), [(by_form, CLERK), (by_form_of_the_builder, ADMIN)], ids=["form", "builder"]
)
def test_plain_jam_py_lets_everybody_guess(project: Path, ask: Ask, user: User) -> None:
    """The control: forty guesses, and the right one at the end gets in."""
    with run_server(project, harden=False) as server:
        assert guess(server, ask, user, 40) == {"out": 40}
        assert outcome(ask(server, user, HERE)) == "in"


def workers(server: Server, since: int = 0) -> int:
    """Count the workers that have answered, as the log has it from a place on."""
    return len(set(re.findall(r"worker=<(\d+)>", server.log()[since:])))


@pytest.mark.parametrize(
    ("ask", "user"), [(by_form, CLERK), (by_form_of_the_builder, ADMIN)], ids=["form", "builder"]
)
def test_guessing_stops_in_all_workers_at_once(project: Path, ask: Ask, user: User) -> None:
    with run_server(project, config=CONFIG, workers=2, args=WORKERS) as server:
        until = monotonic() + 20
        while workers(server) < 2 and monotonic() < until:  # one has loaded the project before
            server.request("GET", "/favicon.ico")
        before = len(server.log())
        assert guess(server, ask, user, 40) == {"out": 5, "login": 35}
        assert workers(server, before) == 2
        expect_locked(server, project, ask, user)


def expect_locked(server: Server, project: Path, ask: Ask, user: User) -> None:
    """Nothing tells a right password, nobody else is concerned, and an operator can end it."""
    replies: list[Reply] = []
    seconds: list[float] = []
    for password in ("wrong", user.password) * 3:
        begin = monotonic()
        replies.append(ask(server, User(user.login, password), HERE))
        seconds.append(monotonic() - begin)
    assert {reply.get("Jamguard-Refused") for reply in replies} == {"login"}
    assert len({reply.status for reply in replies}) == 1
    assert len({re.sub("[0-9a-f]{16}|[0-9]+ seconds", "", reply.text) for reply in replies}) == 1
    assert all(0 < int(reply.get("Retry-After") or 0) <= 60 for reply in replies)
    assert median(seconds) < 0.3  # Jam.py has not slept
    assert "Too many attempts to log in" in replies[0].text
    assert server.log().count("locked guard=login reason=locked-name-here") == 1

    assert outcome(ask(server, user, THERE)) == "in"

    (one,) = json.loads(command("locked", "--json", str(project)))
    assert (one["name"], one["network"], one["times"]) == (user.login, HERE, 1)
    command("unlock", user.login, str(project))
    assert outcome(ask(server, user, HERE)) == "in"


def command(*words: str) -> str:
    """Run `jamguard login` beside the server; return what it prints."""
    *_, project = words
    done = subprocess.run(
        [sys.executable, "-m", "jamguard", "login", *words],
        env={**os.environ, "JAMGUARD_STORAGE": f"shared:{Path(project).parent}"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_owner_stays_welcome_while_her_name_is_guessed_everywhere(project: Path) -> None:
    config = CONFIG + '[tool.jamguard.login]\nname-failures = "10/day"\n'
    with run_server(project, config=config, workers=2) as server:
        assert outcome(by_form(server, CLERK, HERE)) == "in"
        wrong = User(CLERK.login, "x")
        tries = [outcome(by_form(server, wrong, f"203.0.113.{n}")) for n in range(20)]
        assert Counter(tries) == {"out": 10, "login": 10}
        assert outcome(by_form(server, CLERK, "203.0.113.77")) == "login"
        assert outcome(by_form(server, CLERK, HERE)) == "in"


def test_what_a_projects_own_on_login_refuses_is_a_failure(
    demo_project: Path, tmp_path: Path
) -> None:
    code = """
def on_login(task, form_data, info):
    if form_data['password'] == 'token':
        return {'user_id': 7, 'user_name': form_data['login'], 'role_id': 1, 'role_name': 'clerk'}
    if form_data['password'] == 'boom':
        raise Exception('no such table')
"""
    project = add_task_code(copy(demo_project, tmp_path / "project"), code)
    with run_server(project, config=CONFIG) as server:
        for password in ("x", "boom") * 2:
            assert outcome(by_form(server, User("ann", password), HERE)) == "out"
        assert outcome(by_form(server, User("Ann", "x"), HERE)) == "out"
        assert outcome(by_form(server, User("ann", "token"), HERE)) == "login"
        assert outcome(by_form(server, User("ann", "token"), THERE)) == "in"


@pytest.mark.parametrize("path", ["/login.html/", "//login.html", "/login.html/x", "/%6cogin.html"])
def test_no_path_leads_round_it(project: Path, path: str) -> None:
    with run_server(project, config=CONFIG) as server:
        wrong, headers = User(CLERK.login, "x"), {"X-Forwarded-For": HERE}
        replies = [server.try_login(wrong, path, headers) for _ in range(8)]
        assert sum(outcome(reply) == "out" for reply in replies) <= 5
        assert outcome(replies[-1]) in {"login", "path"}


def test_an_undeclared_proxy_is_not_locked_out(project: Path) -> None:
    """Everybody behind it is one address, and would be locked out with one who guesses."""
    config = "[tool.jamguard.rate-limit]\nenabled = false\n"
    with run_server(project, config=config) as server:
        assert guess(server, by_form, User("nobody", ""), 20) == {"out": 20}
        assert outcome(by_form(server, CLERK, HERE)) == "in"


@attrs.frozen
class Flood:
    """Guesses for ever other names, from ever other addresses, from twelve threads."""

    server: Server
    _stop: threading.Event = attrs.field(factory=threading.Event)

    def slowest_half(self) -> float:
        """Return the median of the seconds that a small file takes meanwhile."""
        with ThreadPoolExecutor(12) as threads:
            for number in range(12):
                threads.submit(self._guess, number)
            seconds: list[float] = []
            try:
                for _ in range(15):
                    begin = monotonic()
                    assert self.server.request("GET", "/favicon.ico").status == 200
                    seconds.append(monotonic() - begin)
            finally:
                self._stop.set()
        return median(seconds)

    def _guess(self, thread: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            by_form(self.server, User(f"{thread}-{number}", "x"), f"203.0.113.{number % 250}")


def test_guesses_do_not_take_all_threads(demo_project: Path, tmp_path: Path) -> None:
    """The control and the protection: how long somebody waits who only wants a file."""
    with run_server(copy(demo_project, tmp_path / "a" / "project"), harden=False) as server:
        plain = Flood(server).slowest_half()
    with run_server(copy(demo_project, tmp_path / "b" / "project"), config=CONFIG) as server:
        hardened = Flood(server).slowest_half()
        assert "refused guard=concurrency reason=logins status=503" in server.log()
        assert outcome(by_form(server, CLERK, HERE)) == "in"
    assert plain > 0.3
    assert hardened < plain / 3


@pytest.mark.long
class TestV5:
    @pytest.fixture
    def project(self, v5_project: Path, tmp_path: Path) -> Path:
        return copy(v5_project, tmp_path / "project")

    @pytest.fixture(params=["application", "builder"])
    def ask(self, request: pytest.FixtureRequest) -> Iterator[tuple[Ask, User]]:
        if request.param == "builder":
            yield by_call_of_the_builder, v5_project.ADMIN
        else:
            yield by_call, v5_project.CLERK

    def test_plain_jam_py_lets_everybody_guess(
        self, project: Path, v5_python: Path, ask: tuple[Ask, User]
    ) -> None:
        with run_server(project, harden=False, python=v5_python) as server:
            assert guess(server, *ask, 40) == {"out": 40}
            assert outcome(ask[0](server, ask[1], HERE)) == "in"

    def test_guessing_stops_in_all_workers_at_once(
        self, project: Path, v5_python: Path, ask: tuple[Ask, User]
    ) -> None:
        with run_server(project, config=CONFIG, workers=2, python=v5_python) as server:
            assert guess(server, *ask, 40) == {"out": 5, "login": 35}
            expect_locked(server, project, *ask)
            assert "Traceback" not in server.log()

    def test_a_name_that_is_no_text_tells_nothing_about_a_password(
        self, project: Path, v5_python: Path
    ) -> None:
        """Plain v5 fails where the password is somebody's, whoever that is."""

        def told(server: Server) -> set[str]:
            bodies: set[str] = set()
            for password in (v5_project.CLERK.password, "nobody's"):
                call = ["login", TASK, 0, [{"login": 5, "password": password}], 0]
                bodies.add(json.dumps(server.api(call).text))
            return bodies

        with run_server(project, harden=False, python=v5_python) as server:
            assert len(told(server)) == 2
        with run_server(project, config=CONFIG, python=v5_python) as server:
            assert len(told(server)) == 1
