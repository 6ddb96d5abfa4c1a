"""What one HTML, CSS or JavaScript file asks of a content security policy.

HTML is read with `html.parser`, so comments count for nothing; CSS and JavaScript by their
tokens, enough to find what they load. A hash is that of the text with its line ends as
browsers read them, so CRLF and LF are one.

Source: CSP Level 3 (W3C) sections 6.7 and 8.3, HTML Standard "preprocessing the input stream".
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

import attrs

#: a source expression for what is not the site's own: `https://cdn.example.com`, `*.example.com`
ORIGIN: Final = re.compile(
    r"\s*(?:(https?|wss?):)?//((?:\*\.|\{\w+\}\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?)(?![^/?#\s])",
    re.ASCII | re.IGNORECASE,
)
#: style sheets there load fonts from elsewhere
FONTS_OF: Final = {"https://fonts.googleapis.com": "https://fonts.gstatic.com"}

#: what a tag's attribute loads, by the directive that rules it
LOADS: Final = {
    ("script", "src"): ("script-src",),
    ("img", "src"): ("img-src",),
    ("input", "src"): ("img-src",),
    ("video", "poster"): ("img-src",),
    ("video", "src"): ("media-src",),
    ("audio", "src"): ("media-src",),
    ("source", "src"): ("media-src",),
    ("track", "src"): ("media-src",),
    ("iframe", "src"): ("frame-src",),
    ("frame", "src"): ("frame-src",),
    ("embed", "src"): ("object-src",),
    ("object", "data"): ("object-src",),
    ("form", "action"): ("form-action",),
    ("button", "formaction"): ("form-action",),
    ("input", "formaction"): ("form-action",),
    ("base", "href"): ("base-uri",),
}
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

#: comments, strings, and what makes code out of text; an end that is missing costs no second look
SCRIPT_TOKEN: Final = re.compile(
    r"""//[^\n]* | /\*.*?(?:\*/|\Z)
    | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? | `(?:\\.|[^`\\])*`?
    | (?<![\w$.])(?:window\.)?(?:eval\s*\( | new\s+Function\s*\(
        | set(?:Timeout|Interval)\s*\(\s*(?=["'`]))
    """,
    re.DOTALL | re.VERBOSE,
)
#: what stands against a policy in one script, before it is read no further
ENOUGH: Final = 20
MAKES_CODE: Final = re.compile(r"\beval\s*\(|\bnew\s+Function\b")
MAKES_STYLES: Final = re.compile(r"createElement\(\s*[\"'`]style[\"'`]|<style\b", re.IGNORECASE)
EMBEDS: Final = re.compile(
    r"<(embed|object)\b|createElement\(\s*[\"'](embed|object)", re.IGNORECASE
)
HANDLER_IN_TEXT: Final = re.compile(r"<\w[^<>]*\s(on[a-z]{3,})\s*=\s*\\?[\"'\w]", re.IGNORECASE)
JAVASCRIPT_IN_TEXT: Final = re.compile(r"=\s*\\?[\"']?javascript:", re.IGNORECASE)
SOURCE_IN_TEXT: Final = re.compile(r"<\w[^<>]*\ssrc\s*=\s*\\?[\"']?([^\"'\s>\\]+)", re.IGNORECASE)
#: code before a URL that leads there, or only names it
ONLY_NAMES: Final = re.compile(
    r"(href['\"]?\s*[=:,]|location\s*=|\.(assign|replace)\(|\bopen\(|NS\(|xmlns[\w:]*['\"]?\s*[=,:])\s*$"
)
NAMESPACES: Final = "www.w3.org"


@attrs.define(eq=False)
class Content:
    """What a file asks for; `add` makes it that of several files."""

    scripts: dict[str, None] = attrs.field(factory=dict[str, None])  #: hashes, in order
    styles: dict[str, None] = attrs.field(factory=dict[str, None])
    #: directive -> origins
    origins: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]])
    #: what a policy with hashes cannot express: file, line, what to change
    reasons: list[str] = attrs.field(factory=list[str])
    #: origins that scripts name: nobody can tell what is loaded from there -> where
    named: dict[str, str] = attrs.field(factory=dict[str, str])
    #: scripts that nobody here will change make code out of text
    evaluates: bool = False
    #: scripts put `<style>` into the page
    styles_itself: bool = False
    #: files of the site that this one loads
    sheets: list[str] = attrs.field(factory=list[str])
    files: list[str] = attrs.field(factory=list[str])

    def add(self, other: "Content") -> None:
        """Take over what `other` asks for, except the files it loads."""
        self.scripts |= other.scripts
        self.styles |= other.styles
        self.reasons += other.reasons
        self.evaluates |= other.evaluates
        self.styles_itself |= other.styles_itself
        self.named = other.named | self.named
        for directive, origins in other.origins.items():
            self.origins.setdefault(directive, set()).update(origins)

    def objections(self, origins: Iterable[str]) -> list[str]:
        """Say what stands against enforcing a policy that also allows `origins`."""
        return self.reasons + [
            f"{where}: names {origin}; if something is loaded from there: "
            f'[tool.jamguard.headers] origins = ["{origin}"]'
            for origin, where in self.named.items()
            if origin not in origins
        ]

    def load(self, url: str, directives: tuple[str, ...]) -> bool:
        """Note what is loaded; say whether it is somebody else's."""
        origin = origin_of(url)
        if origin is None:
            return False
        for directive in directives:
            self.origins.setdefault(directive, set()).add(origin)
        if "style-src" in directives and origin in FONTS_OF:
            self.origins.setdefault("font-src", set()).add(FONTS_OF[origin])
        return True


