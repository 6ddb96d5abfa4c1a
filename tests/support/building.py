"""What a developer does in the Application Builder, step by step: `STEPS`, in their order.

By mouse and keyboard, on this computer, in the shop of `support.shop`.
"""

import re
from collections.abc import Sequence
from typing import Final

from playwright.sync_api import Locator, Page, expect

from support.projects import ADMIN
from support.workout import At, Chosen, Listed, Step, fill, row_of

#: rows of the tree
PROJECT, USERS, ROLES, TASK, CATALOGS, REPORTS = 0, 1, 2, 3, 6, 7


def log_in(at: At) -> None:
    page = at.page
    page.goto(f"{at.url}/builder.html")
    page.fill("#login", ADMIN.login)
    page.fill("#password", ADMIN.password)
    page.click("#togglePassword")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.click("button[type=submit]")
    expect(node(page, TASK)).to_be_visible()
    at.settle()


def write_code(at: At) -> None:
    """Write into both editors, whose scripts run in workers of their own, and save."""
    page = at.page
    node(page, TASK).click()
    for kind, code in (("server", "def hi(task): return 'hi'"), ("client", "// nothing")):
        with page.expect_worker():
            page.click(f"#btns-panel .{kind}_module")
        page.click(".monaco-editor:visible .view-lines")
        page.keyboard.press("Control+End")
        page.keyboard.insert_text("\n" + code)  # at once: the editor completes what is typed
        with page.expect_response("**/api") as answer:
            page.keyboard.press("Control+s")
        assert answer.value.json()["error"] is None
        page.click("#task-tabs #admin")
    page.reload()  # Jam.py's grids take no clicks after the editors were shown
    expect(node(page, TASK)).to_be_visible()
    at.settle()


def add_a_field(at: At) -> None:
    item = edit(at, CATALOGS, "Tags")
    item.locator("#new-btn").click()
    field = modal(at.page, "Caption")
    field.locator("input.f_field_name").fill("colour")
    field.locator("input.f_name").fill("Colour")
    fill(at, row_of(field, "Type"), Listed("TEXT"))
    field.locator("input.f_size").fill("20")
    field.locator("#ok-btn").click()
    expect(item.locator("td.f_field_name", has_text="colour")).to_be_visible()
    item.locator("#ok-btn").click()
    expect(item).to_have_count(0)
    at.settle()


def set_up_forms(at: At) -> None:
    """Move fields between the lists of what is shown, and of the order."""
    choose_item(at, "Products")
    for button, sides in (
        ("viewing", ("left-btn", "right-btn")),
        ("editing", ("left-btn",)),
        ("order", ("right-btn",)),
        ("reports", ("right-btn",)),
        ("details", ("right-btn",)),
    ):
        dialog = press(at, button)
        for side in sides:
            dialog.locator(f"#{side}").first.click()
        dialog.locator("#ok-btn").click()
        expect(dialog).to_have_count(0)
        at.settle()


def change_filters_and_indices(at: At) -> None:
    choose_item(at, "Products")
    dialog = press(at, "filters")
    dialog.locator("tr.inner").first.click()
    dialog.locator("#edit-btn").click()
    form = at.page.locator(".sys_filters.edit-form")
    form.locator("input.f_name").fill("is <b>called</b>")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    dialog.locator("tr.inner").last.click()
    dialog.locator("#delete-btn").click()
    say_yes(at)
    close(dialog)
    dialog = press(at, "indices")
    dialog.locator("#new-btn").click()
    form = at.page.locator(".sys_fields_editor.view-form")
    form.locator("tr.inner", has_text="price").click()
    form.locator("#left-btn").click()
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    at.see("indices", dialog.locator("td.f_index_name").all_inner_texts())
    close(dialog)


def change_privileges(at: At) -> None:
    dialog = press(at, "privileges")
    dialog.locator("td.f_can_delete").first.dblclick()
    at.settle()
    dialog.locator("#unselect-all-btn").click()
    at.settle()
    dialog.locator("#select-all-btn").click()
    at.settle()
    close(dialog)


def add_a_role_and_a_user(at: At) -> None:
    page = at.page
    node(page, ROLES).click()
    page.click("#view-panel #new-btn")
    form = page.locator(".sys_roles.edit-form")
    form.locator("input.f_name").fill("readers")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    at.settle()
    node(page, USERS).click()
    page.click("#view-panel #new-btn")
    form = page.locator(".sys_users.edit-form")
    form.locator("input.f_name").fill("Reader O'Brien")
    form.locator("input.f_login").fill("reader")
    form.locator("input.f_password").fill("a 'new' \"word\"")
    fill(at, row_of(form, "Role"), Chosen("sys_roles", "readers"))
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(page.locator("#view-panel")).to_contain_text("Reader O'Brien")
    at.settle()


