"""What pages of other sites do in a real browser: to plain Jam.py, and to a hardened one."""

import json
import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import pytest
from playwright.sync_api import Browser, Page, expect
from support import need, projects
from support.projects import CLERK, CUSTOMERS, TASK
from support.servers import LOCAL, Server, run_nginx, run_server
from support.visit import CHROMIUM, FLAGS, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

HARDENED: Final = pytest.mark.parametrize("harden", [False, True], ids=["plain", "hardened"])
#: only this guard refuses
ALONE: Final = '[tool.jamguard]\nmode = "report"\n[tool.jamguard.origin]\nmode = "enforce"\n'
#: the two nginx samples of Jam.py's documentation
SAMPLES: Final = {
    "with Host": (
        "location / { proxy_pass http://UPSTREAM; proxy_set_header Host $host; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }"
    ),
    "with nothing": "location / { proxy_pass http://UPSTREAM; }",
}
#: posts a call as plain text; whether the page may know of an answer does not matter
SEND: Final = """([url, call]) => fetch(
    url, {method: 'POST', mode: 'no-cors', credentials: 'include', body: call}
).catch(() => null).then(() => null)"""
#: the same as JSON, for which a browser first asks whether it may
SEND_JSON: Final = SEND.replace("mode: 'no-cors'", "headers: {'Content-Type': 'application/json'}")


