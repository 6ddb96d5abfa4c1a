"""Let only calls through that Jam.py's own client could have made.

`/api` calls whatever attribute of an item a call names, such as the one that runs SQL, and
pastes values of a call into the text of its SQL. Any user of the application, and without
its safe mode anybody, could read and change the whole database. What may be in a call is
checked against the running project.

Source: CWE-89 (SQL injection), CWE-749 (exposed dangerous function), CWE-20.
"""

import re
from http import HTTPStatus
from typing import Any, Final

import attrs

from ..guard import Guard, Mode, Refusal, reports
from ..jampy.calls import Call, Taken
from ..jampy.changes import check_apply
from ..jampy.functions import Imported, check_server, is_private
from ..jampy.routes import API, UPLOAD
from ..jampy.rules import (
    FUNCTIONS,
    OF_THE_TASK,
    Breach,
    Rules,
    Unknown,
    Unquotable,
    check_envelope,
    check_open,
    check_print,
)
from ..jampy.tree import find_item, is_v5, load_task
from ..jampy.uploads import check_upload
from ..jampy.v5 import breaks_login, pastes_text, quote_call, quote_filters
from ..request import Request
from ..routes import HEALTH, OTHER, Route
from ..site import Site

#: where Jam.py may take a request for a call or an upload, also by what is between the two
WATCHED: Final = (API, UPLOAD, OTHER, HEALTH)

SQL_FUNCTION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
EXPOSED: Final = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*")

#: characters of a refused call that the log has
LOGGED: Final = 200

HOSTILE: Final = Refusal(status=HTTPStatus.BAD_REQUEST, reason="", sentence="bad-request")
OUT_OF_DATE: Final = Refusal(
    status=HTTPStatus.CONFLICT, reason="", sentence="out-of-date", courtesy=True
)
NO_LOGIN: Final = Refusal(status=HTTPStatus.FORBIDDEN, reason="", courtesy=True)
NOT_EXPOSED: Final = Refusal(status=HTTPStatus.FORBIDDEN, reason="", courtesy=True)


def _sql_functions(_: object, __: object, names: tuple[str, ...]) -> None:
    for name in names:
        if not SQL_FUNCTION.fullmatch(name):
            raise ValueError(f'has {name!r}: write the name of an SQL function, such as "total"')


def _exposed(_: object, __: object, names: tuple[str, ...]) -> None:
    for name in names:
        if not EXPOSED.fullmatch(name):
            raise ValueError(f'has {name!r}: write item and function, such as "customers.hello"')
        if is_private(name.partition(".")[2]):
            raise ValueError(f"has {name!r}: such a function is never exposed, so rename it")


def _functions(api: "Api") -> frozenset[str]:
    return FUNCTIONS | {name.lower() for name in api.sql_functions}


@attrs.frozen(kw_only=True, eq=False)
class Api(Guard):
    """Refuse calls and uploads that are malformed, hostile or out of date.

    Values that Jam.py binds as parameters may be any text. A bare text in an `IN` list,
    which Jam.py's client sends and Jam.py pastes, is put between quotes. Fails closed. Does
    not look at who asks: rights are Jam.py's business.
    """

    mode: Mode = "enforce"
    #: aggregates of the database that `__funcs` may name besides count, sum, avg, min and max
    sql_functions: tuple[str, ...] = attrs.field(default=(), validator=_sql_functions)
    #: `item.function` that a server module imports, and that clients may call all the same
    exposed: tuple[str, ...] = attrs.field(default=(), validator=_exposed)

    _functions: frozenset[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_functions, takes_self=True)
    )

    def concerns(self, route: Route) -> bool:
        return route in WATCHED

    def start(self, site: Site) -> None:
        if site.project and not reports(self) and not quote_filters():
            site.notice("JG021")

    def taken(self, request: Request, taken: Taken) -> Refusal | None:
        del request
        if taken.place == "builder" or taken.jams.method != "POST":
            return None
        try:
            try:
                self._judge(taken)
            except Unknown:
                # another process may have saved it: Jam.py looks in its next line
                taken.app.check_build()
                self._judge(taken)
        except Breach as breach:
            return _refusal(breach)
        return None

    def _judge(self, taken: Taken) -> None:
        """Raise `Breach` where a rule says no; mend what only has to be quoted."""
        if taken.place == "upload":
            check_upload(taken.app, taken.form, taken.jams.files)
            return
        call = check_envelope(taken.call, v5=is_v5(taken.app))
        if call.method in OF_THE_TASK:
            if call.method == "login" and self._breaks(call, taken.app):
                raise Unquotable("password")
            return
        task = load_task(taken.app, call.task_id)
        if task is None or call.task_id != task.ID:
            raise Unknown("task")
        if call.method == "apply":
            # which value is the key, and how Jam.py pastes it, may be another in a new build
            taken.app.check_build()
        item = taken.item = find_item(task, call.item_id)
        if item is None:
            raise Unknown("item")
        if call.method == "server":
            check_server(item, call.params, self.exposed)
        elif call.method == "print":
            check_print(item, call.params)
        else:
            self._check_records(taken, call, task, item)

    def _check_records(self, taken: Taken, call: Call, task: Any, item: Any) -> None:  # noqa: ANN401 - Jam.py has no types
        rules = Rules.of(taken.app, task, self._functions)
        if call.method == "apply":
            check_apply(rules, item, call.params)
            return
        check_open(rules, item, call.params)
        if reports(self):
            return  # Jam.py gets what was sent
        for values, place, text in rules.mends:
            values[place] = text
        pastes = pastes_text()
        if pastes:
            quote_call(call, item)
        if pastes or rules.mends:
            taken.rewrite(call)

    def _breaks(self, call: Call, app: Any) -> bool:  # noqa: ANN401 - Jam.py has no types
        """Say whether Jam.py v5, which could not be patched, pastes more than a password."""
        return pastes_text() and not reports(self) and breaks_login(call, app)


def _refusal(breach: Breach) -> Refusal:
    answer = HOSTILE
    if isinstance(breach, Unquotable):
        answer = NO_LOGIN
    elif isinstance(breach, Unknown):
        answer = NOT_EXPOSED if isinstance(breach, Imported) else OUT_OF_DATE
    return attrs.evolve(
        answer, reason=breach.reason, detail=str(breach)[:LOGGED], probe=breach.probe
    )
