"""Decisions that wait until Jam.py itself has said what it takes a request for.

Whether a request is a call, an upload, a page of the builder or an attempt to log in is plain
once Jam.py's own method for it runs: a project's `on_request` may have answered before, a
middleware behind the shield may have led another path there. And the body, or the form, has
then been read by Jam.py's own parser, so there is nothing to differ about.
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from .guard import BROKEN, Guard, Refused, reports
from .jampy.calls import Taken
from .jampy.logins import Attempt
from .plan import Late, Plan
from .request import Request

#: where the environ has the plans whose guards wait, the outermost shield's first
WAITING: Final = "jamguard.waiting"
Waiting = list[tuple[Request, Plan]]


def decide(environ: dict[str, Any], taken: Taken) -> None:
    """Ask the guards that wait, outermost first. Raises `Refused` when one refuses."""
    waiting: Waiting = environ.get(WAITING, [])
    for request, plan in waiting:
        request.taken = taken
        _ask(request, plan.taken, taken)


def admit(environ: dict[str, Any], attempt: Attempt) -> None:
    """Ask the guards about an attempt to log in. Raises `Refused` when one refuses."""
    waiting: Waiting = environ.get(WAITING, [])
    for request, plan in waiting:
        _ask(request, plan.attempt, attempt)


def tell(attempt: Attempt, succeeded: bool | None) -> None:
    """Tell the guards, innermost first, what has become of an attempt; None: it was refused."""
    for request, guard, hear in reversed(attempt.afterwards):
        try:
            hear(succeeded)
        except Exception:  # noqa: BLE001 - Jam.py has decided; the other guards still have to hear
            request.site.log.broken(request, guard.name, guard.fails)


def _ask(request: Request, hooks: Iterable[tuple[Guard, Late]], about: object) -> None:
    for guard, hook in hooks:
        try:
            refusal = hook(request, about)
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