class Echo(BaseHTTPRequestHandler):
    """Serves the page that the query holds."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(unquote(self.path.partition("?")[2]).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of another site: of another name it is cross-site, of the same one same-site."""
    with ThreadingHTTPServer((LOCAL, 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def open_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its safe mode off, as each is at first."""
    return projects.make(tmp_path_factory.mktemp("open") / "project", safe_mode=False)


def write_file(name: str) -> str:
    """A call that writes a file, through the builder."""
    return json.dumps(["server", 0, 0, ["server_save_file", [name, "pwned="]], 0])


def rename(name: str) -> str:
    """A call that renames the first customer."""
    log: dict[str, Any] = {"log_index": 0, "record_status": 2, "record": [1, name], "details": {}}
    changes: dict[str, Any] = {"fields": ["id", "name"], "expanded": False, "logs": [log]}
    return json.dumps(["apply", TASK, CUSTOMERS, [changes, {}], 0])


def first_customer(project: Path) -> str:
    with closing(sqlite3.connect(project / "demo.sqlite")) as database:
        name: str = database.execute("SELECT NAME FROM DEMO_CUSTOMERS WHERE ID=1").fetchone()[0]
    return name


def post_form(page: Page, url: str, call: str) -> None:
    """Post a call as a form of plain text, which writes `name=value`."""
    name, _, value = call.partition("=")
    script = """([url, name, value]) => {
        const form = document.createElement('form')
        form.method = 'post'; form.enctype = 'text/plain'; form.action = url
        const input = document.createElement('input')
        input.name = name; input.value = value
        form.append(input); document.body.append(form); form.submit()
    }"""
    with page.expect_response(url):
        page.evaluate(script, [url, name, value])


@HARDENED
def test_any_site_changes_data_and_writes_files_where_there_is_no_login(
    browser: Browser, open_project: Path, tmp_path: Path, elsewhere: int, *, harden: bool
) -> None:
    project = projects.copy(open_project, tmp_path / "project")
    with run_server(project, harden=harden, config=ALONE) as server, visit(browser) as visited:
        page = visited.page
        page.goto(f"http://localhost:{elsewhere}")
        api = f"{server.url}/api"
        page.evaluate(SEND, [api, write_file("fetched.txt")])
        page.evaluate(SEND, [api, rename("Eve")])
        post_form(page, api, write_file("posted.txt"))
        log = server.log()
    written = {path.name for path in project.glob("*ed.txt")}
    assert written == (set() if harden else {"fetched.txt", "posted.txt"})
    assert (first_customer(project) == "Eve") is not harden
    assert log.count("refused guard=origin") == (3 if harden else 0)


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    page.fill("#login", CLERK.login)
    page.fill("#password", CLERK.password)
    page.click("button[type=submit]")
    expect(page.locator(".orders.view-form")).to_contain_text("Ada Lovelace")


def is_logged_in(page: Page, url: str) -> bool:
    return page.context.request.get(url, max_redirects=0).status == 200


@HARDENED
def test_a_site_on_another_port_has_the_users_session_and_cannot_use_it(
    browser: Browser, project: Path, elsewhere: int, *, harden: bool
) -> None:
    with run_server(project, harden=harden, config=ALONE) as server, visit(browser) as visited:
        page = visited.page
        log_in(page, server.url)
        other = visited.context.new_page()
        other.goto(f"http://{LOCAL}:{elsewhere}")
        other.evaluate(SEND, [f"{server.url}/api", rename("Eve")])
        assert (first_customer(project) == "Eve") is not harden
        assert is_logged_in(page, server.url)
        picture = f"<img src={server.url}/logout onerror='document.title = 1'>"
        other.goto(f"http://{LOCAL}:{elsewhere}/?{quote(picture)}")
        expect(other).to_have_title("1")
        assert is_logged_in(page, server.url) is harden


@HARDENED
def test_a_site_anywhere_sends_a_user_to_the_logout_only_by_a_click(
    browser: Browser, project: Path, elsewhere: int, *, harden: bool
) -> None:
    with run_server(project, harden=harden, config=ALONE) as server, visit(browser) as visited:
        page = visited.page
        log_in(page, server.url)
        other = visited.context.new_page()
        at_once = f"<meta http-equiv=refresh content='0;url={server.url}/logout'>"
        other.goto(f"http://localhost:{elsewhere}/?{quote(at_once)}")
        if harden:
            expect(other.locator("h1")).to_contain_text("a page of another site")
            assert is_logged_in(page, server.url)
            link = f"<a href={server.url}/logout>Log out</a>"
            other.goto(f"http://localhost:{elsewhere}/?{quote(link)}")
            other.click("a")
        expect(other.locator("#admin-login-form")).to_be_visible()
        assert not is_logged_in(page, server.url)


# --- plain http in a local network: browsers send no fetch metadata ----------------------------


@contextmanager
def network(browser: Browser) -> Generator[Browser, None, None]:
    """A browser that finds every name on this machine, where no name is this machine's own."""
    rules = "--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP evil.example 127.0.0.1"
    path = need.path(*CHROMIUM)
    started = browser.browser_type.launch(executable_path=path, args=[*FLAGS, rules])
    try:
        yield started
    finally:
        started.close()


@contextmanager
def behind(sample: str, server: Server) -> Generator[Server, None, None]:
    if sample == "no proxy":
        yield server
    else:
        with run_nginx(SAMPLES[sample], server) as nginx:
            yield nginx


@pytest.mark.parametrize("sample", ["no proxy", *SAMPLES])
def test_in_a_local_network_the_site_works_and_other_sites_cannot_call_it(
    browser: Browser,
    demo_project: Path,
    open_project: Path,
    tmp_path: Path,
    elsewhere: int,
    sample: str,
) -> None:
    with network(browser) as lan:
        project = projects.copy(demo_project, tmp_path / "project")
        with run_server(project) as server, behind(sample, server) as door, visit(lan) as visited:
            page = visited.page
            log_in(page, f"http://crm.example.com:{door.port}")
            page.click("#menu >> text='Customers'")
            page.click(".customers.view-form td.name:has-text('Ada')")
            page.click(".customers.view-form #edit-btn")
            form = page.locator(".customers.edit-form")
            form.locator("input.email").fill("ada@example.com")
            form.locator("#ok-btn").click()
            expect(form).to_have_count(0)
            page.click("#log-out")
            expect(page.locator("#admin-login-form")).to_be_visible()
            log = server.log()
        assert " refused " not in log
        assert log.count("id=JG017") == (sample != "no proxy")
        for harden in (False, True):
            project = projects.copy(open_project, tmp_path / f"open-{harden}")
            with (
                run_server(project, harden=harden, config=ALONE) as server,
                behind(sample, server) as door,
                visit(lan) as visited,
            ):
                page = visited.page
                page.goto(f"http://evil.example:{elsewhere}")
                api = f"http://crm.example.com:{door.port}/api"
                page.evaluate(SEND, [api, write_file("pwned.txt")])
                page.evaluate(SEND_JSON, [api, write_file("asked.txt")])
                log = server.log()
            assert (project / "pwned.txt").exists() is not harden
            assert not (project / "asked.txt").exists()  # what passes where the Host is hidden
        assert "from http://evil.example" in log
        assert "while Host is" in log  # no fetch metadata came
