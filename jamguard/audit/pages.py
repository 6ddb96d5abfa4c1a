"""What the project's pages load from other sites."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from ..jampy.content import ORIGIN
from ..jampy.pages import Pages
from ..jampy.routes import LOGIN, PAGE
from .disk import read
from .findings import Finding, Place
from .target import Target

PAGES: Final = ("index.html", "login.html", "templates.html")
FONTS: Final = "https://fonts.googleapis.com"


def check(target: Target) -> Iterator[Finding]:
    """Look at the project's pages."""
    for name in PAGES:
        reader = _Scripts(read(target.folder / name).decode("utf-8", "replace"))
        for line, url in reader.found:
            yield Finding("JC409", Place(name, line), url)
    pages = Pages(target.folder, target.package or target.folder)
    for route, name in ((PAGE, "index.html"), (LOGIN, "login.html")):
        if FONTS in pages.content(route).origins.get("style-src", ()):
            yield Finding("JC410", Place(name), FONTS)


class _Scripts(HTMLParser):
    """Finds scripts of other sites that a change of theirs would go unnoticed in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        url = given.get("src") or ""
        if tag == "script" and ORIGIN.match(url) and not given.get("integrity"):
            self.found.append((self.getpos()[0], url))
