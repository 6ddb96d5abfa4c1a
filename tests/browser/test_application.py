"""What a person does in an application works behind every guard, and the browser says nothing."""

import base64
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.projects import CLERK, copy
from support.servers import run_server
from support.visit import CHROMIUM, Visit, choose, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

#: a picture of one dot
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
TEXT: Final = "Anything <b>at all</b>; DROP TABLE customers -- ../../etc/passwd"


def test_all_that_users_do_works_and_the_console_stays_as_quiet_as_without_guards(
    browser: Browser, demo_project: Path, tmp_path: Path
) -> None:
    visits: dict[bool, Visit] = {}
    for harden in (False, True):
        folder = copy(demo_project, tmp_path / f"project-{harden}")
        with (
            run_server(folder, "gunicorn", harden=harden) as server,
            visit(browser) as visits[harden],
        ):
            use_application(visits[harden].page, server.url, tmp_path)
    assert visits[True].violations == []
    assert visits[True].blamed <= visits[False].blamed, visits[True].errors


def use_application(page: Page, url: str, folder: Path) -> None:
    log_in(page, url)
    add_a_customer(page, folder)
    edit_the_customer(page)
    filter_customers(page)
    add_an_order(page)
    print_the_report(page)
    page.click("#log-out")
    expect(page.locator("#admin-login-form")).to_be_visible()


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    expect(page).to_have_url(f"{url}/login.html")
    page.fill("#login", CLERK.login)
    page.fill("#password", CLERK.password)
    page.click("#toggle-password-visibility")  # by the page's inline script
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.click("button[type=submit]")
    expect(page.locator("#user-info")).to_contain_text("clerk")
    expect(page.locator(".orders.view-form")).to_contain_text("Ada Lovelace")


def add_a_customer(page: Page, folder: Path) -> None:
    picture, document = folder / "dot.png", folder / "note.txt"
    picture.write_bytes(PNG)
    document.write_text(TEXT, "utf-8")
    page.click("#menu >> text='Customers'")
    page.click(".customers.view-form #new-btn")
    form = page.locator(".customers.edit-form")
    form.locator("input.name").fill("Mary Somerville")
    form.locator("textarea.notes").fill(TEXT)
    with page.expect_file_chooser() as chooser:
        form.locator(".image-div").dblclick()
    chooser.value.set_files(picture)
    expect(form.locator(".image-div img")).to_have_attribute("src", re.compile("static/files/"))
    expect_picture(form.locator(".image-div img"))
    with page.expect_file_chooser() as chooser:
        form.locator(".upload-btn").click()
    chooser.value.set_files(document)
    expect(form.locator("input.doc")).to_have_value("note.txt")
    with page.expect_popup() as popup:
        form.locator(".open-btn").click()
    expect(popup.value.locator("body")).to_contain_text("DROP TABLE")
    popup.value.close()
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    row = page.locator(".customers.view-form tr.inner", has_text="Mary Somerville")
    expect(row).to_contain_text("DROP TABLE")
    expect_picture(row.locator("td.photo img"))


def edit_the_customer(page: Page) -> None:
    page.click(".customers.view-form td.name:has-text('Mary')")
    page.click(".customers.view-form #edit-btn")
    form = page.locator(".customers.edit-form")
    expect(form.locator("textarea.notes")).to_have_value(TEXT)
    form.locator("input.email").fill("mary@example.com")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(page.locator(".customers.view-form")).to_contain_text("mary@example.com")


def filter_customers(page: Page) -> None:
    view = page.locator(".customers.view-form")
    view.locator(".search-btn").click()
    view.locator("th.name input").fill("Grace")
    expect(view.locator("tr.inner")).to_have_count(1)


def add_an_order(page: Page) -> None:
    page.click("#menu >> text='Orders'")
    page.click(".orders.view-form #new-btn")
    form = page.locator(".orders.edit-form")
    form.locator("input.customer ~ .last-btn").click()
    choose(page.locator(".modal .customers td.name", has_text="Grace Hopper"))
    expect(form.locator("input.customer")).to_have_value("Grace Hopper")
    form.locator(".Zebra_DatePicker_Icon").click()
    page.locator(".Zebra_DatePicker:visible td:has-text('15')").click()
    expect(form.locator("input.order_date")).to_have_value(re.compile(r"\d+/\d+/\d{4}"))
    form.locator("input.total").fill("12.5")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(page.locator(".orders.view-form")).to_contain_text("$12.50")


def print_the_report(page: Page) -> None:
    with page.expect_download() as download:
        page.click("#menu >> text='Customer list'")
    assert download.value.path().read_bytes()[:2] == b"PK"  # a spreadsheet is a zip file


def expect_picture(picture: Locator) -> None:
    """Wait until a picture is loaded: one that was refused has no size."""
    expect(picture).to_have_js_property("naturalWidth", 1)
