"""What the files of a page ask of a content security policy, put together.

Source: CSP Level 3 (W3C) sections 6.7 (matching) and 8.3 (hashes).
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import attrs

#: a source expression for what is not the site's own: `https://cdn.example.com`, `*.example.com`
ORIGIN: Final = re.compile(
    r"\s*(?:(https?|wss?):)?//((?:\*\.|\{\w+\}\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?)(?![^/?#\s])",
    re.ASCII | re.IGNORECASE,
)
#: style sheets there load fonts from elsewhere
FONTS_OF: Final = {"https://fonts.googleapis.com": "https://fonts.gstatic.com"}
#: hosts of libraries, which load nothing from anywhere else
LIBRARIES: Final = frozenset(
    f"https://{host}"
    for host in (
        "ajax.aspnetcdn.com",
        "ajax.googleapis.com",
        "cdn.datatables.net",
        "cdn.jsdelivr.net",
        "cdn.plot.ly",
        "cdn.sheetjs.com",
        "cdn.skypack.dev",
        "cdnjs.cloudflare.com",
        "code.highcharts.com",
        "code.jquery.com",
        "d3js.org",
        "esm.sh",
        "maxcdn.bootstrapcdn.com",
        "netdna.bootstrapcdn.com",
        "stackpath.bootstrapcdn.com",
        "unpkg.com",
        "use.fontawesome.com",
    )
)
#: what a script from there is known to load, by its vendor's word
COMPANIONS: Final = {
    "https://www.googletagmanager.com": (
        "https://*.googletagmanager.com",
        "https://*.google-analytics.com",
        "https://*.analytics.google.com",
    ),
}

#: what a tag's attribute loads, by the directive that rules it
LOADS: Final = {
    # who may run here may as well fetch
    ("script", "src"): ("script-src", "style-src", "font-src", "img-src", "connect-src"),
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


@attrs.define(eq=False)
class Content:
    """What a file asks for; `add` makes it that of several files."""

    scripts: dict[str, None] = attrs.field(factory=dict[str, None])  #: hashes, in order
    styles: dict[str, None] = attrs.field(factory=dict[str, None])
    #: directive -> origins
    origins: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]])
    #: what a policy with hashes cannot express: file, line, what to change
    reasons: list[str] = attrs.field(factory=list[str])
    #: origins of which nobody can tell what is loaded from there -> where they are named
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
            f'{where}; list it: [tool.jamguard.headers] origins = ["{origin}"]'
            for origin, where in self.named.items()
            if origin not in origins
        ]

    def load(self, url: str, directives: tuple[str, ...]) -> str | None:
        """Note what is loaded; return whose it is, if it is somebody else's."""
        origin = origin_of(url)
        if origin is None:
            return None
        for directive in directives:
            self.origins.setdefault(directive, set()).add(origin)
        if "style-src" in directives and origin in FONTS_OF:
            self.origins.setdefault("font-src", set()).add(FONTS_OF[origin])
        return origin

    def load_script(self, url: str, where: str) -> None:
        """Note a script that a page loads."""
        origin = self.load(url, LOADS["script", "src"])
        if origin is None:
            self.files.append(url)
            return
        self.styles_itself = True  # nobody here knows what it does
        for companion in COMPANIONS.get(origin, ()):
            for directive in ("script-src", "connect-src", "img-src"):
                self.origins.setdefault(directive, set()).add(companion)
        if origin not in COMPANIONS and with_scheme(origin) not in LIBRARIES:
            self.name(origin, f"{where}: a script from {origin} may load more")

    def name(self, origin: str, where: str) -> None:
        """Note an origin that something may be loaded from."""
        self.named.setdefault(with_scheme(origin), where)


def with_scheme(origin: str) -> str:
    """Return an origin as the settings want it."""
    return origin if "://" in origin else f"https://{origin}"


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