def change_a_lookup_list(at: At) -> None:
    node(at.page, TASK).click()
    dialog = press(at, "lookup_lists")
    dialog.locator("tr.inner").first.click()
    dialog.locator("#edit-btn").click()
    form = at.page.locator(".sys_lookup_lists.edit-form")
    form.locator("input.f_name").fill("all sizes")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    close(dialog)


def change_a_report(at: At) -> None:
    page = at.page
    node(page, REPORTS).click()
    page.locator("#view-panel tr.inner", has_text="Price list").click()
    dialog = press(at, "report_params")
    dialog.locator("tr.inner").first.click()
    dialog.locator("#edit-btn").click()
    form = page.locator(".sys_report_params.edit-form")
    form.locator("input.f_name").fill("Heading")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    close(dialog)
    dialog = press(at, "report_templates")
    expect(dialog).to_contain_text("custlist.ods")
    close(dialog)


def change_parameters(at: At) -> None:
    page = at.page
    node(page, PROJECT).click()
    form = press(at, "project_params")
    form.locator("input.f_timeout").fill("40000")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    form = press(at, "db")
    form.locator("#cancel-btn").click()
    expect(form).to_have_count(0)


def find_and_print(at: At) -> None:
    page = at.page
    dialog = press(at, "find")
    dialog.locator("input.find_text").fill("on_generate")
    dialog.locator("#ok-btn").click()
    at.settle()
    result = page.locator(".modal.show", has_text="Search result")
    at.see("found", result.inner_text())
    result.locator("button", has_text="Close").click()
    expect(result).to_have_count(0)
    close(page.locator(".sys_search.edit-form"))
    page.click("#btns-panel .print")
    code = page.locator(".modal.show", has_text="on_generate")
    expect(code).to_be_visible()
    code.locator(".btn-close").click()
    expect(code).to_have_count(0)


def export_and_import(at: At) -> None:
    page = at.page
    node(page, PROJECT).click()
    with page.expect_download() as download:
        page.click("#btns-panel .export")
    archive = at.folder / "export.zip"
    download.value.save_as(archive)
    with page.expect_file_chooser() as chooser:
        page.click("#btns-panel .import")
    chooser.value.set_files(archive)
    result = page.locator(".modal.show", has_text="Import")
    expect(result).to_be_visible()
    result.get_by_role("button", name="OK").click()


def log_out(at: At) -> None:
    at.page.goto(f"{at.url}/builder.html")
    at.page.click("#log-out")
    expect(at.page.locator("#togglePassword")).to_be_visible()


def node(page: Page, number: int) -> Locator:
    return page.locator(f"#tree-panel li[data-rec='{number}'] > div .tree-text")


def modal(page: Page, text: str) -> Locator:
    return page.locator(".modal.show", has_text=text).last


def choose_item(at: At, name: str, group: int = CATALOGS) -> None:
    node(at.page, group).click()
    at.settle()
    row = at.page.locator("#view-panel tr.inner", has_text=name)
    row.click()
    expect(row).to_have_class(re.compile("selected"))
    at.settle()


def edit(at: At, group: int, name: str) -> Locator:
    choose_item(at, name, group)
    at.page.click("#view-panel #edit-btn")
    return at.page.locator(".sys_items.edit-form")


def press(at: At, button: str) -> Locator:
    """Press a button of the panel at the right; return the dialog that it opens."""
    at.page.click(f"#btns-panel .{button}")
    dialog = at.page.locator(".modal.show .jam-form").last
    expect(dialog).to_be_visible()
    at.settle()
    return dialog


def close(dialog: Locator) -> None:
    dialog.locator(".close-form-btn").first.click()
    expect(dialog).to_have_count(0)


def say_yes(at: At) -> None:
    at.page.locator(".modal:visible .btn", has_text="Yes").click()
    at.settle()


STEPS: Final[Sequence[Step]] = (
    log_in,
    write_code,
    set_up_forms,
    change_filters_and_indices,
    change_privileges,
    add_a_role_and_a_user,
    change_a_lookup_list,
    change_a_report,
    add_a_field,  # late: Jam.py's grid of items takes no click after it
    change_parameters,
    find_and_print,
    export_and_import,
    log_out,
)
