"""Decisions that wait until Jam.py itself has said what it takes a request for.

Whether a request is a call, an upload or a page of the builder is plain once Jam.py's own
method for it runs: a project's `on_request` may have answered before, a middleware behind
the shield may have led another path there. And the body, or the form, has then been read by
Jam.py's own parser, so there is nothing to differ about.
"""

from collections.abc import Callable
from typing import Any

import attrs

from .guard import BROKEN, Guard, Refusal, Refused, reports
from .jampy.calls import Taken
from .request import LATE, Request

Decision = Callable[[Request, Taken], Refusal | None]


def decide(environ: dict[str, Any], taken: Taken) -> None:
    """Ask the guards that wait, outermost first. Raises `Refused` when one refuses."""
    waiting: list[tuple[Request, Guard, Decision]] = environ.get(LATE, [])
    for request, guard, decision in waiting:
        try:
            refusal = decision(request, taken)
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - a guard's own bug never takes the site down
            request.site.log.broken(request, guard.name, guard.fails)
            refusal = BROKEN if guard.fails == "closed" else None
        if refusal is None:
            continue
        if not reports(guard):
            raise Refused(attrs.evolve(refusal, guard=guard.name))
        request.site.log.refusal(request, refusal, guard.name, enforced=False)
