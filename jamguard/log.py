"""One line for each refusal, that a person can read and a program can parse.

Everything that a stranger wrote is escaped, so no line can be forged (CWE-117). Passwords,
cookies, query strings and bodies are never logged.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from .notices import QUIET
from .values import Duration

if TYPE_CHECKING:
    from .guard import Refusal
    from .request import Request
    from .stores import Mark

logger = logging.getLogger("jamguard")

LogFormat = Literal["key-value", "json"]

LONGEST = 200  #: characters of a value that a stranger wrote


class Log:
    """Writes events to the logger `jamguard`, as `key=value` pairs or as JSON."""

    def __init__(self, form: LogFormat) -> None:
        self._write = as_json if form == "json" else as_pairs

    def refusal(
        self, request: "Request", refusal: "Refusal", guard: str, *, enforced: bool
    ) -> None:
        """Log a refusal, or in report mode what would have been one."""
        if refusal.quiet:
            return
        fields = {
            "guard": guard,
            "reason": refusal.reason,
            "status": int(refusal.status),
            **facts(request),
        }
        if refusal.detail:
            fields["detail"] = refusal.detail
        event = "refused" if enforced else "would-refuse"
        # an https redirect is no cause for alarm
        level = logging.INFO if 300 <= refusal.status < 400 else logging.WARNING  # noqa: PLR2004
        logger.log(level, "%s", self._write(event, fields))

    def ban(self, request: "Request", mark: "Mark", spared: str) -> None:
        """Log that a ban begins, or would begin if the client were not `spared` for a reason."""
        fields = {
            "network": mark.key,
            "for": str(Duration(mark.left)),
            "times": mark.times,
            "reason": mark.why,
            "id": request.id,
        }
        if spared:
            fields["spared"] = spared
        logger.warning("%s", self._write("would-ban" if spared else "banned", fields))

    def broken(self, request: "Request", guard: str, fails: str) -> None:
        """Log an exception of a guard, with its traceback."""
        outcome = "passed" if fails == "open" else "refused"
        fields = {"guard": guard, "outcome": outcome, **facts(request)}
        logger.error("%s", self._write("guard-failed", fields), exc_info=sys.exception())

    def locked(self, request: "Request", guard: str, *, enforced: bool, **more: object) -> None:
        """Log that somebody is locked out from now on, or in report mode would have been."""
        fields = {"guard": guard, **more, **facts(request)}
        logger.warning("%s", self._write("locked" if enforced else "would-lock", fields))

    def late(self, request: "Request", event: str, stack: str = "", **more: object) -> None:
        """Log what becomes of a request that takes too long, and where it is stuck."""
        fields = {"guard": "timeout", **more, **facts(request)}
        if stack and self._write is as_json:
            fields["stack"] = stack
            stack = ""
        logger.warning("%s", "\n".join(filter(None, (self._write(event, fields), stack.rstrip()))))

    def failure(self, request: "Request", error: Exception) -> None:
        """Log an exception of the application, with its traceback."""
        fields = {"error": type(error).__name__, **facts(request)}
        logger.error("%s", self._write("application-failed", fields), exc_info=error)

    def notice(self, number: str, text: str) -> None:
        """Log something that the operator should know, under its stable id."""
        level = logging.INFO if number in QUIET else logging.WARNING
        logger.log(level, "%s", self._write("notice", {"id": number, "text": text}))


def facts(request: "Request") -> dict[str, Any]:
    """Collect what identifies a request."""
    return {
        "id": request.id,
        "client": request.client.text or request.client.key,
        "method": request.method[:LONGEST],
        "path": request.path[:LONGEST],
    }


def as_pairs(event: str, fields: dict[str, Any]) -> str:
    """Write `event key=value ...`; a value that is not plain is quoted and escaped."""
    return " ".join([event, *(f"{key}={_plain(value)}" for key, value in fields.items())])


def as_json(event: str, fields: dict[str, Any]) -> str:
    """Write one JSON object on one line."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, "event": event, **fields})


def _plain(value: object) -> str:
    text = str(value)
    if text and text.isascii() and text.replace("-", "").replace(".", "").isalnum():
        return text
    return json.dumps(text)