def origin_of(url: str) -> str | None:
    """Return the source expression for an absolute URL; None for one of the site's own.

    `//cdn.example.com` has the page's scheme, which a source without one matches, and
    `{s}.tiles.example.com`, as map libraries write it, is `*.tiles.example.com`.
    """
    match = ORIGIN.match(url)
    if match is None:
        return None
    host = re.sub(r"^\{\w+\}", "*", match[2].lower())
    return f"{match[1].lower()}://{host}" if match[1] else host


def digest(text: str) -> str:
    """Return the source expression for an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


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
            self.content.files.append(given["src"])
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
        elif (tag, name) in LOADS:
            foreign = self.content.load(value, LOADS[tag, name])
            if tag in ("embed", "object") and not foreign:
                self.content.origins.setdefault("object-src", set()).add("'self'")
            if tag == "script" and foreign:
                self.content.styles_itself = True  # nobody knows what it does

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


def read_script(name: str, text: str) -> Content:
    """Read a script that the project's developer wrote."""
    content = Content()
    for token in SCRIPT_TOKEN.finditer(text):
        if len(content.reasons) + len(content.named) >= ENOUGH:
            break
        found, start = token[0], token.start()
        if found[0] == "/":
            continue  # a comment
        if found[0] not in "\"'`":
            code = " ".join(found.split())
            content.reasons.append(
                f"{_place(name, text, start)}: {code}...) makes code out of text; use a function"
            )
            continue
        for what in _in_text(found):
            content.reasons.append(f"{_place(name, text, start)}: {what}")
        for origin in _named(found):
            before = text[max(0, start - 40) : start]
            if origin not in content.named and not ONLY_NAMES.search(before):
                content.named[origin] = _place(name, text, start)
    _note_habits(text, content)
    return content


def read_library(text: str) -> Content:
    """Read a script that others wrote: what it does is allowed, for nobody here will change it."""
    content = Content()
    content.evaluates = MAKES_CODE.search(text) is not None
    _note_habits(text, content)
    return content


def _note_habits(text: str, content: Content) -> None:
    """Allow what scripts do that is no danger as long as no foreign script runs."""
    content.styles_itself = MAKES_STYLES.search(text) is not None
    if "createObjectURL" in text:
        for directive in ("connect-src", "frame-src", "object-src", "worker-src"):
            content.origins.setdefault(directive, set()).add("blob:")
    if EMBEDS.search(text):
        content.origins.setdefault("object-src", set()).add("'self'")


def _place(name: str, text: str, start: int) -> str:
    return f"{name}:{text.count(chr(10), 0, start) + 1}"


def _named(text: str) -> Iterator[str]:
    """Find, in a string, the origins that something may be loaded from."""
    for url in (text[1:-1], *SOURCE_IN_TEXT.findall(text)):
        origin = origin_of(url)
        if origin and "." in origin and NAMESPACES not in origin:
            yield origin


def _in_text(text: str) -> Iterator[str]:
    """Find, in a string, HTML that a policy would stop from working."""
    for handler in HANDLER_IN_TEXT.findall(text):
        yield f'HTML with {handler}="..."; bind it: $(...).on("{handler[2:]}", ...)'
    if JAVASCRIPT_IN_TEXT.search(text):
        yield 'HTML with a javascript: URL; bind a function: $(...).on("click", ...)'
