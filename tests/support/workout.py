"""What a person does all day in a Jam.py application, step by step: `STEPS`, in their order.

By mouse and keyboard, in the shop of `support.shop`. The steps that say so go through the
client's own JavaScript objects, as a project's own client code does: there is nothing in
the templates of a new project to click at.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
from playwright.sync_api import Locator, Page, expect

from support.projects import CLERK, User
from support.shop import CUSTOMERS, FILTERS, GUEST
from support.visit import choose

#: a picture of one dot
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
TEXT: Final = "Anything <b>at all</b>; DROP TABLE customers -- ../../etc/passwd"
#: quotes, SQL, tags, a template's marks, other alphabets, an emoji
NASTY: Final = "O'Brien's \"best\" \\' 1=1; SELECT * FROM x -- <i>a</i> %s {{7*7}} Łódź 東京 🥜"
LONG: Final = (TEXT + " ' or 1=1 🥜\n") * 1300  # 100 kB

#: what plain Jam.py's server cannot read, or its database: the form stays open
UNFILTERED: Final = frozenset(
    {"name in", "price in", "made in", "size in", "origin in", "origin not_in"}
)


@attrs.frozen
class Listed:
    """A line of a list that drops down."""

    text: str


@attrs.frozen
class Chosen:
    """A record of another item, chosen from its grid."""

    item: str
    text: str


@attrs.frozen
class Ticked:
    """Several records of another item, ticked in its grid."""

    item: str
    texts: Sequence[str]


#: what a new product gets
PRODUCT: Final[Mapping[str, str | Listed | Chosen | Ticked]] = {
    "Name": NASTY,
    "Price": "1234.5",
    "Made": "01/31/2026",
    "Added": "02/28/2026 23:59",
    "Size": Listed("Large"),
    "Supplier": Chosen("customers", "Łukasz"),
    "Tags": Ticked("tags", ["new", "O'Tag"]),
    "Notes": LONG,
}

#: opens a copy of the products and returns what is in it
OPEN: Final = """options => {
    const item = task.products.copy({handlers: false}), rows = [];
    item.open(options);
    item.each(i => { rows.push(i.fields.map(field => field.data)); });
    return rows;
}"""
WHERES: Final[Mapping[str, Sequence[Any]]] = {
    **{f"name__{kind}": [NASTY, "Product 07 of steel", "7"] for kind in FILTERS[:6]},
    **{f"name__{kind}": [NASTY, "of steel", "09 %_"] for kind in FILTERS[10:]},
    **{f"price__{kind}": [6] for kind in FILTERS[:6]},
    **{f"supplier__{kind}": [[1, 2, 3], [4], []] for kind in ("in", "not_in")},
    "price__range": [[3, 6.5]],
    "made__range": [["2026-01-05", "2026-01-06"]],
    "added__ge": ["2026-02-28 09:00:00"],
    "notes__isnull": [True, False],
    "sold": [True],
    "tags__contains": ["1"],
}


#: counts the calls under way in a page; jQuery's own count is lost when a callback throws
COUNTER: Final = """
window.underWay = 0
const send = XMLHttpRequest.prototype.send
XMLHttpRequest.prototype.send = function(body) {
    window.underWay += 1
    this.addEventListener('loadend', () => { window.underWay -= 1 })
    return send.call(this, body)
}"""

#: not by Playwright's own waiting, which evaluates texts in the page: its policy forbids that
SETTLED: Final = """() => new Promise(done => {
    const look = () => window.underWay ? setTimeout(look, 10) : done()
    look()
})"""


@attrs.frozen
class At:
    """Where a step works."""

    page: Page
    url: str
    #: where it may leave files
    folder: Path
    #: what was seen: the same without and with jamguard
    seen: list[Any] = attrs.field(factory=list[Any])

    def open(self, group: str, item: str) -> Locator:
        """Open an item from the menu; return its form."""
        self.page.click(f"#menu >> text='{group}'")
        self.page.click(f"#menu >> text='{item}'")
        form = self.page.locator(f".{item.lower().replace(' ', '')}.view-form")
        expect(form).to_be_visible()
        self.settle()
        return form

    def settle(self) -> None:
        """Wait until no call is under way."""
        self.page.evaluate(SETTLED)

    def see(self, what: str, seen: Any) -> None:
        self.seen.append([what, seen])

    def script(self, code: str) -> Any:
        """Run the body of a function in the page."""
        return self.page.evaluate(f"() => {{ {code} }}")


Step = Callable[[At], None]


#: label of a filter -> what to fill in
FILTERED: Final[Mapping[str, Sequence[str | Listed | Chosen | Ticked]]] = {
    "name eq": ["Product 07 of steel"],
    "name ne": ["O'Brien"],
    "name in": ["Product 07 of steel"],
    "name exact": ["Product 09 %_"],
    "name contains": ["9 %_"],
    "name startwith": ["Product 1"],
    "name endwith": ["steel"],
    "name contains_all": ["steel 11"],
    "price in": ["4.5"],
    "price lt": ["4"],
    "price le": ["4.5"],
    "price gt": ["87"],
    "price ge": ["87"],
    "price range": ["6", "7.5"],
    "made in": ["01/05/2026"],
    "made range": ["01/05/2026", "01/06/2026"],
    "added ge": ["02/28/2026 09:00"],
    "sold eq": [Listed("No")],
    "size eq": [Listed("Medium")],
    "size in": [Listed("Small"), Listed("Large")],
    "origin eq": [Chosen("countries", "O'Brien's")],
    "origin in": [Ticked("countries", ["Germany", "O'Brien's"])],
    "origin not_in": [Ticked("countries", ["Germany"])],
    "supplier in": [Ticked("customers", ["Grace", "Customer 0005"])],
    "supplier not_in": [Ticked("customers", ["Ada", "Grace"])],
    "notes isnull": [Listed("Yes")],
    "notes contains": ["on 5"],
}


def log_in(at: At, user: User = CLERK) -> None:
    page = at.page
    page.goto(at.url)
    expect(page).to_have_url(f"{at.url}/login.html")
    page.fill("#login", user.login)
    page.fill("#password", user.password)
    page.click("#toggle-password-visibility")  # by the page's inline script
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.click("button[type=submit]")
    expect(page.locator("#user-info")).to_contain_text(user.login, ignore_case=True)
    at.settle()


def turn_pages_of_a_thousand_rows_and_sort_them(at: At) -> None:
    form = at.open("Catalogs", "Customers")
    first = form.locator("td.name").first
    expect(first).to_contain_text("Ada Lovelace")
    form.locator(".pg-btn-last").click()
    expect(form.locator("td.name").last).to_contain_text(f"Customer {CUSTOMERS:04}")
    form.locator(".pg-btn-prior").click()
    at.settle()
    form.locator(".pagination-input").fill("3")
    form.locator(".pagination-input").press("Enter")
    expect(first).to_contain_text("Customer 0027")
    form.locator("thead th.name").click()
    expect(first).to_contain_text("Ada Lovelace")
    form.locator("thead th.name").click()
    expect(first).to_contain_text("Łukasz Święty")
    form.locator("thead th.email").click(modifiers=["Control"])
    expect(first).to_contain_text("Łukasz Święty")
    at.settle()


def search_in_columns(at: At) -> None:
    form = at.page.locator(".customers.view-form")
    form.locator(".search-btn").click()
    search = form.locator("thead th.name input")
    for text, rows in (("Grace", 1), ("Customer 0123", 1), ("O'Brien \"--", 0), ("100% _", 0)):
        with at.page.expect_response("**/api"):  # not before the fingers rest
            search.fill(text)
        expect(form.locator("tr.inner")).to_have_count(rows)
    search.fill("")
    expect(form.locator("td.name").first).to_contain_text("Łukasz Święty")
    at.settle()


def filter_by_every_type(at: At) -> None:
    form = at.open("Catalogs", "Products")
    for label, values in FILTERED.items():
        form.locator(".form-header-filters-btn").click()
        dialog = at.page.locator(".products.filter-form")
        for number, value in enumerate(values):
            ends = ("from", "to")[number] if label.endswith("range") else ""
            fill(at, row_of(dialog, f"{label} {ends}".rstrip()), value)
        dialog.locator("#ok-btn").click()
        at.settle()
        if label in UNFILTERED:  # behind jamguard some of them work
            at.script("try { task.products.close_filter_form() } catch { /* it is closed */ }")
        else:
            at.see(label, drawn(form.locator("td.name")))
        expect(dialog).to_have_count(0)
        at.script("task.products.clear_filters()")
    form.locator(".form-header-filters-btn").click()
    at.page.locator(".products.filter-form #ok-btn").click()
    expect(form.locator("tr.inner")).to_have_count(13)


def drawn(cells: Locator) -> list[str]:
    """Return the texts of a grid when it has come to rest: it is drawn in steps."""
    texts, calm = cells.all_inner_texts(), 0
    while calm < 3:
        cells.page.wait_for_timeout(150)
        before, texts = texts, cells.all_inner_texts()
        calm = calm + 1 if texts == before else 0
    return texts


def edit(view: Locator, text: str) -> None:
    """Open the form of the record that shows `text`."""
    view.locator("tr.inner", has_text=text).click()
    view.locator("#edit-btn").last.click()


def delete(view: Locator, text: str) -> None:
    """Delete the record that shows `text`, and say yes."""
    view.locator("tr.inner", has_text=text).click()
    view.locator("#delete-btn").last.click()
    view.page.locator(".modal:visible .btn", has_text="Yes").click()


def row_of(form: Locator, label: str) -> Locator:
    exact = re.compile(rf"^{label}[ *]*$")
    return form.locator(".row.mb-2").filter(has=form.page.locator("label", has_text=exact))


def fill(at: At, row: Locator, value: Any) -> None:
    """Fill one field of a form as its kind is filled."""
    if isinstance(value, str):
        box = row.locator("input, textarea")
        box.fill(value)
        box.press("Tab")
    elif isinstance(value, Listed):
        row.locator(".last-btn").click()
        at.page.locator("li a:visible", has_text=value.text).first.click()
    elif isinstance(value, Chosen):
        row.locator(".last-btn").click()
        choose(at.page.locator(f".modal .{value.item} tr.inner td", has_text=value.text))
    else:
        row.locator(".last-btn").click()
        dialog = at.page.locator(f".modal .{value.item}.view-form")
        for text in value.texts:
            dialog.locator("tr.inner", has_text=text).locator("input.multi-select").click()
        dialog.locator(".close-form-btn").click()
        expect(dialog).to_have_count(0)


def add_a_product_with_every_kind_of_field(at: At) -> None:
    page = at.page
    picture, document = at.folder / "dot.png", at.folder / "a note & more.txt"
    picture.write_bytes(PNG)
    document.write_text(TEXT, "utf-8")
    view = at.open("Catalogs", "Products")
    view.locator("#new-btn").click()
    form = page.locator(".products.edit-form")
    for label, value in PRODUCT.items():
        fill(at, row_of(form, label), value)
    form.locator("input.sold").click()
    origin = form.locator("input.origin")
    origin.press_sequentially("Pol", delay=20)  # completed from what is in the database
    page.locator(".typeahead a:visible", has_text="Polska").click()
    expect(origin).to_have_value("Polska")
    with page.expect_file_chooser() as chooser:
        form.locator(".image-div").dblclick()
    chooser.value.set_files(picture)
    expect(form.locator(".image-div img")).to_have_attribute("src", re.compile("static/files/"))
    expect_picture(form.locator(".image-div img"))
    with page.expect_file_chooser() as chooser:
        form.locator(".upload-btn").click()
    chooser.value.set_files(document)
    expect(form.locator("input.doc")).to_have_value(document.name)
    with page.expect_popup() as popup:
        form.locator(".open-btn").click()
    expect(popup.value.locator("body")).to_contain_text("DROP TABLE")
    popup.value.close()
    with page.expect_download() as download:
        form.locator(".download-btn").click()
    assert download.value.path().read_text("utf-8") == TEXT
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    row = view.locator("tr.inner", has_text="{{7*7}}")
    expect_picture(row.locator("td.photo img"))
    at.see("new product", row.locator("td").all_inner_texts())


def edit_it_in_vain_and_then_for_good(at: At) -> None:
    view, form = (at.page.locator(f".products.{kind}-form") for kind in ("view", "edit"))
    row = view.locator("tr.inner", has_text="{{7*7}}")
    row.locator("td.name").click()
    view.locator("#edit-btn").click()
    expect(form.locator("input.name")).to_have_value(NASTY)
    assert form.locator("textarea.notes").input_value() == LONG
    form.locator("input.name").fill("not this")
    form.locator("#cancel-btn").click()
    expect(form).to_have_count(0)
    row.locator("td.name").click()
    at.page.keyboard.press("Enter")
    fill(at, row_of(form, "Price"), "3.25")
    fill(at, row_of(form, "Size"), Listed("Small"))
    fill(at, row_of(form, "Tags"), Ticked("tags", ["cheap"]))
    at.page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    expect(row).to_contain_text("3.25")


def delete_a_product(at: At) -> None:
    view = at.page.locator(".products.view-form")
    delete(view, "Product 02")
    expect(view.locator("td.name", has_text="Product 02")).to_have_count(0)


def keep_countries_by_their_codes(at: At) -> None:
    """Add, change and delete a record whose primary key is a text."""
    view = at.open("Catalogs", "Countries")
    form = at.page.locator(".countries.edit-form")
    view.locator("#new-btn").click()
    form.locator("input.code").fill("fr")
    form.locator("input.name").fill("Frankreich")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    edit(view, "Frankreich")
    form.locator("input.name").fill("France -- l'Hexagone")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(view).to_contain_text("l'Hexagone")
    delete(view, "Germany")
    expect(at.page.get_by_text("It's being used")).to_be_visible()  # by products
    delete(view, "l'Hexagone")
    expect(view.locator("td.name", has_text="l'Hexagone")).to_have_count(0)


def order_with_details(at: At) -> None:
    page = at.page
    view = at.open("Journals", "Orders")
    view.locator("#new-btn").click()
    form = page.locator(".orders.edit-form")
    fill(at, row_of(form, "Customer"), Chosen("customers", "Grace Hopper"))
    form.locator(".Zebra_DatePicker_Icon").click()
    page.locator(".Zebra_DatePicker:visible td:has-text('15')").click()
    expect(form.locator("input.order_date")).to_have_value(re.compile(r"\d+/\d+/\d{4}"))
    fill(at, row_of(form, "Date"), "07/15/2026")  # not one that depends on today
    fill(at, row_of(form, "Total"), "12.5")
    for product, quantity in (("Product 03", "2"), ("Product 04", "5")):
        add_a_line(at, form, product, quantity)
    form.get_by_role("tab", name="Payments").click()
    form.locator(".orders-payments.view-form #new-btn").click()
    payment = page.locator(".orders-payments.edit-form")
    fill(at, row_of(payment, "Paid on"), "07/20/2026")
    fill(at, row_of(payment, "Amount"), "6.25")
    payment.locator("#ok-btn").click()
    expect(payment).to_have_count(0)
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(view).to_contain_text("$12.50")
    at.settle()


def add_a_line(at: At, form: Locator, product: str, quantity: str) -> None:
    form.locator(".orders-lines.view-form #new-btn").click()
    line = at.page.locator(".orders-lines.edit-form")
    fill(at, row_of(line, "Product"), Chosen("products", product))
    fill(at, row_of(line, "Quantity"), quantity)
    line.locator("#ok-btn").click()
    expect(line).to_have_count(0)


def change_its_details(at: At) -> None:
    page = at.page
    view, form = (page.locator(f".orders.{kind}-form") for kind in ("view", "edit"))
    edit(view, "$12.50")
    fill(at, row_of(form, "Total"), "13.5")
    lines = form.locator(".orders-lines.view-form")
    expect(lines.locator("tr.inner")).to_have_count(2)
    edit(lines, "Product 04")
    line = page.locator(".orders-lines.edit-form")
    fill(at, row_of(line, "Quantity"), "7")
    line.locator("#ok-btn").click()
    expect(line).to_have_count(0)
    delete(lines, "Product 03")
    expect(lines.locator("tr.inner")).to_have_count(1)
    add_a_line(at, form, "Product 05", "1")
    form.locator("#ok-btn").click()
    expect(form).to_have_count(0)
    expect(view).to_contain_text("$13.50")
    at.settle()


def look_at_its_history(at: At) -> None:
    view = at.page.locator(".orders.view-form")
    view.locator("tr.inner", has_text="$13.50").locator("td.customer").click()
    view.locator(".form-header-history-btn button").click()
    history = at.page.locator(".modal:visible", has_text="History")
    expect(history).to_contain_text("Total")
    at.settle()
    history.locator(".btn-close").first.click()


def show_the_orders_that_are_ticked(at: At) -> None:
    view = at.page.locator(".orders.view-form")
    for text in ("$80.00", "$42.00"):
        view.locator("tr.inner", has_text=text).locator("input.multi-select").click()
    view.locator("th.multi-select .dropdown-toggle, th.multi-select [data-bs-toggle]").click()
    at.page.locator("a:visible", has_text="Show selected").click()
    expect(view.locator("tr.inner")).to_have_count(2)
    at.settle()
    at.see("sums", view.locator("tfoot").inner_text())


def print_reports(at: At) -> None:
    page = at.page
    with page.expect_download() as download:
        page.click("#menu >> text='Reports'")
        page.click("#menu >> text='Customer list'")
    assert download.value.path().read_bytes()[:2] == b"PK"  # a spreadsheet is a zip file
    page.click("#menu >> text='Reports'")
    page.click("#menu >> text='Price list'")
    form = page.locator(".pricelist.param-form")
    fill(at, row_of(form, "Title"), NASTY)
    fill(at, row_of(form, "Since"), "01/05/2026")
    fill(at, row_of(form, "Tags"), Ticked("tags", ["cheap", "O'Tag"]))
    form.locator("#extension").select_option("ods")
    with page.expect_download() as download:
        form.locator("#ok-btn").click()
    assert download.value.path().read_bytes()[:2] == b"PK"
    form.locator("#cancel-btn").click()
    expect(form).to_have_count(0)


def ask_in_every_way_that_scripts_have(at: At) -> None:
    """By the client's objects: `where`, grouping, sums, one page of rows."""
    for name, values in WHERES.items():
        for value in values:
            answer = at.page.evaluate(OPEN, {"where": {name: value}, "order_by": ["-id"]})
            at.see(f"{name}={value}", answer)
    for function in ("sum", "avg", "min", "max", "count"):
        grouped = {
            "fields": ["size", "price", "id"],
            "funcs": {"price": function, "id": "count"},
            "group_by": ["size"],
            "order_by": ["size"],
        }
        at.see(function, at.page.evaluate(OPEN, grouped))
    pages: Sequence[Mapping[str, Any]] = (
        {"fields": ["id", "name"], "limit": 5, "offset": 10},
        {"expanded": False, "order_by": ["origin", "-price"], "limit": 5},
        {"where": {}, "open_empty": True},
    )
    for how in pages:
        at.see(str(how), at.page.evaluate(OPEN, how))


