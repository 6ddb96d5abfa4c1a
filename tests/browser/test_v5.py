"""What people do with Jam.py v5 works behind every guard, and the browser says nothing."""

import base64
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from zipfile import is_zipfile

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support import v5
from support.projects import User, copy
from support.servers import run_server
from support.v5_project import ADMIN, CLERK
from support.visit import CHROMIUM, Visit, choose, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

#: a picture of one dot
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
TEXT: Final = "Anything <b>at all</b>; O'Brien's DROP TABLE customers -- ../../etc/passwd"


def test_all_that_users_do_works_and_the_console_stays_as_quiet_as_without_guards(
    browser: Browser, v5_project: Path, v5_python: Path, tmp_path: Path
) -> None:
    visits: dict[bool, Visit] = {}
    rows: dict[bool, Any] = {}
    for harden in (False, True):
        folder = copy(v5_project, tmp_path / f"project-{harden}")
        with (
            run_server(folder, "gunicorn", harden=harden, python=v5_python) as server,
            visit(browser) as visits[harden],
        ):
            use_application(visits[harden].page, server.url, tmp_path)
        rows[harden] = contents(folder)
    assert visits[True].violations == []
    assert visits[True].blamed <= visits[False].blamed, visits[True].errors
    assert rows[True] == rows[False]


def test_all_that_builders_do_works_as_well(
    browser: Browser, v5_project: Path, v5_python: Path, tmp_path: Path
) -> None:
    visits: dict[bool, Visit] = {}
    for harden in (False, True):
        folder = copy(v5_project, tmp_path / f"project-{harden}")
        with (
            run_server(folder, "gunicorn", harden=harden, python=v5_python) as server,
            visit(browser) as visits[harden],
        ):
            build(visits[harden].page, server.url)
    assert visits[True].violations == []
    assert visits[True].blamed <= visits[False].blamed, visits[True].errors


def test_the_first_start_of_a_new_project_works(
    browser: Browser, v5_python: Path, tmp_path: Path
) -> None:
    visits: dict[bool, Visit] = {}
    for harden in (False, True):
        folder = v5.empty_project(v5_python, tmp_path / f"project-{harden}")
        with (
            run_server(folder, "gunicorn", harden=harden, python=v5_python) as server,
            visit(browser) as visits[harden],
        ):
            set_up(visits[harden].page, server.url)
    assert visits[True].violations == []
    assert visits[True].blamed <= visits[False].blamed, visits[True].errors


def use_application(page: Page, url: str, folder: Path) -> None:
    page.goto(url)
    log_in(page, CLERK)
    expect(page.locator("#user-info")).to_contain_text("clerk")
    expect(page.locator(".orders.view-form")).to_contain_text("Ada Lovelace")
    add_a_customer(page, folder)
    edit_the_customer(page)
    search(page)
    add_an_order(page)
    with page.expect_download() as download:
        page.click("#menu >> text='Customer list'")
    assert download.value.path().read_bytes()[:2] == b"PK"  # a spreadsheet is a zip file
    page.click("#log-out")
    expect(page.locator(".modal #input-login")).to_be_visible()


def log_in(page: Page, user: User) -> None:
    page.fill(".modal #input-login", user.login)
    page.fill(".modal #input-password", user.password)
    page.click(".modal #login-btn")


def add_a_customer(page: Page, folder: Path) -> None:
    picture, document = folder / "dot.png", folder / "note.txt"
    picture.write_bytes(PNG)
    document.write_text(TEXT, "utf-8")
    page.click("#menu >> text='Customers'")
    page.click(".customers.view-form #new-btn")
    form = page.locator(".customers.edit-form")
    form.locator("input.name").fill("Mary Somerville")
    form.locator("textarea.notes").fill(TEXT)
    form.locator("input.num").fill("7")
    form.locator("input.price").fill("9.5")
    form.locator(".input-append:has(input.dat) .icon-calendar").click()
    page.locator(".datepicker:visible td.day:not(.old):not(.new)", has_text="15").click()
    expect(form.locator("input.dat")).to_have_value(re.compile(r"\d+/15/\d{4}"))
    with page.expect_file_chooser() as chooser:
        form.locator("div.photo img").dblclick()
    chooser.value.set_files(picture)
    expect(form.locator("div.photo img")).to_have_attribute("src", re.compile("static/files/"))
    expect_picture(form.locator("div.photo img"))
    with page.expect_file_chooser() as chooser:
        form.locator(".input-append:has(input.doc) .icon-file").click()
    chooser.value.set_files(document)
    expect(form.locator("input.doc")).to_have_value("note.txt")
    with page.expect_popup() as popup:
        form.locator(".input-append:has(input.doc) .icon-play").click()
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


