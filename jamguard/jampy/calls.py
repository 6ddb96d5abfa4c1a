"""Jam.py's calls: what `/api` and `/upload` take for the Application Builder's.

Decided with Jam.py's own steps (`jam/wsgi.py`, `on_api`, `on_upload`), so there is no
spelling that the two read differently: `0`, `-0`, `0.0`, `false` and `1e-400` all equal
zero in Python, and `int()` reads `" 0"`, `"+0"` and `"0_0"`.
"""

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .project import Project

#: a call whose task is a plain positive number: whatever follows, that is not zero
APPLICATION_CALL: Final = re.compile(rb'\s*\[\s*"[a-z]{1,20}"\s*,\s*[1-9][0-9]{0,17}\s*,')

#: where a request says what to do when its upload turns out to be the builder's
ON_BUILDER_UPLOAD: Final = "jamguard.on-builder-upload"


def is_builder_call(body: bytes) -> bool:
    """Say whether Jam.py takes a body of `/api` for a call to the builder (task 0)."""
    if APPLICATION_CALL.match(body):
        return False
    try:
        _, task_id, _, _, _ = json.loads(body.decode())
    except (ValueError, TypeError, RecursionError):
        return False  # Jam.py cannot take it apart either
    return bool(task_id == 0)


def watch_uploads(project: "Project") -> None:
    """Let Jam.py say, of the form that it has just read, whether it is the builder's.

    An upload is streamed to disk by the form parser; reading it here as well would cost
    twice, and two parsers could differ.
    """
    on_upload = project.app.on_upload
    if hasattr(on_upload, "watched"):
        return

    def watched(request: Any) -> Any:  # noqa: ANN401 - Jam.py has no types
        tell: Callable[[], None] | None = request.environ.get(ON_BUILDER_UPLOAD)
        if tell and request.method == "POST" and _is_zero(request.form.get("task_id")):
            tell()
        return on_upload(request)

    watched.watched = True  # type: ignore[attr-defined] # functions take attributes
    project.app.on_upload = watched


def _is_zero(task_id: str | None) -> bool:
    try:
        return int(task_id) == 0  # type: ignore[arg-type] # None ends as in Jam.py
    except (TypeError, ValueError):
        return False  # Jam.py cannot read it either
