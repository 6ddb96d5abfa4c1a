"""What Jam.py's pages contain: the template files behind each, read again when they change.

A page is never judged by what goes out: whoever managed to put a script into a rendered
page would have it blessed with a hash. Only the project's own files count.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

import attrs

from ..routes import Route
from .content import Content
from .markup import read_css, read_html
from .routes import BUILDER, BUILDER_LOGIN, LOGIN
from .scripts import read_library, read_script

#: seconds after which files that a page loads are looked at again; the page's own: each time
LOOK_AGAIN: Final = 2.0
#: calls the function and gives the timer what it returns: `undefined`, as text. Without
#: 'unsafe-eval' that is harmless, but a violation each time the builder's tree is drawn
EVALUATES: Final = "setTimeout(decorate_tree_with_icons("
#: more than this of one file is not read
LARGEST: Final = 4 * 1024 * 1024

Stamp = tuple[int, int] | None


@attrs.define(eq=False)
class Reading:
    """What was read for a page, and what its files looked like then."""

    content: Content
    own: dict[Path, Stamp]
    loaded: dict[Path, Stamp]
    look_again: float

    def holds(self) -> bool:
        """Say whether the files are still those that were read."""
        if any(stamp(path) != was for path, was in self.own.items()):
            return False
        if monotonic() < self.look_again:
            return True
        self.look_again = monotonic() + LOOK_AGAIN
        return all(stamp(path) == was for path, was in self.loaded.items())


class Pages:
    """The pages of one project."""

    def __init__(self, folder: Path, package: Path) -> None:
        self._folder = folder
        self._package = package
        self._read: dict[Route, Reading] = {}

    def content(self, route: Route) -> Content:
        """Return what the page that Jam.py serves at `route` contains."""
        reading = self._read.get(route)
        if reading is None or not reading.holds():
            reading = self._read[route] = self._reading(route)
        return reading.content

    def _reading(self, route: Route) -> Reading:
        own: dict[Path, Stamp] = {}
        loaded: dict[Path, Stamp] = {}
        content = Content()
        # Jam.py takes the first one that is there
        for path in self._candidates(route):
            own[path] = stamp(path)
            if own[path] is None:
                continue
            rendered = route.name == LOGIN.name
            page = read_html(path.name, _text(path), rendered=rendered)
            content.add(page)
            self._sheets(page.sheets, self._folder, content, loaded)
            if route is BUILDER:
                content.evaluates = EVALUATES in _text(self._package / "js" / "admin.js")
            elif route is not BUILDER_LOGIN:
                self._scripts(page, content, loaded, with_modules=not rendered)
            break
        return Reading(content, own, loaded, monotonic() + LOOK_AGAIN)

    def _candidates(self, route: Route) -> Iterator[Path]:
        name = {LOGIN: "login", BUILDER: "builder", BUILDER_LOGIN: "builder_login"}.get(route)
        if route is not BUILDER_LOGIN:
            yield self._folder / f"{name or 'index'}.html"
        if name:
            yield self._package / "html" / f"{name}.html"
            yield self._package / f"{name}.html"  # v5

    def _sheets(
        self, urls: list[str], folder: Path, content: Content, loaded: dict[Path, Stamp]
    ) -> None:
        """Read style sheets and what they import."""
        for url in urls:
            path = self._file(url, folder)
            if path is None or path in loaded:
                continue
            loaded[path] = stamp(path)
            if loaded[path] is not None:
                sheet = read_css(_text(path))
                content.add(sheet)
                self._sheets(sheet.sheets, path.parent, content, loaded)

    def _scripts(
        self, page: Content, content: Content, loaded: dict[Path, Stamp], *, with_modules: bool
    ) -> None:
        """Read the scripts that a page loads, the project's client modules and its templates."""
        libraries = filter(None, (self._file(url, self._folder) for url in page.files))
        for path in libraries:
            loaded[path] = stamp(path)
            if loaded[path] is not None and not path.is_relative_to(self._package):
                content.add(read_library(_text(path)))
        if not with_modules:
            return
        modules = self._folder / "js"
        loaded[modules] = stamp(modules)
        for path in sorted(modules.glob("*.js")):
            if not path.name.endswith(".min.js"):  # Jam.py's copy without the spaces
                loaded[path] = stamp(path)
                content.add(read_script(f"js/{path.name}", _text(path)))
        templates = self._folder / "templates.html"
        loaded[templates] = stamp(templates)
        if loaded[templates] is not None:
            content.add(read_html(templates.name, _text(templates), rendered=False))

    def _file(self, url: str, folder: Path) -> Path | None:
        """Return the file behind a URL of the site, as Jam.py's file server finds it."""
        path = url.partition("?")[0].partition("#")[0].strip()
        parts = path.strip("/").split("/")
        if ".." in parts or ":" in path or not path:
            return None
        if folder == self._folder and parts[0] == "jam":
            return self._package.joinpath(*parts[1:])
        return (self._folder if path.startswith("/") else folder).joinpath(*parts)


def stamp(path: Path) -> Stamp:
    """Return what changes when a file is written; None when it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path.stat costs twice as much on each page
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8-sig", "replace")
    except OSError:  # gone or not readable: Jam.py cannot serve it either
        return ""
