"""What Jam.py's failures really mean.

Read from `jam/wsgi.py` (v7 7.0.120, v5 5.5.4). A failure is known by the function that it
came out of, so that the same exception of a project's own code is not taken for it.
"""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

from ..guard import Refusal
from .routes import LOGOUT, UPLOAD

if TYPE_CHECKING:
    from ..request import Request
    from ..routes import Route

NOT_A_CALL: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="not-a-call", sentence="bad-request", courtesy=True
)
NOT_A_FORM: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="not-a-form", sentence="bad-request", courtesy=True
)
TOO_LARGE: Final = Refusal(
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    reason="body-too-large",
    sentence="too-large",
    courtesy=True,
)
NO_BUILDER: Final = Refusal(status=HTTPStatus.FORBIDDEN, reason="production-mode", courtesy=True)
NOT_LOGGED_IN: Final = Refusal(
    status=HTTPStatus.UNAUTHORIZED, reason="not-logged-in", sentence="not-logged-in", courtesy=True
)
NO_SUCH_FILE: Final = Refusal(
    status=HTTPStatus.NOT_FOUND, reason="no-such-file", sentence="not-found"
)
TO_THE_START: Final = Refusal(
    status=HTTPStatus.FOUND, reason="not-logged-in", headers=(("Location", "/"),)
)


def clean_answer(request: "Request", error: Exception) -> Refusal | None:
    """Return the answer that Jam.py meant when it failed with `error`, if it is known."""
    if request.route is LOGOUT and isinstance(error, KeyError) and error.args == ("info",):
        return TO_THE_START  # del cookie['info'] without a session
    *_, (frame, _) = walk_tb(error.__traceback__)
    match frame.f_globals.get("__name__"), frame.f_code.co_name, error:
        case "jam.wsgi", "on_api", UnboundLocalError():
            return _not_called(frame.f_locals)
        case "jam.common", "__getattr__", AttributeError() if request.route is UPLOAD:
            return NOT_LOGGED_IN  # consts.NOT_LOGGED does not exist
        case "jam.wsgi", "on_upload", UnboundLocalError():
            return NOT_A_FORM  # no file part
        case "jam.wsgi", "on_upload", TypeError() | ValueError():
            # int() of a field that is missing, or no number; later ones are the project's
            return None if "path" in frame.f_locals else NOT_A_FORM
        case "jam.wsgi", "__call__", TypeError():
            return wrong_method(request.route, request.method)  # None is no response
        case "werkzeug.middleware.shared_data", "__call__", TypeError():
            return NO_SUCH_FILE  # Jam.py's file server has no application behind it
        case _:
            return None


def _not_called(seen: Mapping[str, Any]) -> Refusal | None:
    """Tell why `on_api` has no task, by the variables that it got as far as setting."""
    if "data" not in seen:
        # the message of what the body ended in, such as Jam.py's own limit
        return TOO_LARGE if str(seen.get("error")).startswith("413 ") else NOT_A_CALL
    if "task_id" not in seen:
        return NOT_A_CALL
    if seen["task_id"] == 0:
        return NO_BUILDER
    return None  # the project cannot be loaded


def wrong_method(route: "Route", method: str) -> Refusal | None:
    """Return the refusal of a method that Jam.py does not answer at `route`."""
    allowed = route.methods
    if allowed is None or method in allowed:
        return None
    return Refusal(
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        reason="method-not-allowed",
        sentence="method",
        headers=(("Allow", ", ".join(sorted(allowed))),),
    )


def real_status() -> str | None:
    """Return the status line that Jam.py's error page should have had.

    `show_error` is called, and so is `start_response`, inside the `except HTTPException`
    block that gave rise to it: the exception that is being handled is the real answer. An
    exception that somebody further out handles was not caught by Jam.py, which shows in
    where its traceback begins.
    """
    error = sys.exception()
    caught = error and error.__traceback__
    if not caught or caught.tb_frame.f_globals.get("__name__") != "jam.wsgi":
        return None
    code = getattr(error, "code", None)
    if not isinstance(code, int) or code < 400:  # noqa: PLR2004 - the first error
        return None
    return f"{code} {getattr(error, 'name', 'Error')}"
