"""Run guards around a WSGI application.

The law that makes guards composable, for `check`, `finish`, `failed` and `closed`:

    Shield(app, [a, b])  behaves as  Shield(Shield(app, [b]), [a])

So one shield of many guards is many middlewares, at the cost of one: the request is
read once and `start_response` is wrapped once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from .exchange import Exchange, StartResponse
from .guard import Application, Guard, Refused, reports
from .jampy.calls import watch
from .jampy.logins import watch_logins
from .late import WAITING, admit, decide, tell
from .plan import Plan
from .request import KEY, Request
from .routes import Route
from .site import Site


class Shield:
    """Serve `app` behind `guards`, the first one outermost."""

    def __init__(self, app: Application, guards: Sequence[Guard], site: Site | None = None) -> None:
        self.app = app
        self.guards = tuple(guard for guard in guards if guard.enabled)
        #: what the guards know of the application; an inner shield shares its own
        self.site: Site = site or (app.site if isinstance(app, Shield) else Site.of(app))
        self._plans: dict[Route, Plan] = {}
        if self.site.project:
            watch(self.site.project, decide)
            watch_logins(self.site.project, admit, tell)
        for guard in self.guards:
            guard.start(self.site)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, as PEP 3333 has it."""
        request = environ.get(KEY)
        if request is None or not request.serves(environ, self.site):
            request = environ[KEY] = Request(environ, self.site, request)
        plan = self._plans.get(request.route) or self._plan(request.route)
        request.plan = plan
        exchange = Exchange(request, start_response, plan.inside)
        for guard, check, outside in plan.checks:
            try:
                refusal = check(request)
            except Refused as refused:
                refusal = refused.refusal
            except Exception:  # noqa: BLE001 - a guard's own bug never takes the site down
                refusal = exchange.broke(guard)
                if refusal is None:
                    continue
            except BaseException:  # the server ends the worker: what was taken is given back
                exchange.abandon(outside)
                raise
            if refusal is None:
                continue
            if reports(guard):
                self.site.log.refusal(request, refusal, guard.name, enforced=False)
                continue
            return exchange.refuse(refusal, outside, guard.name)
        if plan.taken or plan.attempt:
            environ.setdefault(WAITING, []).append((request, plan))
        return exchange.run(self.app)

    def explain(self) -> str:
        """Describe the guards in order, their settings, and where each came from."""
        return "\n".join(self.site.settings.lines(self.guards))

    def _plan(self, route: Route) -> Plan:
        plan = self._plans[route] = Plan.of(self.guards, route)
        return plan