def call_server_functions(at: At) -> None:
    """By the client's objects: nested arguments, no arguments, errors."""
    nested = {"a": [1, 2.5, None, True, {"b": NASTY}], "é": [[["x"]]], "n": -(2**53) + 1}
    at.see("echo", at.page.evaluate("v => task.customers.server('echo', [v, 'x', []])", nested))
    at.see("hello", at.script("return task.customers.server('hello', ['Bob'])"))
    at.see("ping", at.script("return task.server('ping')"))
    later = "v => new Promise(done => task.customers.server('echo', [v], done))"
    at.see("later", at.page.evaluate(later, nested))
    for name in ("boom", "nope"):
        caught = f"try {{ task.customers.server('{name}') }} catch (error) {{ return '' + error }}"
        at.see(name, at.script(caught))
        at.script(f"task.customers.server('{name}', [], function() {{}})")  # nobody catches it
        at.settle()


def work_in_two_tabs(at: At) -> None:
    """Change one record in both: the second is told, or wins, as Jam.py has it."""
    other = attrs.evolve(at, page=at.page.context.new_page())
    other.page.goto(at.url)
    other.settle()
    for tab in (at, other):
        tab.page.bring_to_front()
        form = tab.open("Catalogs", "Tags")
        edit(form, "red")
        expect(tab.page.locator(".tags.edit-form")).to_be_visible()
    for number, tab in enumerate((at, other)):
        tab.page.bring_to_front()
        tab.page.locator(".tags.edit-form input.name").fill(f"red {number}")
        tab.page.locator(".tags.edit-form #ok-btn").click()
        tab.settle()
        tab.see("form stays", tab.page.locator(".tags.edit-form").count())
    other.page.close()


