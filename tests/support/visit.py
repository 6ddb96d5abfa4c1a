"""A visit to a site by a real Chromium, and every complaint of the browser on the way."""

import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import attrs
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from support import need

CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--no-sandbox",  # there is none in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
#: how a page tells of what its policy stopped
REPORTER: Final = """document.addEventListener('securitypolicyviolation', event => console.debug(
    'VIOLATION ' + [event.disposition, event.effectiveDirective, event.blockedURI,
                    event.sourceFile, event.lineNumber].join(' ')))"""
URL: Final = re.compile(r"https?://[^/\\s'\"]+(/[^\\s'\"]*)")
WAIT_MILLISECONDS: Final = 20_000


@attrs.frozen
class Visit:
    """One browser context: its pages, its cookies, and what was said in its console."""

    context: BrowserContext
    page: Page
    violations: list[str]
    #: errors of the console, and exceptions that nothing caught
    errors: list[str]
    #: paths of the resources that errors are about: the words differ with the headers
    blamed: set[str]


@contextmanager
def chromium() -> Generator[Browser, None, None]:
    """Run Debian's Chromium without a window; the test is skipped where there is none."""
    path = need.path(*CHROMIUM)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, **options: object) -> Generator[Visit, None, None]:
    """Open a page in a context of its own, with options of `Browser.new_context`."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)  # type: ignore[arg-type] # options are its own
    context.set_default_timeout(WAIT_MILLISECONDS)
    context.add_init_script(REPORTER)
    made = Visit(context, context.new_page(), [], [], set())
    context.on("console", lambda message: _listen(made, message))
    context.on("weberror", lambda error: made.errors.append(str(error.error)))
    try:
        yield made
    finally:
        context.close()


def choose(row: Locator) -> None:
    """Choose a row of a list that fills a field; a click while the grid is drawn may be lost.

    Not by a double click: the first click of two may draw the row anew.
    """
    for _ in range(5):
        row.click()
        row.page.keyboard.press("Enter")
        with suppress(AssertionError):
            expect(row).to_have_count(0, timeout=3000)
            return
    raise AssertionError(f"{row} cannot be chosen")


def _listen(made: Visit, message: ConsoleMessage) -> None:
    if message.text.startswith("VIOLATION") or "Content Security Policy" in message.text:
        made.violations.append(message.text)
    elif message.type == "error":
        made.errors.append(message.text)
        address = URL.search(message.text) or URL.search(message.location.get("url", ""))
        made.blamed.add(address[1] if address else message.text)
