"""Real proxies in front of a real project: whom Jam.py takes its users for."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.projects import ADMIN, CLERK, TASK
from support.servers import Server, run_nginx, run_server

LOGGED_IN, NOT_LOGGED_IN = 9, 5
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "nginx.md"
#: two people on loopback, neither of them with the address from which nginx connects
ANNA, EVE = "127.0.0.2", "127.0.0.3"
HOST = {"Host": "www.example.com"}

#: what the documentation tells to write
DOCUMENTED = HOW_TO.read_text("utf-8").partition("```nginx\n")[2].partition("```")[0]
FORWARDING_NGINX = DOCUMENTED.replace("127.0.0.1:8000", "UPSTREAM")
#: the two samples of Jam.py's documentation, as far as the proxy goes
JAM_SAMPLES = {
    "with X-Forwarded-For": """
        location / {
          proxy_pass http://UPSTREAM;
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    """,
    "with nothing": "location / { proxy_pass http://UPSTREAM; }",
    # what the second one does under nginx 1.29.7 and later
    "with nothing, HTTP/1.1": """
        location / {
          proxy_pass http://UPSTREAM;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
        }
    """,
}


def declare(*trusted: str) -> str:
    return f"[tool.jamguard.proxy]\ntrusted = {list(trusted)}\n"


def pin_sessions(project: Path) -> None:
    """Switch on Jam.py's own protection: a session is worth something from one address only."""
    with closing(sqlite3.connect(project / "admin.sqlite")) as admin, admin:
        admin.execute("UPDATE SYS_PARAMS SET F_IGNORE_CHANGE_IP=0")


def addresses(project: Path) -> dict[str, str | None]:
    """The address of each user's last login, as Jam.py recorded it."""
    with closing(sqlite3.connect(project / "admin.sqlite")) as admin:
        return dict(admin.execute("SELECT F_LOGIN, F_IP FROM SYS_USERS WHERE DELETED=0"))


def state(door: Server, cookie: str, source: str, **headers: str) -> int:
    """What Jam.py takes the holder of this cookie for."""
    reply = door.api(["load", TASK, 0, None, 0], cookie, {**HOST, **headers}, source=source)
    found: int = reply.json["result"]["status"]
    return found


def by_unix(folder: Path, body: str) -> tuple[list[str], str]:
    """Let gunicorn listen on a UNIX socket as well, and nginx connect to that."""
    path = folder / "jam.sock"
    return ["--bind", f"unix:{path}"], body.replace("http://UPSTREAM", f"http://unix:{path}:")


@contextmanager
def behind_two(body: str, upstream: Server) -> Generator[Server, None, None]:
    """Two nginx, one behind the other; the outer one connects from 127.0.0.8."""
    outer_body = body.replace("location / {", "location / { proxy_bind 127.0.0.8;")
    with run_nginx(body, upstream) as inner, run_nginx(outer_body, inner) as outer:
        yield outer


# --- SQL in X-Forwarded-For ------------------------------------------------------------------

INJECTION = "x' where 1 --"


def test_plain_jam_py_runs_sql_out_of_x_forwarded_for_and_a_hardened_one_does_not(
    project: Path,
) -> None:
    header = {"X-Forwarded-For": INJECTION}
    with run_server(project, harden=False) as server:
        server.login(CLERK, headers=header)
    assert set(addresses(project).values()) == {"x"}  # of all users, by one user's login

    with run_server(project) as server:
        server.login(CLERK, headers=header)
    assert addresses(project) == {CLERK.login: "127.0.0.1", ADMIN.login: "x"}


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)], ids=["undeclared", "declared"])
def test_no_sql_comes_through_an_nginx_that_passes_everything_on(
    project: Path, trusted: tuple[str, ...]
) -> None:
    body = JAM_SAMPLES["with nothing"]
    header = {"X-Forwarded-For": INJECTION}
    with run_server(project, harden=False) as server, run_nginx(body, server) as nginx:
        nginx.login(CLERK, headers=header)
    assert set(addresses(project).values()) == {"x"}

    with (
        run_server(project, config=declare(*trusted)) as server,
        run_nginx(body, server) as nginx,
    ):
        nginx.login(CLERK, headers=header)
    assert addresses(project)[CLERK.login] == ("" if trusted else "127.0.0.1")
    assert addresses(project)[ADMIN.login] == "x"


# --- Jam.py's pinning of sessions to addresses ----------------------------------------------


def test_a_stolen_session_works_on_plain_jam_py_for_a_thief_who_names_the_address(
    project: Path,
) -> None:
    pin_sessions(project)
    with run_server(project, harden=False) as server:
        cookie = server.login(CLERK, source=ANNA)
        assert state(server, cookie, ANNA) == LOGGED_IN
        assert state(server, cookie, EVE) == NOT_LOGGED_IN
        spoofed = {"X-Forwarded-For": ANNA}
        assert state(server, cookie, EVE, **spoofed) == LOGGED_IN


