"""Give each request a name that the client, the log and the proxy share.

A name that comes with the request is kept only from a declared proxy, and only if it is
plain: a stranger's could forge log lines or collide with another's.
"""

import re
from typing import Final

import attrs

from ..guard import Guard, Refusal, Response
from ..request import Request

HEADER: Final = "X-Request-ID"
VALID: Final = re.compile(r"[A-Za-z0-9_.=+/-]{8,64}", re.ASCII)


@attrs.frozen(kw_only=True, eq=False)
class RequestId(Guard):
    """Put `X-Request-ID` on every answer and, for the application, into the environ.

    Fails open. Accepts the name that a declared proxy gives, else makes one of 64 bits.
    """

    fails = "open"

    def check(self, request: Request) -> Refusal | None:
        environ = request.environ
        given = environ.get("HTTP_X_REQUEST_ID")
        if given and request.peer_trusted and VALID.fullmatch(given):
            request.id = given
        environ["HTTP_X_REQUEST_ID"] = request.id
        return None

    def finish(self, request: Request, response: Response) -> None:
        response.replace(HEADER, request.id)  # the name that the log has
