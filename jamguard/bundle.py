"""Headers that go out together, made once: what `secure` writes, in the form that is quick to add.

Source: OWASP Secure Headers Project; the values of each header: MDN.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import attrs
from secure.headers import (
    BaseHeader,
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
    XPermittedCrossDomainPolicies,
)

from .guard import Response

#: one header, as `secure` writes it
Header = BaseHeader

CSP: Final = "Content-Security-Policy"
REPORT_ONLY: Final = "Content-Security-Policy-Report-Only"
POLICIES: Final = frozenset((CSP.lower(), REPORT_ONLY.lower()))

#: what the directives of a policy are called; a mistyped one protects nothing
FETCHED: Final = ("child", "connect", "default", "fenced-frame", "font", "frame", "img", "manifest")
DIRECTIVES: Final = frozenset(
    (
        *(f"{name}-src" for name in (*FETCHED, "media", "object", "script", "style", "worker")),
        *("script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem"),
        *("base-uri", "form-action", "frame-ancestors", "report-to", "report-uri", "sandbox"),
        *("require-trusted-types-for", "trusted-types", "upgrade-insecure-requests"),
    )
)
#: keywords that a browser takes for host names when they have no quotes
KEYWORDS: Final = frozenset(
    ("self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic", "unsafe-hashes")
)
#: values of the setting `csp` that are no policy
WORDS: Final = ("auto", "report", "off")

ORIGIN: Final = re.compile(
    r"(https?|wss?)://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.ASCII | re.IGNORECASE
)
NAME: Final = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


@attrs.frozen(eq=False)
class Bundle:
    """Headers that an answer gets where it has none of that name."""

    pairs: Sequence[tuple[str, str]]
    names: frozenset[str]

    @classmethod
    def of(cls, headers: Iterable[BaseHeader]) -> "Bundle":
        """Make a bundle."""
        pairs = [(header.header_name, header.header_value) for header in headers]
        return cls(pairs, frozenset(name.lower() for name, _ in pairs))

    def set_defaults(self, response: Response) -> None:
        """Add what the answer has not."""
        names = response.names
        if self.names.isdisjoint(names):
            response.headers += self.pairs
            names |= self.names
            return
        # the application's own policy is not to be combined with ours
        left_out = POLICIES if POLICIES & names else frozenset[str]()
        for name, value in self.pairs:
            if name.lower() not in left_out:
                response.set_default(name, value)


def standard(*, secure: bool, stored: bool, hsts: int | None = None) -> list[BaseHeader]:
    """Return the headers that every answer can have.

    `secure`: it goes out over https. `stored`: caches may keep it. `hsts`: seconds for which
    browsers come by https only.
    """
    headers: list[BaseHeader] = [
        XContentTypeOptions(),
        ReferrerPolicy().same_origin(),
        XFrameOptions().sameorigin(),
        CrossOriginResourcePolicy().same_origin(),
        XPermittedCrossDomainPolicies().none(),
        # Jam.py's image fields use the camera; the others have this default anyway
        PermissionsPolicy()
        .camera("self")
        .microphone("self")
        .geolocation("self")
        .accelerometer()
        .gyroscope()
        .magnetometer()
        .midi(),
    ]
    if secure:  # on plain http Chromium ignores it, and says so in the console
        headers.append(CrossOriginOpenerPolicy().same_origin())
    if hsts is not None:
        headers.append(StrictTransportSecurity().value(f"max-age={hsts}"))
    if not stored:
        headers.append(CacheControl().no_store())
    return headers


def policy(
    directives: Mapping[str, Sequence[str]] | str, *, report_only: bool = False
) -> BaseHeader:
    """Write a content security policy."""
    made = ContentSecurityPolicy()
    if isinstance(directives, str):
        return made.value(directives)
    for name, sources in directives.items():
        made.custom_directive(name, *sources)
    return made.report_only() if report_only else made


# --- validators of settings ---------------------------------------------------------------


def is_policy(_: object, __: object, csp: str) -> None:
    """Refuse what is neither a word nor a policy that browsers understand."""
    if csp in WORDS:
        return
    if not PRINTABLE.fullmatch(csp) or not csp.strip("; "):
        raise ValueError("must be one line of ASCII text")
    for directive in filter(None, map(str.strip, csp.split(";"))):
        name, *sources = directive.split()
        if name.lower() not in DIRECTIVES:
            near = get_close_matches(name.lower(), (*WORDS, *sorted(DIRECTIVES)), 1, 0.6)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            words = ", ".join(f'"{word}"' for word in WORDS)
            raise ValueError(f"must be {words} or a policy; {name!r} is no directive{hint}")
        for source in sources:
            if source.lower() in KEYWORDS:
                raise ValueError(f"has {source} without quotes; write '{source}'")


def are_origins(_: object, __: object, origins: tuple[str, ...]) -> None:
    """Refuse what is not the origin of a site."""
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f'has "{origin}", which is no origin; write "https://cdn.example.com"')


def are_headers(_: object, __: object, paths: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse what cannot be a path, or a header."""
    for path, headers in paths.items():
        if not path.startswith("/"):
            raise ValueError(f'has "{path}", which does not start with "/"')
        for name, value in headers.items():
            if not NAME.fullmatch(name) or not PRINTABLE.fullmatch(value):
                raise ValueError(f'has, for "{path}", {name!r} = {value!r}, which is no header')