CHAINS = {
    "no proxy": (),
    "one proxy": ("127.0.0.1",),
    "one proxy, by a UNIX socket": ("unix",),
    "two proxies": ("127.0.0.1", "127.0.0.8"),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_pinning_holds_behind_jamguard_and_cannot_be_spoofed(
    project: Path, chain: str, tmp_path: Path
) -> None:
    pin_sessions(project)
    trusted = CHAINS[chain]
    bind, body = (
        by_unix(tmp_path, FORWARDING_NGINX) if "unix" in trusted else ([], FORWARDING_NGINX)
    )
    with run_server(project, config=declare(*trusted), args=bind) as server:
        if not trusted:
            holds(server, project)
        elif len(trusted) == 1:
            with run_nginx(body, server) as nginx:
                holds(nginx, project)
        else:
            with behind_two(body, server) as nginx:
                holds(nginx, project)
        assert ("id=JG003" in server.log()) is (not trusted)  # Eve looks like a proxy


def holds(door: Server, project: Path) -> None:
    """Assert that a session is worth something to its owner alone, whatever a thief sends."""
    cookie = door.login(CLERK, headers=HOST, source=ANNA)
    assert addresses(project)[CLERK.login] == ANNA
    assert state(door, cookie, ANNA) == LOGGED_IN
    for thief in (
        {},
        {"X-Forwarded-For": ANNA},
        {"X-Forwarded-For": f"{ANNA}, {ANNA}"},
        {"X-Forwarded-For": f'"{ANNA}'},
        {"X-Real-IP": ANNA, "Forwarded": f"for={ANNA}", "X-Client-IP": ANNA},
        {"X_Forwarded_For": ANNA},
    ):
        assert state(door, cookie, EVE, **thief) == NOT_LOGGED_IN
        # nor does the owner lose it by what an honest proxy of its own adds
        assert state(door, cookie, ANNA, **dict.fromkeys(thief, EVE)) == LOGGED_IN


# --- Jam.py's own samples, with nothing declared --------------------------------------------


@pytest.mark.parametrize("sample", JAM_SAMPLES)
def test_behind_jam_pys_own_samples_the_site_works_and_one_line_says_what_to_add(
    project: Path, sample: str
) -> None:
    browser = {**HOST, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Connection": "keep-alive"}
    with run_server(project) as server, run_nginx(JAM_SAMPLES[sample], server) as nginx:
        assert nginx.request("GET", "/login.html", browser, source=ANNA).status == 200
        for user, source in ((CLERK, ANNA), (ADMIN, EVE)):
            cookie = nginx.login(user, headers=browser, source=source)
            reply = nginx.api(["load", TASK, 0, None, 0], cookie, browser, source=source)
            assert reply.json["result"]["status"] == LOGGED_IN
            page = nginx.request("GET", "/", {**browser, "Cookie": cookie}, source=source)
            assert page.status == 200
        # Eve asks for more than one client may (300 pages a minute); Anna does not feel it
        replies = [nginx.request("GET", "/login.html", browser, source=EVE) for _ in range(70)]
        replies += [nginx.request("GET", "/", browser, source=EVE) for _ in range(310)]
        assert {reply.status for reply in replies} <= {200, 302}
        assert nginx.try_login(CLERK, headers=browser, source=ANNA).status == 302
        log = server.log()
    (notice,) = [line for line in log.splitlines() if "id=JG003" in line]
    assert 'trusted = [\\"127.0.0.1\\"]' in notice
    assert " refused " not in log


def test_eve_alone_is_refused_when_the_proxy_is_declared(project: Path) -> None:
    config = declare("127.0.0.1") + '[tool.jamguard.rate-limit]\npage = "60/minute"\n'
    with (
        run_server(project, config=config) as server,
        run_nginx(FORWARDING_NGINX, server) as nginx,
    ):
        statuses = [nginx.request("GET", "/login.html", HOST, source=EVE).status for _ in range(62)]
        assert statuses[:60] == [200] * 60
        assert statuses[-1] == 429
        assert nginx.request("GET", "/login.html", HOST, source=ANNA).status == 200


def test_a_declared_proxy_that_names_nobody_is_pointed_out(project: Path, tmp_path: Path) -> None:
    bind, body = by_unix(tmp_path, JAM_SAMPLES["with nothing"])
    with (
        run_server(project, config=declare("unix"), args=bind) as server,
        run_nginx(body, server) as nginx,
    ):
        cookie = nginx.login(CLERK, source=ANNA)
        assert state(nginx, cookie, ANNA) == LOGGED_IN
        assert state(nginx, cookie, EVE) == LOGGED_IN  # without pinning, which is Jam.py's default
        log = server.log()
    (notice,) = [line for line in log.splitlines() if "id=JG013" in line]
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in notice


# --- what else depends on who asks ----------------------------------------------------------


@pytest.mark.parametrize("sample", JAM_SAMPLES)
def test_a_proxy_does_not_make_the_internet_local_to_the_development_server(
    project: Path, sample: str
) -> None:
    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Host": "localhost"}
    with (
        run_server(project, "werkzeug") as server,
        run_nginx(JAM_SAMPLES[sample], server) as nginx,
    ):
        here = {**browser, "Connection": "keep-alive"}
        assert server.request("GET", "/login.html", here).status == 200
        assert server.request("GET", "/login.html").status == 200  # curl
        assert nginx.request("GET", "/login.html", here, source=EVE).status == 503


def test_nginx_names_the_request_and_a_client_does_not(project: Path) -> None:
    given = {"X-Request-ID": "given-by-a-client-0123456789", **HOST}
    with (
        run_server(project, config=declare("127.0.0.1")) as server,
        run_nginx(FORWARDING_NGINX, server) as nginx,
    ):
        named = nginx.request("GET", "/jam/../admin.sqlite", given)
        direct = server.request("GET", "/login.html", given, source=EVE)
        log = server.log()
    name = named.get("X-Request-ID")
    assert name is not None
    assert len(name) == 32  # $request_id
    assert f"id={name}" in log
    assert direct.get("X-Request-ID") != given["X-Request-ID"]
