"""What Jam.py takes a request for, told by Jam.py itself: a call, an upload, the builder.

Decided with Jam.py's own steps (`jam/wsgi.py`, `on_api`, `on_upload`), so there is no
spelling that the two read differently: `0`, `-0`, `0.0`, `false` and `1e-400` all equal
zero in Python, and `int()` reads `" 0"`, `"+0"` and `"0_0"`.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ..cache import lazy
from ..guard import Refusal, Refused

if TYPE_CHECKING:
    from .project import Project

Place = Literal["api", "upload", "builder"]

#: where a refusal waits that v5 would catch, and show, if it were raised in a call
REFUSED: Final = "jamguard.refused"

#: methods of Jam.py's `App` (v7, v5) -> what a request that comes there is
PLACES: Final[dict[str, Place]] = {
    "on_api": "api",
    "on_upload": "upload",
    "on_builder": "builder",
}


TOO_LARGE: Final = Refusal(
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    reason="body-too-large",
    sentence="too-large",
    courtesy=True,
)
UNREADABLE: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="unreadable-body", sentence="bad-request"
)


class Call(NamedTuple):
    """One message of `/api`, taken apart but not looked at: any of it may be anything."""

    method: Any
    task_id: Any
    item_id: Any
    params: Any
    modification: Any

    @classmethod
    def parse(cls, body: bytes) -> "Call":
        """Take a body apart as Jam.py does.

        Raises `ValueError`, `TypeError` or `RecursionError` where Jam.py fails as well.
        """
        return cls(*json.loads(body.decode()))


class Taken:
    """A request as Jam.py has taken it."""

    def __init__(self, place: Place, jams: Any, app: Any = None) -> None:  # noqa: ANN401 - Jam.py has no types
        self.place = place
        #: Jam.py's own request object (Werkzeug's `Request`)
        self.jams = jams
        #: the item of the call, once it has been looked up
        self.item: Any = None
        #: Jam.py's `App` that has taken it
        self.app = app

    @lazy
    def call(self) -> Call | None:
        """The call in a body of `/api`; None when Jam.py cannot take it apart either."""
        if self.place != "api" or self.jams.method != "POST":
            return None
        try:
            return Call.parse(self.jams.get_data())
        except (OSError, _http_exception()) as error:
            raise _unreadable(error) from error
        except (ValueError, TypeError, RecursionError):
            return None

    @lazy
    def form(self) -> Any:  # noqa: ANN401 - Werkzeug's dictionary of lists
        """The form of an upload, with the files in `jams.files`."""
        try:
            return self.jams.form
        except (OSError, _http_exception()) as error:
            raise _unreadable(error) from error

    def rewrite(self, call: Call) -> None:
        """Have Jam.py read this call instead. Raises `Refused` where it would not."""
        body = json.dumps(call).encode()
        self.jams._cached_data = body  # noqa: SLF001 - where Werkzeug 1 to 3 keep what was read
        if self.jams.get_data() is not body:
            raise Refused(UNREADABLE)

    @lazy
    def builder(self) -> bool:
        """Whether Jam.py takes it for the Application Builder's (task 0)."""
        if self.place == "builder":
            return True
        if self.jams.method != "POST":
            return False
        if self.place == "api":
            return self.call is not None and bool(self.call.task_id == 0)
        try:
            return int(self.form.get("task_id")) == 0
        except (TypeError, ValueError):
            return False  # Jam.py cannot read it either


def _http_exception() -> type[Exception]:
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415 - only once Jam.py chose its Werkzeug

    return HTTPException


def _unreadable(error: Exception) -> Refused:
    """Refuse a body that Werkzeug has stopped reading, or that broke off (mod_wsgi)."""
    too_large = getattr(error, "code", 0) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Refused(TOO_LARGE if too_large else UNREADABLE)


def watch(project: "Project", tell: Callable[[dict[str, Any], Taken], None]) -> None:
    """Have Jam.py tell what it has taken a request for, before it does anything about it.

    `tell` gets the environ, and may raise to end the request.
    """
    for name, place in PLACES.items():
        answer = getattr(project.app, name, None)
        if answer and not hasattr(answer, "watched"):
            setattr(project.app, name, _watched(answer, place, project.app, tell))


def _watched(
    answer: Callable[..., Any],
    place: Place,
    app: Any,  # noqa: ANN401 - Jam.py has no types
    tell: Callable[[dict[str, Any], Taken], None],
) -> Any:  # noqa: ANN401 - as above
    def watched(jams: Any, *rest: Any) -> Any:  # noqa: ANN401 - as above
        tell(jams.environ, Taken(place, jams, app))
        answered = answer(jams, *rest)
        if REFUSED in jams.environ:
            raise jams.environ.pop(REFUSED)
        return answered

    watched.watched = True  # type: ignore[attr-defined] # functions take attributes
    return watched
