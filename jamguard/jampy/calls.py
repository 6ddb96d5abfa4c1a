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

#: where a request says what to do when it turns out to be the builder's
ON_BUILDER: Final = "jamguard.on-builder"


def is_builder_call(body: bytes) -> bool:
    """Say whether Jam.py takes a body of `/api` for a call to the builder (task 0)."""
    if APPLICATION_CALL.match(body):
        return False
    try:
        _, task_id, _, _, _ = json.loads(body.decode())
    except (ValueError, TypeError, RecursionError):
        return False  # Jam.py cannot take it apart either
    return bool(task_id == 0)


def watch(project: "Project") -> None:
    """Let Jam.py itself say which requests it takes for the builder's.

    It has the body by then: reading and parsing it here as well would cost twice, and an
    upload is streamed to disk by the form parser. And where a middleware between the shield and
    Jam.py changes the path, such as a prefix, only Jam.py knows where a request has gone.
    """
    for name, is_builders in WATCHED.items():
        answer = getattr(project.app, name, None)
        if answer and not hasattr(answer, "watched"):
            setattr(project.app, name, _watched(answer, is_builders))


def _watched(answer: "Callable[..., Any]", is_builders: "Callable[[Any], bool]") -> Any:  # noqa: ANN401 - Jam.py has no types
    def watched(request: Any, *rest: Any) -> Any:  # noqa: ANN401 - as above
        tell: Callable[[], None] | None = request.environ.get(ON_BUILDER)
        if tell and is_builders(request):
            tell()
        return answer(request, *rest)

    watched.watched = True  # type: ignore[attr-defined] # functions take attributes
    return watched


def _is_builders_page(_: Any) -> bool:  # noqa: ANN401 - Jam.py has no types
    return True


def _is_builders_call(request: Any) -> bool:  # noqa: ANN401 - as above
    return request.method == "POST" and is_builder_call(request.get_data())


def _is_builders_upload(request: Any) -> bool:  # noqa: ANN401 - as above
    return request.method == "POST" and _is_zero(request.form.get("task_id"))


def _is_zero(task_id: str | None) -> bool:
    try:
        return int(task_id) == 0  # type: ignore[arg-type] # None ends as in Jam.py
    except (TypeError, ValueError):
        return False  # Jam.py cannot read it either


#: methods of Jam.py's `App` -> whether the request they answer is the builder's
WATCHED: Final[dict[str, "Callable[[Any], bool]"]] = {
    "on_builder": _is_builders_page,
    "on_api": _is_builders_call,
    "on_upload": _is_builders_upload,
}
