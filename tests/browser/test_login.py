"""What somebody reads who is locked out, in a real browser."""

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect
from support.projects import CLERK, copy
from support.servers import run_server
from support.v5_project import ADMIN
from support.visit import CHROMIUM, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

#: the browser is on this computer, where names are locked and no addresses
CONFIG: Final = '[tool.jamguard.login]\nname-failures = "2/hour"\n'


def test_a_page_that_leads_back_to_the_login(browser: Browser, project: Path) -> None:
    with run_server(project, config=CONFIG) as server, visit(browser) as made:
        page = made.page
        page.goto(server.url)
        for _ in range(2):
            log_in(page, "wrong")
            expect(page.get_by_text("error-modal-border")).to_be_visible()
        log_in(page, CLERK.password)
        expect(page.locator("h1")).to_have_text("Too many attempts to log in")
        expect(page.locator("p").first).to_have_text("Please try again in 60 seconds.")
        page.get_by_role("link", name="Back to the start page").click()
        expect(page.locator("#password")).to_be_visible()
        assert made.violations == []


def log_in(page: Page, password: str) -> None:
    page.fill("#login", CLERK.login)
    page.fill("#password", password)
    page.click("button[type=submit]")


@pytest.mark.parametrize("place", ["", "/builder.html"])
def test_a_sentence_in_v5(
    browser: Browser, v5_project: Path, v5_python: Path, tmp_path: Path, place: str
) -> None:
    folder = copy(v5_project, tmp_path / "project")
    with run_server(folder, config=CONFIG, python=v5_python) as server, visit(browser) as made:
        page = made.page
        page.goto(server.url + place)
        for password in ("wrong", "wrong", ADMIN.password):
            page.locator("input[name=login]:visible, #inputLoging:visible").fill(ADMIN.login)
            page.locator("input[type=password]:visible").fill(password)
            with page.expect_response("**/api"):
                page.click("#login-btn:visible")
        expect(page.locator("body")).to_contain_text("Too many attempts to log in")
        expect(page.locator("body")).to_contain_text(re.compile(r"try again in \d\d seconds"))