def come_back_after_the_session_has_ended(at: At) -> None:
    at.page.context.clear_cookies()
    at.page.locator(".tags.view-form .refresh-btn").click()
    expect(at.page.locator("#password")).to_be_visible()
    log_in(at)


def ask_without_any_right(at: At) -> None:
    """As a user whose role has no rights: the menu is empty, scripts are told no."""
    log_in(at, GUEST)
    at.see("menu", at.page.locator("#menu").inner_text())
    for code in (
        "return task.customers.open()",
        "let c = task.tags.copy(); c.open({open_empty: true}); c.append(); c.post(); c.apply()",
        "return task.customers.server('hello', ['Bob'])",
    ):
        at.see(code, at.script(f"try {{ {code} }} catch (error) {{ return '' + error }}"))


def log_out(at: At) -> None:
    at.page.click("#log-out")
    expect(at.page.locator("#admin-login-form")).to_be_visible()


def expect_picture(picture: Locator) -> None:
    """Wait until a picture is loaded: one that was refused has no size."""
    expect(picture).to_have_js_property("naturalWidth", 1)


STEPS: Final[Sequence[Step]] = (
    log_in,
    turn_pages_of_a_thousand_rows_and_sort_them,
    search_in_columns,
    filter_by_every_type,
    add_a_product_with_every_kind_of_field,
    edit_it_in_vain_and_then_for_good,
    delete_a_product,
    keep_countries_by_their_codes,
    order_with_details,
    change_its_details,
    look_at_its_history,
    show_the_orders_that_are_ticked,
    print_reports,
    ask_in_every_way_that_scripts_have,
    call_server_functions,
    work_in_two_tabs,
    come_back_after_the_session_has_ended,
    log_out,
    ask_without_any_right,
    log_out,
)
