"""What one HTML or CSS file asks of a content security policy.

HTML is read with `html.parser`, so comments count for nothing. A hash is that of the text
with its line ends as browsers read them, so CRLF and LF are one.

Source: HTML Standard, "preprocessing the input stream".
"""

import re
from html.parser import HTMLParser
from typing import Final

from .content import LOADS, Content, digest
from .scripts import read_script

STYLE_SHEET: Final = ("style-src", "font-src", "img-src")
#: what `<link rel>` loads
LINKS: Final = {
    "stylesheet": STYLE_SHEET,
    "icon": ("img-src",),
    "apple-touch-icon": ("img-src",),
    "manifest": ("manifest-src",),
    "modulepreload": ("script-src",),
}
#: types of `<script>` whose content a browser runs; others are data
RUNS: Final = re.compile(
    r"|module|importmap|(text|application)/(x-)?(java|ecma)script", re.IGNORECASE
)
HANDLER: Final = re.compile(r"on[a-z]{3,}", re.ASCII)
JAVASCRIPT_URL: Final = re.compile(r"\s*javascript:", re.IGNORECASE)
#: Jinja puts something else there when the page is rendered
JINJA: Final = re.compile(r"\{\{|\{%|\{#")

CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
CSS_IMPORT: Final = re.compile(r"@import\s+(?:url\(\s*)?[\"']?([^\"')\s;]+)", re.IGNORECASE)
CSS_URL: Final = re.compile(r"url\(\s*[\"']?([^\"')\s]+)", re.IGNORECASE)


def read_html(name: str, text: str, *, rendered: bool) -> Content:
    """Read a page or a file of templates. `rendered`: Jinja makes the page out of it."""
    reader = _Reader(name, rendered=rendered)
    reader.feed(text.replace("\r\n", "\n").replace("\r", "\n"))
    reader.close()
    return reader.content


class _Reader(HTMLParser):
    def __init__(self, name: str, *, rendered: bool) -> None:
        super().__init__()
        self.content = Content()
        self._name = name
        self._rendered = rendered
        self._inside = ""  # `script` or `style` whose text is being read
        self._text: list[str] = []
        self._line = 0

    def parse_html_declaration(self, i: int) -> int:
        """Skip `<![CDATA[`, `<![if IE]>` and the like as browsers do: up to the next `>`."""
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}  # the first one counts
        for name, value in given.items():
            self._attribute(tag, name, value)
        if tag == "link":
            self._link(given)
        if tag == "script" and "src" in given:
            self.content.load_script(given["src"], f"{self._name}:{self.getpos()[0]}")
        elif tag == "style" or (tag == "script" and RUNS.fullmatch(given.get("type", "").strip())):
            self._inside, self._text, self._line = tag, [], self.getpos()[0]

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag != self._inside:
            return
        self._inside = ""
        text = "".join(self._text)
        if self._rendered and JINJA.search(text):
            self._reason(
                self._line,
                f"Jinja in an inline {tag}; put the value into a data- attribute and read it there",
            )
        elif tag == "script":
            self.content.scripts[digest(text)] = None
            self.content.add(read_script(self._name, text, self._line))
        else:
            self.content.styles[digest(text)] = None
            _read_style(text, self.content)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        line = self.getpos()[0]
        if HANDLER.fullmatch(name):
            self._reason(line, f'{name}="..."; bind it in a script: $(...).on("{name[2:]}", ...)')
        elif JAVASCRIPT_URL.match(value):
            self._reason(
                line, 'a javascript: URL; use a button and bind it: $(...).on("click", ...)'
            )
        elif name == "style":
            _read_style(value, self.content)
        elif name == "srcset":
            for candidate in value.split(","):
                self.content.load(candidate, ("img-src",))
        elif (tag, name) in LOADS and tag != "script":
            foreign = self.content.load(value, LOADS[tag, name])
            if tag in ("embed", "object") and not foreign:
                self.content.origins.setdefault("object-src", set()).add("'self'")

    def _link(self, given: dict[str, str]) -> None:
        for rel in given.get("rel", "").lower().split():
            if rel in LINKS and not self.content.load(given.get("href", ""), LINKS[rel]):
                self.content.sheets += [given.get("href", "")] if rel == "stylesheet" else []

    def _reason(self, line: int, what: str) -> None:
        self.content.reasons.append(f"{self._name}:{line}: {what}")


def read_css(text: str) -> Content:
    """Read a style sheet."""
    content = Content()
    _read_style(text, content)
    return content


def _read_style(text: str, content: Content) -> None:
    text = CSS_COMMENT.sub("", text)
    for url in CSS_IMPORT.findall(text):
        if not content.load(url, STYLE_SHEET):
            content.sheets.append(url)
    for url in CSS_URL.findall(CSS_IMPORT.sub("", text)):
        content.load(url, ("img-src", "font-src"))
