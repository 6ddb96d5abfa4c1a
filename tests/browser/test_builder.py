"""The Application Builder works behind every guard, from the very first start."""

from pathlib import Path
from zipfile import is_zipfile

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.projects import empty_project
from support.servers import run_server
from support.visit import CHROMIUM, Visit, choose, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

#: rows of the tree, in an order that no language changes
PROJECT, TASK, CATALOGS = 0, 3, 6


def test_a_project_is_built_from_nothing_and_the_console_stays_as_quiet_as_without_guards(
    browser: Browser, tmp_path: Path
) -> None:
    visits: dict[bool, Visit] = {}
    for harden in (False, True):
        folder = empty_project(tmp_path / f"project-{harden}")
        with (
            run_server(folder, "gunicorn", harden=harden) as server,
            visit(browser) as visits[harden],
        ):
            build(visits[harden].page, server.url, tmp_path)
    assert visits[True].violations == []
    assert visits[True].blamed <= visits[False].blamed, visits[True].errors


def build(page: Page, url: str, folder: Path) -> None:
    set_up(page, url)
    write_code(page)
    make_an_item(page)
    archive = export(page, folder)
    import_it(page, archive)
    # and here is the application that was built; the builder's own page loads itself again
    # after an import, some time
    application = page.context.new_page()
    application.goto(url)
    expect(application.locator("#menu")).to_contain_text("Things")


def set_up(page: Page, url: str) -> None:
    """Answer Jam.py's wizard of the first start."""
    page.goto(f"{url}/builder.html")
    form = page.locator(".sys_params.edit-form")
    form.locator("input.f_language ~ .last-btn").click()
    choose(page.locator(".modal.show td.f_name", has_text="English en-US"))
    form.locator("#ok-btn").click()
    form = page.locator(".sys_tasks.edit-form")
    form.locator("input.f_name").fill("First")
    form.locator("input.f_item_name").fill("first")
    form.locator("input.f_db_type ~ .last-btn").click()
    page.locator("li a:visible", has_text="Sqlite").click()
    form.locator("input.f_alias").fill("first.sqlite")
    form.locator("#ok-btn").click()
    expect(node(page, TASK)).to_be_visible()


def write_code(page: Page) -> None:
    """Type into the code editor, whose scripts run in a worker of its own, and save."""
    node(page, TASK).click()
    page.click("#btns-panel .server_module")
    page.click(".monaco-editor .view-lines")
    page.keyboard.type("def hi(task):\n")
    page.keyboard.type("return 'hi'")
    expect(page.locator(".monaco-editor .view-lines")).to_contain_text("def")
    assert page.workers
    with page.expect_response("**/api") as answer:
        page.keyboard.press("Control+s")
    assert answer.value.json()["error"] is None
    page.click("#task-tabs #admin")
    node(page, TASK).click()
    with page.expect_worker():  # another one, for JavaScript
        page.click("#btns-panel .client_module")
    page.click("#task-tabs #admin")


def make_an_item(page: Page) -> None:
    node(page, CATALOGS).click()
    page.click("#view-panel #new-btn")
    item = page.locator(".sys_items.edit-form")
    item.locator("input.f_name").fill("Things")
    item.locator("input.f_item_name").fill("things")
    item.locator("#new-btn").click()
    field = page.locator(".modal.show", has=page.locator("#sys_fields-f_name-id"))
    field.locator("input.f_field_name").fill("colour")
    field.locator("input.f_name").fill("Colour")
    field.locator("input.f_data_type ~ .last-btn").click()
    page.locator("li a:visible", has_text="TEXT").first.click()
    field.locator("input.f_size").fill("20")
    field.locator("#ok-btn").click()
    expect(field).to_have_count(0)
    item.locator("#ok-btn").click()
    expect(item).to_have_count(0)
    expect(page.locator("#view-panel")).to_contain_text("Things")


def export(page: Page, folder: Path) -> Path:
    node(page, PROJECT).click()
    with page.expect_download() as download:
        page.click("#btns-panel .export")
    archive = folder / "export.zip"
    download.value.save_as(archive)
    assert is_zipfile(archive)
    return archive


def import_it(page: Page, archive: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#btns-panel .import")
    chooser.value.set_files(archive)
    result = page.locator(".modal.show", has_text="Import")
    expect(result).to_be_visible()
    result.get_by_role("button", name="OK").click()


def node(page: Page, number: int) -> Locator:
    return page.locator(f"#tree-panel li[data-rec='{number}'] > div .tree-text")
