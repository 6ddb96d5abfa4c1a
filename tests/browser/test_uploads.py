"""What users upload, in a real browser: shown and downloaded, never run as the site's own."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest
from playwright.sync_api import Browser, Page, expect
from support.projects import copy
from support.servers import run_server
from support.visit import CHROMIUM, visit

pytestmark = [pytest.mark.browser, pytest.mark.needs(*CHROMIUM)]

#: what only a script of the site's own origin can leave behind
RUN: Final = "localStorage.setItem('ran', 'yes')"
XHTML: Final = (
    "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>own</title></head>"
    f"<body><p>A page</p><script>{RUN}</script></body></html>"
)
#: opened by the person that an attacker sends the address to
PAGES: Final = {
    "page.html": f"<title>own</title><p>A page</p><script>{RUN}</script>",
    "page.htm": f'<p>A page</p><img src=x onerror="{RUN}">',
    "frame.html": f'<p>A page</p><iframe srcdoc="<script>{RUN}</script>"></iframe>',
    "link.html": f'<p>A page</p><a href="javascript:{RUN}">Open</a><script>{RUN}</script>',
    "page.xhtml": XHTML,
    "data.xml": f"<?xml version='1.0'?>{XHTML}",
    "drawing.svg": (
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
        f"<rect width='9' height='9'/><script>{RUN}</script></svg>"
    ),
    "handler.svg": (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload=\"{RUN}\"></svg>"
    ),
    "styled.xml": "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='sheet.xsl'?><a/>",
}
SHEET: Final = (
    "<?xml version='1.0'?><xsl:stylesheet version='1.0' "
    "xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='/'>"
    f"<html><body><p>A page</p><script>{RUN}</script></body></html>"
    "</xsl:template></xsl:stylesheet>"
)
#: named by a `<script src>` that got into a page: its policy allows the site itself
SCRIPTS: Final = ("code.js", "code.mjs", "code.txt", "code.bin", "code")
WORKER: Final = "self.postMessage?.('ran')"  # a service worker has no page to tell
PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n"
)
LOAD: Final = """src => new Promise(done => {
    const script = document.createElement('script')
    script.src = src
    script.onload = script.onerror = done
    document.body.append(script)
})"""
START: Final = """src => new Promise(done => {
    const worker = new Worker(src)
    worker.onmessage = () => done(true)
    worker.onerror = () => done(false)
})"""
REGISTER: Final = """src => navigator.serviceWorker.register(src).then(() => true, () => false)"""
IMPORT: Final = "src => import(src).then(() => true, () => false)"
SHOW: Final = """src => new Promise(done => {
    const image = new Image()
    image.onload = () => done(image.naturalWidth)
    image.onerror = () => done(0)
    image.src = src
})"""


def png() -> bytes:
    """Make a picture of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        end = zlib.crc32(kind + data).to_bytes(4)
        return len(data).to_bytes(4) + kind + data + end

    head = (1).to_bytes(4) + (1).to_bytes(4) + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""))
    )


@attrs.frozen
class Site:
    page: Page
    #: where the files are
    url: str
    hardened: bool

    def ran(self) -> bool:
        """Say whether a script ran in the site's origin since the last time; forget it."""
        self.page.goto(f"{self.url}/../../login.html")
        ran: bool = self.page.evaluate(
            "() => { const ran = localStorage.ran == 'yes'; localStorage.clear(); return ran }"
        )
        return ran


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "hardened"])
def site(
    request: pytest.FixtureRequest,
    browser: Browser,
    demo_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    project = copy(demo_project, tmp_path_factory.mktemp("uploads") / "project")
    files = project / "static" / "files"
    files.mkdir(parents=True, exist_ok=True)
    for name, text in {**PAGES, "sheet.xsl": SHEET, "worker.js": WORKER}.items():
        (files / name).write_text(text, "utf-8")
    (files / "page").write_text(PAGES["page.html"], "utf-8")
    for name in (*SCRIPTS, "lying.png"):
        (files / name).write_text(RUN, "utf-8")
    (files / "picture.png").write_bytes(png())
    (files / "manual.pdf").write_bytes(PDF)
    (files / "archive.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with run_server(project, harden=request.param) as server, visit(browser) as visited:
        yield Site(visited.page, f"{server.url}/static/files", request.param)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_was_uploaded_is_shown_and_does_not_run(site: Site, name: str) -> None:
    site.page.goto(f"{site.url}/{name}")
    if not name.endswith(".svg") and not (name == "styled.xml" and site.hardened):
        expect(site.page.locator("p")).to_have_text("A page")
    assert site.ran() is not site.hardened


@pytest.mark.parametrize("name", PAGES)
def test_nor_does_it_run_in_a_frame(site: Site, name: str) -> None:
    site.page.goto(f"{site.url}/../../login.html")
    site.page.evaluate(
        """src => new Promise(done => {
            const frame = document.createElement('iframe')
            frame.src = src
            frame.onload = done
            document.body.append(frame)
        })""",
        f"{site.url}/{name}",
    )
    assert site.ran() is not site.hardened


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_was_uploaded_is_no_script(site: Site, name: str) -> None:
    site.page.goto(f"{site.url}/../../login.html")
    site.page.evaluate(LOAD, f"{site.url}/{name}")
    assert site.ran() is not site.hardened


def test_a_script_by_the_name_of_a_picture_is_none_anywhere(site: Site) -> None:
    site.page.goto(f"{site.url}/../../login.html")
    site.page.evaluate(LOAD, f"{site.url}/lying.png")
    assert not site.ran()


@pytest.mark.parametrize("how", [START, REGISTER, IMPORT], ids=["worker", "service", "module"])
def test_nothing_else_takes_an_upload_for_a_script(site: Site, how: str) -> None:
    site.page.goto(f"{site.url}/../../login.html")
    name = "code.mjs" if how is IMPORT else "worker.js"
    assert site.page.evaluate(how, f"{site.url}/{name}") is not site.hardened
    site.ran()


@pytest.mark.parametrize("name", ["drawing.svg", "handler.svg", "picture.png"])
def test_a_picture_is_a_picture(site: Site, name: str) -> None:
    site.page.goto(f"{site.url}/../../login.html")
    assert site.page.evaluate(SHOW, f"{site.url}/{name}")
    assert not site.ran()


@pytest.mark.parametrize("name", ["archive.zip", "page"])
def test_what_no_browser_shows_is_downloaded(site: Site, name: str) -> None:
    with site.page.expect_download() as download:
        site.page.evaluate("url => { location = url }", f"{site.url}/{name}")
    assert download.value.path().read_bytes()
    assert not site.ran()


def test_a_pdf_is_opened_by_the_browsers_own_viewer(site: Site) -> None:
    url = f"{site.url}/manual.pdf"
    with site.page.expect_event(
        "framenavigated", lambda frame: frame.parent_frame is not None and frame.url == url
    ):
        site.page.goto(url)  # the viewer is a page around a frame with the document
