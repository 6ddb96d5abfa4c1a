"""The vocabulary: a guard decides, a refusal is its answer, a response is what goes out.

A guard looks at a request going in (`check`), at what Jam.py takes it for (`taken`,
`attempt`), at a response going out (`finish`), at a failure of the application (`failed`)
and at the end (`closed`). It never writes a response: `refusal.py` does, for all of them.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import attrs

if TYPE_CHECKING:
    from .jampy.calls import Taken
    from .jampy.logins import Attempt
    from .request import Request
    from .routes import Form, Route
    from .site import Site

#: `enforce` refuses; `report` logs what it would have refused and lets it pass
Mode = Literal["enforce", "report"]

Headers = list[tuple[str, str]]


@attrs.frozen(kw_only=True)
class Refusal:
    """A guard's decision not to serve a request, or to send it elsewhere (3xx)."""

    status: HTTPStatus
    #: why, in a stable word or two for the log: `body-too-large`
    reason: str
    #: which sentence the client reads, a key of `refusal.SENTENCES`
    sentence: str = "refused"
    #: what the log says beyond `reason`; escaped there, and never sent
    detail: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    #: seconds until a repetition may succeed: `Retry-After`, and the wait in words
    retry_after: int | None = None
    #: True: an ordinary user can meet it, so Jam.py's client must show it readably.
    #: False: it answers an attack, with the real status and nothing else.
    courtesy: bool = False
    #: True: nobody comes to it by mistake, only who looks for a way in, so `ban` counts it
    probe: bool = False
    #: True: it is not logged, for the guard has just said the same
    quiet: bool = False
    #: the guard that refuses, where it is not the one whose `check` ran
    guard: str = ""
    #: how it is written where Jam.py's client would not show what is usual for the route
    form: "Form | None" = None


class Refused(Exception):  # noqa: N818 - the past tense of Refusal: reading the body led to one
    """Raised where a refusal comes up in the middle of reading the body."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


#: what becomes of a request when a guard that fails closed breaks
BROKEN: Final = Refusal(
    status=HTTPStatus.SERVICE_UNAVAILABLE, reason="guard-failed", sentence="failed", courtesy=True
)


class Response:
    """Status line and headers on their way out, for `finish` to amend.

    `headers` is a list of its own, so the application's list is never changed.
    """

    __slots__ = ("headers", "names", "status")

    def __init__(self, status: str, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        #: the names of all headers, in lower case
        self.names = {name.lower() for name, _ in headers}

    def get(self, name: str) -> str | None:
        """Return the value of the first header called `name` (any case)."""
        wanted = name.lower()
        if wanted not in self.names:
            return None
        return next(value for key, value in self.headers if key.lower() == wanted)

    def add(self, name: str, value: str) -> None:
        """Append a header."""
        self.headers.append((name, value))
        self.names.add(name.lower())

    def set_default(self, name: str, value: str) -> None:
        """Append a header unless there is one of that name."""
        if name.lower() not in self.names:
            self.add(name, value)

    def remove(self, name: str) -> None:
        """Drop all headers called `name`."""
        wanted = name.lower()
        if wanted in self.names:
            self.headers = [pair for pair in self.headers if pair[0].lower() != wanted]
            self.names.discard(wanted)

    def replace(self, name: str, value: str) -> None:
        """Set a header, whatever there was of that name."""
        self.remove(name)
        self.add(name, value)


@attrs.frozen(kw_only=True, eq=False)
class Guard:
    """Decides about requests; a guard that overrides nothing lets everything pass.

    A guard is a frozen attrs class and its fields are its settings. One that can refuse
    has a field `mode: Mode = "enforce"`; one that only transforms has none. It keeps no
    per-request state (that goes to the `Request`), so it serves any number of threads.

    `Guard(...)(app)` is an application behind this guard alone.
    """

    #: `open`: when the guard itself breaks, the request goes on without it (a courtesy);
    #: `closed`: the request is refused with 503 (a protection)
    fails: ClassVar[Literal["open", "closed"]] = "closed"
    #: its table in the settings: `rate-limit`
    name: ClassVar[str] = "guard"

    enabled: bool = True  #: false leaves this guard out

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def concerns(self, route: "Route") -> bool:
        """Say, once at start-up, whether requests of `route` are this guard's business."""
        del route
        return True

    def start(self, site: "Site") -> None:
        """Prepare, once, when a shield is made; log a setting that is legal but dangerous."""

    def check(self, request: "Request") -> Refusal | None:
        """Decide about a request going in; None lets it pass."""

    def taken(self, request: "Request", taken: "Taken") -> Refusal | None:
        """Decide once Jam.py has said what it takes the request for, and has read its body."""

    def attempt(self, request: "Request", attempt: "Attempt") -> Refusal | None:
        """Decide when this request is about to log somebody in."""

    def finish(self, request: "Request", response: Response) -> None:
        """Amend a response going out. Runs for guards whose `check` let the request pass."""

    def failed(self, request: "Request", error: Exception) -> Refusal | None:
        """Answer an exception of the application; None leaves it to the guards outside."""

    def closed(self, request: "Request") -> None:
        """Release what `check` took: the response is closed, whatever happened before."""

    def __call__(self, app: "Application") -> "Application":
        """Put this guard alone in front of `app`."""
        from .shield import Shield  # noqa: PLC0415 - the shield is made of guards

        return Shield(app, [self])


def reports(guard: Guard) -> bool:
    """Say whether a guard only logs what it would refuse."""
    return getattr(guard, "mode", "enforce") == "report"


Application = Callable[..., Any]
