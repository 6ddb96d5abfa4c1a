"""What Jam.py's failures really mean.

Read from `jam/wsgi.py` (v7 7.0.120): each case names the line of reasoning in Jam.py that
ends in an exception or a wrong status.
"""

import json
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ..guard import Refusal
from .routes import API, LOGIN, LOGOUT, PACKAGE_FILE, UPLOAD

if TYPE_CHECKING:
    from ..request import Request

NOT_A_CALL: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="not-a-call", sentence="bad-request", courtesy=True
)
NOT_A_FORM: Final = Refusal(
    status=HTTPStatus.BAD_REQUEST, reason="not-a-form", sentence="bad-request", courtesy=True
)
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
    route = request.route
    if route is API and not is_call(request):
        # `task` is not assigned when the body cannot be taken apart
        return NOT_A_CALL
    if route is UPLOAD:
        if isinstance(error, AttributeError) and error.name == "NOT_LOGGED":
            return NOT_LOGGED_IN  # a constant that does not exist
        if isinstance(error, TypeError | ValueError | UnboundLocalError):
            return NOT_A_FORM  # int(None), a name that is no number, no file part
    if route.name == LOGIN.name and getattr(error, "code", None) == HTTPStatus.BAD_REQUEST:
        return NOT_A_FORM  # a form without login or password
    if route is LOGOUT and isinstance(error, KeyError):
        return TO_THE_START  # del cookie['info'] without a session
    if route is PACKAGE_FILE and isinstance(error, TypeError):
        return NO_SUCH_FILE  # the file server has no application behind it
    return None


def is_call(request: "Request") -> bool:
    """Say whether the body is what Jam.py's `/api` can take apart: five things in UTF-8 JSON."""
    try:
        return len(json.loads(request.body.read().decode())) == 5  # noqa: PLR2004 - Jam.py unpacks five
    except (ValueError, TypeError, RecursionError):
        return False


def real_status() -> HTTPStatus | None:
    """Return the status that Jam.py's error page should have had.

    `show_error` is called, and so is `start_response`, inside the `except HTTPException`
    block that gave rise to it: the exception that is being handled is the real answer.
    """
    error = sys.exception()
    if type(error).__name__ in ("ProjectNotCompleted", "ProjectError"):
        return HTTPStatus.SERVICE_UNAVAILABLE
    code = getattr(error, "code", None)
    if isinstance(code, int) and 400 <= code < 500:  # noqa: PLR2004 - a client error
        return HTTPStatus(code)
    return None
