"""Find the client once, from declared proxies only.

Every forwarding header is a claim of whoever sent it. Jam.py believes the last entry of
`X-Forwarded-For` before `REMOTE_ADDR`, pins sessions to it and pastes it into SQL. So after
this guard that header is the one address found here or gone, and all its like are gone.

Source: RFC 7239, CWE-348 (less trusted source), CWE-290 (spoofing); Werkzeug's `ProxyFix`
does the environ work.
"""

import os
import re
from typing import Final

import attrs

from ..address import UNIX, UNKNOWN, Address, IPNetwork, contains, peer_address
from ..cache import Bounded
from ..forwarded import (
    FOR,
    FORWARDING,
    PROTO,
    SCHEMES,
    Header,
    client_of,
    environ_key,
    proxy_fixed,
    sign_of_proxy,
)
from ..guard import Guard, Refusal
from ..refusal import MOUNT
from ..request import Request, is_browser_of_this_machine
from ..site import Site
from ..values import parse_network
from .host import WELL_FORMED

UNIX_SOCKET: Final = "unix"
#: hosts that are known by name: the network of their proxies, and the header that those set
#: PythonAnywhere: https://help.pythonanywhere.com/pages/WebAppClientIPAddresses
PRESETS: Final[dict[str, tuple[str, Header]]] = {"pythonanywhere": ("10.0.0.0/8", "x-real-ip")}

#: what else a proxy may say, by the name of the setting, and what it looks like
CLAIMS: Final = {
    "scheme": (PROTO, re.compile(r"https?")),
    "host": ("HTTP_X_FORWARDED_HOST", WELL_FORMED),
    "port": ("HTTP_X_FORWARDED_PORT", re.compile(r"[1-9][0-9]{0,4}")),
    "prefix": ("HTTP_X_FORWARDED_PREFIX", MOUNT),
}
#: longer values are read each time instead of being remembered
LONGEST: Final = 512

Said = tuple[str | None, ...]
Claim = tuple[Address, dict[str, str]]


def _can_be_trusted(_: object, __: object, names: tuple[str, ...]) -> None:
    for name in names:
        if name != UNIX_SOCKET and name not in PRESETS:
            try:
                parse_network(name)
            except ValueError as error:
                allowed = ", ".join(f'"{word}"' for word in (UNIX_SOCKET, *PRESETS))
                raise ValueError(f'has "{name}", which {error}, or one of {allowed}') from None


def _networks(guard: "Proxy") -> tuple[IPNetwork, ...]:
    names = [name for name in guard.trusted if name != UNIX_SOCKET]
    return tuple(parse_network(PRESETS[n][0] if n in PRESETS else n) for n in names)


def _chosen(guard: "Proxy") -> Header:
    """Return the header that is read: a preset's own, unless another is set."""
    presets: list[Header] = [PRESETS[name][1] for name in guard.trusted if name in PRESETS]
    return presets[0] if presets and guard.header == "x-forwarded-for" else guard.header


def _keys(guard: "Proxy") -> tuple[str, ...]:
    believed = [key for setting, (key, _) in CLAIMS.items() if getattr(guard, setting)]
    host = ["HTTP_HOST"] if guard.port else []  # which gets the port
    return (environ_key(_chosen(guard)), *believed, *host)


