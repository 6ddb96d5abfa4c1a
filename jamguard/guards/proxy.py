"""Find the client once, from declared proxies only.

Every forwarding header is a claim of whoever sent it. Jam.py believes the last entry of
`X-Forwarded-For` before `REMOTE_ADDR`, pins sessions to it and pastes it into SQL, so after
this guard that header is the one address found here or gone, and all others are gone.

Source: RFC 7239, MDN X-Forwarded-For (selecting an IP address), CWE-348; Werkzeug's
`ProxyFix` does the environ work.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.request import parse_http_list

import attrs

from ..address import UNIX, UNKNOWN, Address, IPNetwork, contains, parse_address, peer_address
from ..cache import Bounded
from ..guard import Guard, Refusal
from ..refusal import MOUNT
from ..request import Request
from ..site import Site
from ..values import parse_network
from .host import WELL_FORMED

#: headers that claim something about the client or the address it asked for
FORWARDING: Final = frozenset(
    "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "Forwarded",
        "X-Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Proto",
        "X-Forwarded-Protocol",
        "X-Forwarded-Scheme",
        "X-Forwarded-Server",
        "X-Forwarded-Ssl",
        "X-Forwarded-By",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Envoy-External-Address",
        "X-Original-Forwarded-For",
        "X-Original-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Scheme",
        "X-Url-Scheme",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "Client-IP",
        "Fastly-Client-IP",
        "Forwarded-For",
        "Front-End-Https",
        "True-Client-IP",
        "Proxy",  # httpoxy, CVE-2016-5385
    )
)
#: of these, what makes gunicorn and uWSGI set the scheme themselves
SCHEMES: Final = frozenset(
    ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_FORWARDED_SSL")
)
LISTS: Final = ("x-forwarded-for", "forwarded")
UNIX_SOCKET: Final = "unix"

#: proxies that are known by name: the networks their requests come from, and the header
#: that they set themselves
PRESETS: Final = {"pythonanywhere": (("10.0.0.0/8",), "x-real-ip")}

WEB_SCHEMES: Final = frozenset({"http", "https"})
PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


@attrs.frozen(eq=False)
class Claim:
    """What a declared proxy says, read and checked."""

    client: Address
    silent: bool  #: it says nothing usable about the client
    changes: dict[str, str]  #: what the environ gets


def _can_be_trusted(_: object, __: object, names: tuple[str, ...]) -> None:
    for name in names:
        if name != UNIX_SOCKET and name not in PRESETS:
            try:
                parse_network(name)
            except ValueError as error:
                allowed = ", ".join(f'"{word}"' for word in (UNIX_SOCKET, *PRESETS))
                raise ValueError(f'has "{name}", which {error}, or one of {allowed}') from None


def _is_header(_: object, __: object, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", name, re.ASCII):
        raise ValueError('must be the name of a header, such as "x-forwarded-for"')


@attrs.frozen(kw_only=True, eq=False)
class Proxy(Guard):
    """Resolve the client and the scheme from what declared proxies say; drop all other claims.

    The client is the right-most address of `header` that is not a proxy's. What cannot be
    read makes the client unknown, never the proxy itself. The headers of an undeclared peer
    are dropped; if it is on this machine or network, it is probably a proxy, and its
    address stands for many people.

    Fails closed. Never changes `SERVER_PORT` unless `port` is on: Jam.py's session cookie
    has it in its name.
    """

    #: networks of your reverse proxies, `"unix"` for a UNIX socket, or a preset
    trusted: tuple[str, ...] = attrs.field(default=(), validator=_can_be_trusted)
    #: the one header that your proxy sets or appends to
    header: str = attrs.field(default="x-forwarded-for", validator=_is_header)
    scheme: bool = True  #: believe X-Forwarded-Proto of a declared proxy
    host: bool = False  #: believe its X-Forwarded-Host, which many proxies pass on unseen
    port: bool = False  #: believe its X-Forwarded-Port; renames Jam.py's session cookie
    prefix: bool = False  #: believe its X-Forwarded-Prefix

    _networks: tuple[IPNetwork, ...] = attrs.field(init=False, repr=False)
    _header: str = attrs.field(init=False, repr=False)
    _keys: tuple[str, ...] = attrs.field(init=False, repr=False)
    _peers: Bounded[str, tuple[Address, bool]] = attrs.field(init=False, repr=False)
    _claims: Bounded[tuple[str | None, ...], Claim] = attrs.field(init=False, repr=False)

    @_networks.default
    def _default_networks(self) -> tuple[IPNetwork, ...]:
        named = [text for name in self.trusted if name in PRESETS for text in PRESETS[name][0]]
        plain = [name for name in self.trusted if name not in PRESETS and name != UNIX_SOCKET]
        return tuple(map(parse_network, [*named, *plain]))

    @_header.default
    def _default_header(self) -> str:
        named = [PRESETS[name][1] for name in self.trusted if name in PRESETS]
        return named[0] if named and self.header == "x-forwarded-for" else self.header.lower()

    @_keys.default
    def _default_keys(self) -> tuple[str, ...]:
        wanted = {
            "HTTP_X_FORWARDED_PROTO": self.scheme,
            "HTTP_X_FORWARDED_HOST": self.host,
            "HTTP_X_FORWARDED_PORT": self.port,
            "HTTP_X_FORWARDED_PREFIX": self.prefix,
            "HTTP_HOST": self.host or self.port,
        }
        header = "HTTP_" + self._header.upper().replace("-", "_")
        base = ("REMOTE_ADDR", "wsgi.url_scheme", header)
        return (*base, *(key for key, on in wanted.items() if on))

    @_peers.default
    def _default_peers(self) -> Bounded[str, tuple[Address, bool]]:
        return Bounded(4096)

    @_claims.default
    def _default_claims(self) -> "Bounded[tuple[str | None, ...], Claim]":
        return Bounded(4096)

    def start(self, site: Site) -> None:
        for network in self._networks:
            if network.prefixlen == 0:
                site.notice("JG005", network=network)

    def check(self, request: Request) -> Refusal | None:
        environ = request.environ
        remote = environ.get("REMOTE_ADDR")
        if remote is None:
            remote = environ["REMOTE_ADDR"] = ""  # Jam.py takes it for granted
        peer, trusted = self._peers.get(remote) or self._judge(remote)
        request.peer = request.client = peer
        if trusted:
            self._believe(request, peer)
        elif not FORWARDING.isdisjoint(environ):
            self._disbelieve(request, peer)
        return None

    def _judge(self, remote: str) -> tuple[Address, bool]:
        peer = peer_address(remote)
        trusted = UNIX_SOCKET in self.trusted if peer is UNIX else contains(self._networks, peer)
        return self._peers.put(remote, (peer, trusted))

    def _disbelieve(self, request: Request, peer: Address) -> None:
        """Drop what a peer says that nobody declared as a proxy."""
        environ = request.environ
        said = [key for key in environ if key in FORWARDING]
        if peer.private:
            request.undeclared = True
            setting = '"unix"' if peer is UNIX else f'"{peer.text}"'
            name = said[0].removeprefix("HTTP_").replace("_", "-").title()
            request.site.notice("JG003", peer=peer.text or "unix", header=name, setting=setting)
        if environ.get("wsgi.url_scheme") == "https" and not SCHEMES.isdisjoint(said):
            # gunicorn and uWSGI believed the header; without TLS this would be http
            request.secure = False
            if not peer.private:
                environ["wsgi.url_scheme"] = "http"
        for key in said:
            del environ[key]

    def _believe(self, request: Request, peer: Address) -> None:
        """Take over what a declared proxy says, and nothing but that."""
        environ = request.environ
        request.peer_trusted = True
        said = tuple(map(environ.get, self._keys))
        claim = self._claims.get(said) or self._claims.put(said, self._resolve(environ, peer))
        if not FORWARDING.isdisjoint(environ):
            for key in FORWARDING.intersection(environ):
                del environ[key]
        environ.update(claim.changes)
        request.client = claim.client
        request.secure = environ["wsgi.url_scheme"] == "https"
        if claim.silent:
            request.undeclared = True  # it stands for many people all the same
            request.site.notice("JG013", peer=peer.text or "unix", header=self._header)

    def _resolve(self, environ: dict[str, Any], peer: Address) -> Claim:
        """Work out what the environ of a declared proxy's request should say."""
        value = environ.get(self._keys[2])
        proto = environ.get("HTTP_X_FORWARDED_PROTO")
        if not value:
            client: Address | None = None
        elif self._header == "forwarded":
            client, proto = self._forwarded(value)
        else:
            client = self._rightmost(value.split(",") if self._header in LISTS else [value])
        silent = client is None
        client = client or UNKNOWN
        claims = {
            "REMOTE_ADDR": environ["REMOTE_ADDR"],
            "wsgi.url_scheme": environ["wsgi.url_scheme"],
            "SERVER_PORT": environ.get("SERVER_PORT", ""),
            "HTTP_X_FORWARDED_FOR": client.text,
        }
        for key, name, valid in (
            ("HTTP_X_FORWARDED_PROTO", proto, lambda text: text.lower() in WEB_SCHEMES),
            ("HTTP_X_FORWARDED_HOST", environ.get("HTTP_X_FORWARDED_HOST"), WELL_FORMED.fullmatch),
            ("HTTP_X_FORWARDED_PORT", environ.get("HTTP_X_FORWARDED_PORT"), PORT.fullmatch),
            ("HTTP_X_FORWARDED_PREFIX", environ.get("HTTP_X_FORWARDED_PREFIX"), MOUNT.fullmatch),
            ("HTTP_HOST", environ.get("HTTP_HOST"), bool),
        ):
            last = name.rpartition(",")[2].strip() if name else ""
            if last and valid(last):
                claims[key] = last
        return Claim(client, silent, self._fixed(claims, client))

    def _fixed(self, claims: dict[str, str], client: Address) -> dict[str, str]:
        """Let Werkzeug apply the claims, and return the keys of the environ that change."""
        from werkzeug.middleware.proxy_fix import ProxyFix  # noqa: PLC0415 - the application's

        before = dict(claims)
        fix = ProxyFix(
            lambda _environ, _start: [],
            x_for=1,
            x_proto=int(self.scheme),
            x_host=int(self.host),
            x_port=int(self.port),
            x_prefix=int(self.prefix),
        )
        fix(claims, lambda *_: lambda _: None)
        del claims["werkzeug.proxy_fix.orig"]
        if not self.port:
            claims["SERVER_PORT"] = before["SERVER_PORT"]
        changes = {
            key: value
            for key, value in claims.items()
            if before.get(key) != value and key not in FORWARDING
        }
        changes["REMOTE_ADDR"] = client.text
        if client.text:
            changes["HTTP_X_FORWARDED_FOR"] = client.text
        if "wsgi.url_scheme" in changes:
            changes["wsgi.url_scheme"] = changes["wsgi.url_scheme"].lower()
        return changes

    def _rightmost(self, entries: Sequence[str]) -> Address | None:
        """Return the last address that is not a proxy's; None when an entry is no address."""
        address = None
        for entry in reversed(entries):
            address = parse_address(entry)
            if address is None or not contains(self._networks, address):
                return address
        return address  # all are proxies: the request began at the first one

    def _forwarded(self, value: str) -> tuple[Address | None, str | None]:
        """Read RFC 7239: the client as in a list, and the scheme of the same element."""
        elements = []
        for element in parse_http_list(value):
            pairs = (pair.partition("=") for pair in element.split(";"))
            elements.append({name.strip().lower(): text.strip(' "') for name, _, text in pairs})
        client = self._rightmost([element.get("for", "") for element in elements])
        for element in reversed(elements):
            if client is not None and parse_address(element.get("for", "")) is client:
                return client, element.get("proto")
        return client, None
