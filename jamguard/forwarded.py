"""Forwarding headers: which there are, and what those that name a client say.

Each proxy writes its peer at the right end of a list, so a list is read from there, and
only as far as the addresses are those of declared proxies: what stands further left was
written by the client, which may have put anything there, unbalanced quotes included.

Source: RFC 7239 (Forwarded), MDN X-Forwarded-For, Selecting an IP address; CWE-348.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, get_args

from .address import Address, IPNetwork, contains, parse_address


def environ_key(header: str) -> str:
    """Return where WSGI puts a request header: `HTTP_X_FORWARDED_FOR`."""
    return "HTTP_" + header.upper().replace("-", "_")


FOR: Final = "HTTP_X_FORWARDED_FOR"
PROTO: Final = "HTTP_X_FORWARDED_PROTO"

#: headers that name the client: the last two are lists to which each proxy appends
Header = Literal[
    "cf-connecting-ip",
    "do-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "true-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-real-ip",
    "x-forwarded-for",
    "forwarded",
]
LISTS: Final = get_args(Header)[-2:]
#: all headers that claim something about the client or the address it asked for
FORWARDING: Final = frozenset(
    map(
        environ_key,
        (
            *get_args(Header),
            "CF-Connecting-IPv6",
            "Client-IP",
            "Forwarded-For",
            "Front-End-Https",
            "Proxy",  # httpoxy, CVE-2016-5385
            "X-Forwarded",
            "X-Forwarded-By",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Proto",
            "X-Forwarded-Protocol",
            "X-Forwarded-Scheme",
            "X-Forwarded-Server",
            "X-Forwarded-Ssl",
            "X-Original-Forwarded-For",
            "X-Original-Host",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Scheme",
            "X-Url-Scheme",
        ),
    )
)
#: those of them that make gunicorn and uWSGI set `wsgi.url_scheme`
SCHEMES: Final = frozenset(
    map(environ_key, ("X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Ssl"))
)
#: the longest chain of proxies that is followed
HOPS: Final = 20
#: one `name=value` of `Forwarded`; a value is more than a token where proxies forget quotes
PAIR: Final = re.compile(r'([A-Za-z][\w-]*)=(?:"([^"\\]*)"|([^"\\\s]+))', re.ASCII)


def sign_of_proxy(environ: Mapping[str, Any]) -> str:
    """Say what shows that a proxy handed this request on, or `""` when nothing does.

    A proxy that tells nothing of its clients still shows itself by `Via` (RFC 9110 section
    7.6.3), by HTTP/1.0, which nginx before 1.29.7 speaks unless told otherwise, by
    `Connection: upgrade` with nothing to upgrade to, which nginx sends when it is set up for
    WebSockets, or by the lack of `Connection`, which browsers send and proxies take away (RFC
    9110 section 7.6.1).
    """
    if not FORWARDING.isdisjoint(environ):
        key = min(FORWARDING.intersection(environ))
        return f"it sends {key.removeprefix('HTTP_').replace('_', '-').title()}"
    if "HTTP_VIA" in environ:
        return "it sends Via"
    protocol = environ.get("SERVER_PROTOCOL")
    if protocol == "HTTP/1.0":
        return "it speaks HTTP/1.0"
    connection = environ.get("HTTP_CONNECTION")
    if connection and connection.lower() == "upgrade" and "HTTP_UPGRADE" not in environ:
        return "it sends Connection: upgrade with every request"
    if connection is not None or protocol != "HTTP/1.1":
        return ""
    browser = environ.get("HTTP_USER_AGENT", "").startswith("Mozilla/")
    return "it takes away a browser's Connection header" if browser else ""


def client_of(
    header: Header, value: str, proxies: Iterable[IPNetwork]
) -> tuple[Address | None, str | None]:
    """Return the last address in a forwarding header that is not a proxy's, and its scheme.

    Only `forwarded` tells a scheme. None instead of an address: where the client should
    stand there is none. If all are proxies, the first of them asked.
    """
    address = scheme = None
    for text, scheme in _hops(header, value):  # noqa: B007 - the last one's is returned
        address = parse_address(text)
        if address is None or not contains(proxies, address):
            break
    return address, scheme


def _hops(header: Header, value: str) -> Iterator[tuple[str, str | None]]:
    """Yield address and scheme of each hop, the nearest first."""
    if header not in LISTS:
        yield value, None
        return
    for entry in reversed(value.rsplit(",", HOPS)):
        yield _element(entry) if header == "forwarded" else (entry, None)


def _element(text: str) -> tuple[str, str | None]:
    """Return `for` and `proto` of one element of `Forwarded`; of a malformed one, nothing."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip(" \t") for part in text.split(";"))):
        match = PAIR.fullmatch(part)
        if not match or match[1].lower() in pairs:
            return "", None
        pairs[match[1].lower()] = match[2] or match[3] or ""
    return pairs.get("for", ""), pairs.get("proto")


def proxy_fixed(claims: Mapping[str, str]) -> dict[str, str]:
    """Let Werkzeug apply checked claims, and return what they put into the environ."""
    from werkzeug.middleware.proxy_fix import ProxyFix  # noqa: PLC0415 - the application's

    environ: dict[str, Any] = {key: text for key, text in claims.items() if text}
    ProxyFix(_nothing, x_host=1, x_port=1, x_prefix=1)(environ, _nothing)
    del environ["werkzeug.proxy_fix.orig"]
    return {key: text for key, text in environ.items() if key == FOR or key not in FORWARDING}


def _nothing(*_: object) -> Any:  # noqa: ANN401 - both an application and a `start_response`
    return ()
