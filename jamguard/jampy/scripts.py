"""What a JavaScript file does that a content security policy would stop.

Read by its tokens, not run: enough to find strings with HTML or addresses in them, and code
that is made out of text. A false alarm costs enforcement, an oversight breaks a page.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .content import Content, origin_of, with_scheme

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


def read_script(name: str, text: str, line: int = 1) -> Content:
    """Read a script that the project's developer wrote; it begins at `line` of its file."""
    content = Content()
    for token in SCRIPT_TOKEN.finditer(text):
        if len(content.reasons) + len(content.named) >= ENOUGH:
            break
        found, start = token[0], token.start()
        if found[0] == "/":
            continue  # a comment
        whats: Iterable[str] = ()
        named: Iterable[str] = ()
        if found[0] in "\"'`":
            whats = _in_text(found)
            before = text[max(0, start - 40) : start]
            named = () if ONLY_NAMES.search(before) else _named(found)
        else:
            whats = [f"{' '.join(found.split())}...) makes code out of text; use a function"]
        for what in whats:
            content.reasons.append(f"{_place(name, line, text, start)}: {what}")
        for origin in named:
            if with_scheme(origin) not in content.named:
                content.name(origin, f"{_place(name, line, text, start)}: names {origin}")
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
    if "WebAssembly" in text:
        content.origins.setdefault("script-src", set()).add("'wasm-unsafe-eval'")
    if "createObjectURL" in text:
        for directive in ("connect-src", "frame-src", "object-src", "worker-src"):
            content.origins.setdefault(directive, set()).add("blob:")
    if EMBEDS.search(text):
        content.origins.setdefault("object-src", set()).add("'self'")


def _place(name: str, line: int, text: str, start: int) -> str:
    return f"{name}:{line + text.count(chr(10), 0, start)}"


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
