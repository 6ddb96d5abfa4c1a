"""Let no exception, traceback or wrong status of the application out.

Jam.py answers every HTTP error with status 500, crashes on a method it does not expect,
on a body that is no call and on a second log-out, and re-raises when its debugging switch
is on. The client gets a clean answer with a request id; the log gets the traceback.

Source: CWE-209 (information in error messages), OWASP Error Handling Cheat Sheet.
"""

from http import HTTPStatus
from typing import Final

import attrs

from ..guard import Guard, Mode, Refusal, Response
from ..jampy.failures import clean_answer, real_status
from ..request import Request

FAILED: Final = Refusal(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    reason="application-failed",
    sentence="failed",
    courtesy=True,
)


@attrs.frozen(kw_only=True, eq=False)
class Errors(Guard):
    """Answer exceptions of the application, and give its error pages their real status.

    Fails closed. Does not change what an error page of the application says, nor the
    message of an exception that Jam.py puts into its own answer. A failure after the first
    byte went out is only logged: the server cuts the answer off.
    """

    mode: Mode = "enforce"

    def failed(self, request: Request, error: Exception) -> Refusal | None:
        if request.site.project:
            meant = clean_answer(request, error)
            if meant:
                return meant
        request.site.log.failure(request, error)
        return FAILED

    def finish(self, request: Request, response: Response) -> None:
        if response.status.startswith("500") and request.site.project:
            response.status = real_status() or response.status
