"""What a request of one route goes through: its guards' hooks, sorted once.

Which guards answer with a refusal, or with the application, is what stands outside of that
point. So every point has its `Side`, and nothing is worked out while a request is served.
"""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from .guard import Guard, Refusal, Response
from .request import Request
from .routes import Route

Check = Callable[[Request], Refusal | None]
Late = Callable[[Request, Any], Refusal | None]
Finish = Callable[[Request, Response], None]
Failed = Callable[[Request, Exception], Refusal | None]
Closed = Callable[[Request], None]
Closers = tuple[tuple[Guard, Closed], ...]


@attrs.frozen(eq=False)
class Side:
    """The guards outside a point, innermost first: those whose `check` has passed there."""

    finishes: tuple[tuple[Guard, Finish], ...] = ()
    closers: Closers = ()
    #: for a failure: guard, its `failed`, its `closed`, and the guards outside of it
    unwinding: tuple[tuple[Guard, Failed | None, Closed | None, "Side"], ...] = ()

    def within(self, guard: Guard) -> "Side":
        """Return these guards and, inside of them, one more."""
        finish = guard.finish if _overrides(guard, "finish") else None
        failed = guard.failed if _overrides(guard, "failed") else None
        closed = guard.closed if _overrides(guard, "closed") else None
        return Side(
            ((guard, finish), *self.finishes) if finish else self.finishes,
            ((guard, closed), *self.closers) if closed else self.closers,
            ((guard, failed, closed, self), *self.unwinding)
            if failed or closed
            else self.unwinding,
        )


@attrs.frozen(eq=False)
class Plan:
    """What a request of one route goes through."""

    #: guard, its `check`, and the guards outside of it, which answer with it
    checks: tuple[tuple[Guard, Check, Side], ...]
    #: the guards outside of the application: all that the route concerns
    inside: Side
    #: guard and its hook, outermost first, for what only Jam.py knows: see `late`
    taken: tuple[tuple[Guard, Late], ...] = ()
    attempt: tuple[tuple[Guard, Late], ...] = ()

    @classmethod
    def of(cls, guards: Iterable[Guard], route: Route) -> "Plan":
        """Keep the guards that the route concerns, and of them the hooks that do something."""
        side = Side()
        checks: list[tuple[Guard, Check, Side]] = []
        concerned = [guard for guard in guards if guard.concerns(route)]
        for guard in concerned:
            if _overrides(guard, "check"):
                checks.append((guard, guard.check, side))
            side = side.within(guard)
        return cls(
            tuple(checks),
            side,
            tuple((guard, guard.taken) for guard in concerned if _overrides(guard, "taken")),
            tuple((guard, guard.attempt) for guard in concerned if _overrides(guard, "attempt")),
        )

    def outside(self, guard: Guard) -> Side:
        """Return the guards outside of one that checks."""
        return next(side for one, _, side in self.checks if one is guard)


def _overrides(guard: Guard, hook: str) -> bool:
    return getattr(type(guard), hook) is not getattr(Guard, hook)
