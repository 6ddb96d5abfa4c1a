"""What the policies stop in a real browser, and what they let through."""

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from support.projects import CLERK, CUSTOMERS, FIELD_DOC, TASK
from support.servers import Server, run_server
from support.visit import CHROMIUM, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

HARDENED: Final = pytest.mark.parametrize("harden", [False, True], ids=["plain", "hardened"])
#: HTML that got into a page, as by a field that is not sanitized
INJECTED: Final = "<img src=x onerror=\"document.title = 'stolen'\">"
UPLOAD: Final = (
    "<title>own</title><p>A page</p><script>document.title = 'stolen'</script>"
    "<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title = 'stolen'\"></svg>"
)


def log_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/login.html")
    page.fill("#login", CLERK.login)
    page.fill("#password", CLERK.password)
    page.click("button[type=submit]")
    expect(page.locator(".orders.view-form")).to_contain_text("Ada Lovelace")


@HARDENED
def test_a_handler_that_was_injected_runs_without_guards_and_not_behind_them(
    browser: Browser, project: Path, *, harden: bool
) -> None:
    with run_server(project, harden=harden) as server, visit(browser) as visited:
        page = visited.page
        log_in(page, server)
        page.evaluate("html => $('#content').append(html)", INJECTED)
        image = page.locator("img[src=x]")
        expect(image).to_have_js_property("complete", value=True)
        expect(page).to_have_title("Demo" if harden else "stolen")
    assert bool(visited.violations) is harden


def upload(page: Page, server: Server, name: str, text: str) -> str:
    """Upload a file as the application does; return its address."""
    answer = page.request.post(
        f"{server.url}/upload",
        multipart={
            "file": {"name": name, "mimeType": "text/plain", "buffer": text.encode()},
            "file_name": name,
            "path": "",
            "task_id": str(TASK),
            "item_id": str(CUSTOMERS),
            "field_id": str(FIELD_DOC),
        },
    )
    data = answer.json()["result"]["data"]
    return f"{server.url}/{data['path']}/{data['file_name']}"


@HARDENED
def test_a_script_that_was_uploaded_runs_without_guards_and_not_behind_them(
    browser: Browser, project: Path, *, harden: bool
) -> None:
    with run_server(project, harden=harden) as server, visit(browser) as visited:
        page = visited.page
        log_in(page, server)
        address = upload(page, server, "a.js", "parent.document.title = 'stolen'")
        frame = f"<iframe srcdoc=\"<script src='{address}'></script><p>A frame\"></iframe>"
        page.evaluate("html => $('#content').append(html)", frame)
        expect(page.frame_locator("iframe").locator("p")).to_have_text("A frame")
        expect(page).to_have_title("Demo" if harden else "stolen")


@HARDENED
def test_a_page_that_was_uploaded_runs_without_guards_and_not_behind_them(
    browser: Browser, project: Path, *, harden: bool
) -> None:
    with run_server(project, harden=harden) as server, visit(browser) as visited:
        page = visited.page
        log_in(page, server)
        address = upload(page, server, "a.html", UPLOAD)
        page.goto(address)
        expect(page.locator("p")).to_have_text("A page")
        expect(page).to_have_title("own" if harden else "stolen")


def test_a_theme_gets_the_fonts_that_it_imports(browser: Browser, project: Path) -> None:
    index = project / "index.html"
    index.write_text(
        index.read_text("utf-8").replace("bs5/bootstrap.css", "bs5/bootstrap-flatly.css"), "utf-8"
    )
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        face = "@font-face{font-family:Lato;src:url(https://fonts.gstatic.com/lato.woff2)}"
        route.fulfill(
            body=face, content_type="text/css", headers={"Access-Control-Allow-Origin": "*"}
        )

    with run_server(project) as server, visit(browser) as visited:
        visited.context.route(re.compile(r"https://fonts\."), answer)
        log_in(visited.page, server)
    assert any("fonts.googleapis.com" in url for url in asked)
    assert any("fonts.gstatic.com" in url for url in asked)
    assert visited.violations == []


def test_a_page_with_a_handler_goes_on_working(browser: Browser, project: Path) -> None:
    index = project / "index.html"
    index.write_text(
        index.read_text("utf-8").replace(
            "<body>", "<body><a id=own href='#' onclick=\"document.title='own'\">own</a>"
        ),
        "utf-8",
    )
    with run_server(project) as server, visit(browser) as visited:
        log_in(visited.page, server)
        visited.page.click("#own")
        expect(visited.page).to_have_title("own")
        assert "id=JG006" in server.log()
    assert all("report" in text.lower() for text in visited.violations)
    assert visited.violations
