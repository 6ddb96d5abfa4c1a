"""Answer only to the names of this site.

An unknown Host means a forged one: links in mails that lead elsewhere, poisoned caches,
DNS rebinding.

Source: RFC 9112 section 3.2 (Host), CWE-644, CWE-350 (DNS rebinding).
"""

import re
from http import HTTPStatus
from typing import Final

import attrs

from ..cache import Bounded
from ..guard import Guard, Mode, Refusal
from ..request import LOOPBACK_HOSTS, Request
from ..routes import HEALTH
from ..site import Site

#: a name, an IPv4 address or an IPv6 address in brackets, and a port
WELL_FORMED: Final = re.compile(
    r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{0,5})?", re.ASCII
)
NAME: Final = re.compile(r"\.?[a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\]|[0-9.]+", re.ASCII)

MALFORMED: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="malformed-host", sentence="bad-request"
)
UNKNOWN: Final = Refusal(
    status=HTTPStatus.MISDIRECTED_REQUEST, reason="unknown-host", sentence="host"
)


def _names(_: object, __: object, names: tuple[str, ...]) -> None:
    for name in names:
        if not NAME.fullmatch(name.lower()):
            raise ValueError(
                f"has {name!r}: write a name without scheme and port, such as "
                '"www.example.com", or ".example.com" for all below it'
            )


def _exact(host: "Host") -> frozenset[str]:
    names = [name.lower().lstrip(".") for name in host.allowed]
    return frozenset([*names, *LOOPBACK_HOSTS])


def _below(host: "Host") -> tuple[str, ...]:
    return tuple(name.lower() for name in host.allowed if name.startswith("."))


@attrs.frozen(kw_only=True, eq=False)
class Host(Guard):
    """Refuse a Host that is malformed (400) or not one of `allowed` (421).

    Loopback names and health paths are always answered. Fails closed. Does not look at
    the port.
    """

    mode: Mode = "enforce"
    #: names of this site, `.example.com` for all below it; empty: any, with a notice
    allowed: tuple[str, ...] = attrs.field(default=(), validator=_names)

    _exact: frozenset[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_exact, takes_self=True)
    )
    _below: tuple[str, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_below, takes_self=True)
    )
    #: values of Host that were answered before
    _answered: Bounded[str | None, None] = attrs.field(
        init=False, repr=False, factory=lambda: Bounded[str | None, None](256)
    )

    def start(self, site: Site) -> None:
        if not self.allowed:
            site.notice("JG002")

    def check(self, request: Request) -> Refusal | None:
        host = request.environ.get("HTTP_HOST")
        if host in self._answered:
            return None
        if host and not WELL_FORMED.fullmatch(host):  # empty: HTTP/1.0 on granian
            return attrs.evolve(MALFORMED, detail=host[:100])
        if request.route is HEALTH:
            return None  # a monitor asks by address
        name = request.host.rstrip(".")
        if not self.allowed or name in self._exact or name.endswith(self._below):
            return self._answered.put(host, None)
        return attrs.evolve(UNKNOWN, detail=name)