def search(page: Page) -> None:
    view = page.locator(".customers.view-form")
    view.locator("#search-input").fill("O'B")
    expect(view.locator("tr.inner")).to_have_count(1)
    expect(view.locator("tr.inner")).to_contain_text("Grace")
    view.locator("#search-input").fill("")
    expect(view.locator("tr.inner")).to_have_count(4)


def add_an_order(page: Page) -> None:
    page.click("#menu >> text='Orders'")
    page.click(".orders.view-form #new-btn")
    form = page.locator(".orders.edit-form")
    form.locator("input.customer").press_sequentially("Grac")
    form.locator(".input-append:has(input.customer) .icon-folder-open").click()
    choose(page.locator(".modal .customers td.name", has_text="Grace O'Brien"))
    expect(form.locator("input.customer")).to_have_value("Grace O'Brien")
    form.locator("input.total").fill("12.5")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(page.locator(".orders.view-form")).to_contain_text("$12.50")


def expect_picture(picture: Locator) -> None:
    """Wait until a picture is loaded: one that was refused has no size."""
    expect(picture).to_have_js_property("naturalWidth", 1)


def contents(folder: Path) -> Any:
    """Return all rows, without the times that are in the names of uploaded files."""
    with closing(sqlite3.connect(folder / "demo5.sqlite")) as database:
        tables = ("DEMO5_CUSTOMERS", "DEMO5_ORDERS", "DEMO5_LINES")
        rows = [database.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    return re.sub(r"_\d{4}-\d\d-\d\d_[\d_-]+", "", repr(rows))


def build(page: Page, url: str) -> None:
    page.goto(f"{url}/builder.html")
    form = page.locator(".modal #login-form")
    form.locator("[name=username]").fill(ADMIN.login)
    form.locator("[name=password]").fill(ADMIN.password)
    form.locator("#login-btn").click()
    expect(page.locator("#view-panel")).to_contain_text("demo5.sqlite")
    write_code(page)
    edit_an_item(page)
    with page.expect_download() as download:
        select(page, "Project").click()
        page.click("#btns-panel .export")
    assert is_zipfile(download.value.path())
    page.click("#log-out")
    expect(page.locator(".modal #login-form")).to_be_visible()


def select(page: Page, name: str) -> Locator:
    """Return a node of the tree."""
    return page.locator("#tree-panel .tree-text", has_text=re.compile(f"^{name}$"))


def write_code(page: Page) -> None:
    """Type into the code editor, and save."""
    select(page, "Task").click()
    page.click("#btns-panel .server_module")
    page.click("#editor .ace_content")
    page.keyboard.press("Control+Home")
    page.keyboard.type("GREETING = 5\n")
    with page.expect_response("**/api") as answer:
        page.keyboard.press("Control+s")
    assert answer.value.json()["result"]["data"][0]["error"] == ""
    page.click("#task-tabs #admin")
    select(page, "Task").click()
    page.click("#btns-panel .client_module")
    expect(page.locator("#editor")).to_contain_text("function on_page_loaded")
    page.click("#task-tabs #admin")


def edit_an_item(page: Page) -> None:
    select(page, "Catalogs").click()
    page.click("#view-panel td:has-text('customers')")
    page.click("#view-panel #edit-btn")
    item = page.locator(".sys_items.edit-form")
    item.locator("input.f_name").fill("People")
    item.locator("#ok-btn").click()
    expect(item).to_have_count(0)
    expect(page.locator("#view-panel")).to_contain_text("People")


def set_up(page: Page, url: str) -> None:
    """Answer Jam.py's wizard, without a login, and open the application that it makes."""
    page.goto(f"{url}/builder.html")
    form = page.locator(".sys_params.edit-form")
    form.locator(".input-append:has(input.f_language) .btn").last.click()
    choose(page.locator(".modal td.f_name", has_text="English"))
    form.locator("#ok-btn").click()
    form = page.locator(".sys_tasks.edit-form")
    form.locator("input.f_name").fill("First")
    form.locator("input.f_item_name").fill("first")
    form.locator(".input-append:has(input.f_db_type) .btn").last.click()
    page.locator("li a:visible", has_text="Sqlite").click()
    form.locator("input.f_alias").fill("first.sqlite")
    form.locator("#ok-btn").click()
    expect(select(page, "Catalogs")).to_be_visible()
    application = page.context.new_page()
    application.goto(url)
    expect(application).to_have_title("First")