@attrs.frozen(kw_only=True, eq=False)
class Proxy(Guard):
    """Take client and scheme from what a declared proxy says; drop what anybody else says.

    The client is the right-most address of `header` that is not a proxy's. Where there is
    none it is unknown, and never the proxy itself. A peer of this machine or network that
    looks like a proxy and is not declared keeps its own address, which then stands for many
    people: `Request.undeclared`. Fails closed. Leaves `SERVER_PORT` alone unless `port` is on.
    """

    #: addresses of your reverse proxies, `"unix"` for a UNIX socket, or a preset
    trusted: tuple[str, ...] = attrs.field(default=(), validator=_can_be_trusted)
    #: the one header that your proxy sets or appends to
    header: Header = "x-forwarded-for"
    scheme: bool = True  #: believe X-Forwarded-Proto
    host: bool = False  #: believe X-Forwarded-Host, which many proxies pass on unseen
    port: bool = False  #: believe X-Forwarded-Port; it renames Jam.py's session cookie
    prefix: bool = False  #: believe X-Forwarded-Prefix

    _networks: tuple[IPNetwork, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_networks, takes_self=True)
    )
    _chosen: Header = attrs.field(
        init=False, repr=False, default=attrs.Factory(_chosen, takes_self=True)
    )
    #: where a proxy's claims are in the environ, the client's address first
    _keys: tuple[str, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_keys, takes_self=True)
    )
    #: `REMOTE_ADDR` -> the peer, and whether it is a declared proxy
    _peers: Bounded[str, tuple[Address, bool]] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded(4096)
    )
    #: what a declared proxy says -> the client, and what goes into the environ
    _claims: Bounded[Said, Claim] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded(4096)
    )

    def start(self, site: Site) -> None:
        site.proxies += self._networks
        for network in self._networks:
            if network.prefixlen == 0:
                site.notice("JG005", network=network)

    def check(self, request: Request) -> Refusal | None:
        if request.peer_trusted:
            return None  # a shield outside of this one has found the client
        environ = request.environ
        remote = environ.get("REMOTE_ADDR")
        if remote is None:
            remote = environ["REMOTE_ADDR"] = ""  # Jam.py takes it for granted
        peer, declared = self._peers.get(remote) or self._judge(remote)
        request.peer = request.client = peer
        if declared and not (peer.loopback and is_browser_of_this_machine(request)):
            self._believe(request, peer)
        elif sign := sign_of_proxy(environ):
            self._disbelieve(request, peer, sign)
        return None

    def _judge(self, remote: str) -> tuple[Address, bool]:
        """Return the peer, and whether it is a declared proxy."""
        peer = peer_address(remote)
        declared = UNIX_SOCKET in self.trusted if peer is UNIX else contains(self._networks, peer)
        return self._peers.put(remote, (peer, declared))

    def _disbelieve(self, request: Request, peer: Address, sign: str) -> None:
        """Drop what a peer says that nobody declared as a proxy."""
        environ = request.environ
        self._doubt_scheme(request)
        if peer.private:
            request.undeclared = True
            name = peer.text or peer.key
            setting = "pythonanywhere" if "PYTHONANYWHERE_SITE" in os.environ else name
            request.site.notice("JG003", peer=name, sign=sign, setting=setting)
        elif not request.secure:
            environ["wsgi.url_scheme"] = "http"
        for key in FORWARDING.intersection(environ):
            del environ[key]

    def _believe(self, request: Request, peer: Address) -> None:
        """Take over what a declared proxy says, and nothing but that."""
        environ = request.environ
        request.peer_trusted = True
        said = tuple(map(environ.get, self._keys))
        client, changes = self._claims.get(said) or self._read(said)
        if "wsgi.url_scheme" not in changes:
            self._doubt_scheme(request)
        for key in FORWARDING.intersection(environ):
            del environ[key]
        environ.update(changes)
        request.client = client
        if client is UNKNOWN:
            request.undeclared = True  # all its clients are one
            request.site.notice("JG013", peer=peer.text or peer.key, header=self._chosen)

    def _doubt_scheme(self, request: Request) -> None:
        """Do not take for https what gunicorn and uWSGI took from a header not believed here."""
        environ = request.environ
        if environ["wsgi.url_scheme"] == "https" and not SCHEMES.isdisjoint(environ):
            request.secure = False

    def _read(self, said: Said) -> Claim:
        """Work out what the environ of a declared proxy's request should say."""
        values = dict(zip(self._keys, said, strict=True))
        client, scheme = client_of(self._chosen, said[0] or "", self._networks)
        client = client or UNKNOWN
        if self._chosen == "forwarded" and self.scheme:
            values[PROTO] = scheme
        checked = {FOR: client.text, "HTTP_HOST": values.get("HTTP_HOST") or ""}
        for key, form in CLAIMS.values():
            last = (values.get(key) or "").rpartition(",")[2].strip()
            if form.fullmatch(last):
                checked[key] = last
        changes = proxy_fixed(checked)
        changes["REMOTE_ADDR"] = client.text
        if not self.port:
            changes.pop("SERVER_PORT", None)
        if sum(map(len, filter(None, said))) > LONGEST:
            return client, changes
        return self._claims.put(said, (client, changes))
