"""One request and the facts about it that several guards need, each worked out once."""

from random import getrandbits
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .address import Address, peer_address
from .body import MEGABYTE, Body
from .cache import lazy
from .forwarded import sign_of_proxy
from .jampy.session import NOBODY

if TYPE_CHECKING:
    from .flight import Flight
    from .guard import Refusal
    from .guards.rate_limit import Quota
    from .jampy.calls import Taken
    from .jampy.session import Proved, Session
    from .plan import Plan
    from .routes import Route
    from .site import Site

#: where the `Request` lives in the environ, so that nested shields share it
KEY: Final = "jamguard.request"
#: facts of the connection: they hold for an inner shield too, whatever its site or mount
CARRIED: Final = ("peer", "client", "secure", "undeclared", "peer_trusted", "body", "body_limit")

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")


class Request:
    """What the guards see of a request.

    `environ` is the real one: what a guard changes there, the application sees.
    """

    #: the peer sent forwarding headers, is not a stranger's, and is not declared as a
    #: proxy: `client` may stand for many people (set by `proxy`)
    undeclared: bool = False
    #: the peer is a declared proxy (set by `proxy`)
    peer_trusted: bool = False
    #: most bytes of the body that anybody may read (set by `request-size`)
    body_limit: int = 8 * MEGABYTE
    #: what it goes through, of the shield that has seen it last
    plan: "Plan"
    #: what watches how long it takes (set by `timeout`)
    flight: "Flight | None" = None
    #: what Jam.py has taken it for, once it has (set by `late`)
    taken: "Taken | None" = None
    #: this request as an outer shield sees it, where that is another object
    outer: "Request | None" = None
    #: what a guard inside has refused this with (see `note_refusal`)
    refused: "Refusal | None" = None
    #: the quota that is nearest to its limit: what is left, for how long (set by `rate-limit`)
    quota: "tuple[int, float, Quota] | None" = None

    def __init__(
        self, environ: dict[str, Any], site: "Site", outer: "Request | None" = None
    ) -> None:
        if outer is None:
            #: a name for this request, for the answer and the log (set by `request-id`)
            self.id = f"{getrandbits(64):016x}"
        else:
            self.outer = outer
            self.id = outer.id
            facts = outer.__dict__
            self.__dict__.update({name: facts[name] for name in CARRIED if name in facts})
        self.environ = environ
        self.site = site
        self.path: str = environ.get("PATH_INFO", "")
        self.mount: str = environ.get("SCRIPT_NAME", "")
        self.route: Route = site.route(self.path)
        self.method: str = environ["REQUEST_METHOD"]

    def serves(self, environ: dict[str, Any], site: "Site") -> bool:
        """Say whether these facts still hold: same environ, same site, same path."""
        return (
            self.environ is environ
            and self.site is site
            and self.path == environ.get("PATH_INFO", "")
            and self.mount == environ.get("SCRIPT_NAME", "")
        )

    @lazy
    def peer(self) -> Address:
        """Who opened the connection: `REMOTE_ADDR` as the server gave it."""
        return peer_address(self.environ.get("REMOTE_ADDR"))

    @lazy
    def client(self) -> Address:
        """Who asks: the peer, or whom a declared proxy speaks for (set by `proxy`)."""
        return self.peer

    @lazy
    def secure(self) -> bool:
        """Whether the client came over https, as far as that can be believed."""
        return self.environ.get("wsgi.url_scheme") == "https"

    @lazy
    def host(self) -> str:
        """The host name that was asked for, in lower case and without the port."""
        host: str = self.environ.get("HTTP_HOST", "").lower()
        if host.startswith("["):
            return host[: host.find("]") + 1]
        return host.partition(":")[0]

    @lazy
    def local(self) -> bool:
        """Whether a person on this very machine asks.

        A proxy on the same machine makes the whole internet a loopback peer, so a
        loopback address alone says little. The Host must be a loopback name, which DNS
        rebinding cannot give; no page from elsewhere may be behind the request; and
        nothing may show a proxy, declared or not (`sign_of_proxy`, and `Connection: close`,
        which nginx sends by HTTP/1.1 and of local programs only a script). What cannot be
        told apart is a forwarder that leaves no trace, such as HAProxy in TCP mode.
        """
        environ = self.environ
        return (
            self.client.loopback
            and not self.peer_trusted
            and not self.undeclared
            and self.host in LOOPBACK_HOSTS
            and _names_loopback(environ.get("HTTP_ORIGIN"))
            and _names_loopback(environ.get("HTTP_REFERER"))
            and (
                environ.get("HTTP_SEC_FETCH_SITE", "none") in {"none", "same-origin"}
                or environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
            )
            and environ.get("HTTP_CONNECTION", "").lower() != "close"
            and not sign_of_proxy(environ)
        )

    @lazy
    def proved(self) -> "Proved":
        """Jam.py's sessions that the cookies prove."""
        project = self.site.project
        return project.sessions.proved(self.environ) if project else NOBODY

    @property
    def session(self) -> "Session | None":
        """The session of a logged-in user: the application's, or else the builder's."""
        return self.proved.application or self.proved.builder

    @property
    def builder_session(self) -> "Session | None":
        """The session of somebody logged in to the Application Builder."""
        return self.proved.builder

    def note_refusal(self, refusal: "Refusal") -> None:
        """Let the guards outside see, in their `finish`, what this is refused with."""
        seen: Request | None = self
        while seen is not None:
            seen.refused = refusal
            seen = seen.outer

    @lazy
    def body(self) -> Body:
        """The one reader of the body: see `Body`."""
        return Body(self.environ, self.body_limit)


def _names_loopback(url: str | None) -> bool:
    if url is None:
        return True
    try:
        return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:  # brackets that hold no IPv6 address
        return False


def is_browser_of_this_machine(request: Request) -> bool:
    """Say whether a request from a loopback address goes round a proxy that is declared there.

    It shows no sign of a proxy at all, asks for a loopback name, and says `keep-alive` as
    browsers do: what a proxy passes on, or writes itself, differs in one of these.
    """
    return (
        request.environ.get("HTTP_CONNECTION") == "keep-alive"
        and not sign_of_proxy(request.environ)
        # not before: what a proxy forwards may still name another host
        and request.host in LOOPBACK_HOSTS
    )
