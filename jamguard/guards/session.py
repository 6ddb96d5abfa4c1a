"""Let a session cookie prove no more, and no longer, than it was made for.

Jam.py signs the value of a session cookie but not its name, so the application's cookie of
any user opens the Application Builder. It keeps no list of sessions either: a copy of a
cookie is good after its owner has logged out, and after the user has been deleted.

Source: CWE-565 (reliance on cookies without validation), CWE-613 (insufficient session
expiration), RFC 6265bis section 4.1.3 (cookie name prefixes), OWASP ASVS 3.3.
"""

from http import HTTPStatus

import attrs

from ..guard import Guard, Mode, Refusal, reports
from ..jampy.cookies import seal_cookies
from ..jampy.sessions import Rules
from ..request import Request
from ..site import Site
from ..values import Duration


@attrs.frozen(kw_only=True, eq=False)
class Session(Guard):
    """Seal Jam.py's session cookies, and take away the sessions that do not count.

    A request whose session is taken away is not refused: Jam.py answers it as it answers
    whoever is not logged in. It asks Jam.py's signature first, and Jam.py's own table of
    users only where the project has no `on_login`. Over https the cookies get the prefix
    `__Host-`; those without it still count. Fails closed, but for that table: while it
    cannot be read nobody is logged out.
    """

    mode: Mode = "enforce"
    #: a session ends when it was not used for so long; 0 leaves that to Jam.py's timeout
    idle: Duration = Duration(0)
    #: a session ends so long after its login, however much it is used; 0 for never
    absolute: Duration = Duration(0)

    def start(self, site: Site) -> None:
        project = site.project
        if project is None:
            return  # an application that is not Jam.py's keeps its own sessions

        if not seal_cookies():
            site.notice("JG019")
            return
        enforced = not reports(self)

        def log(request: Request, flaw: str) -> None:
            refusal = Refusal(status=HTTPStatus.UNAUTHORIZED, reason=flaw)
            site.log.refusal(request, refusal, self.name, enforced=enforced)

        project.sessions.rules = Rules(
            idle=self.idle,
            absolute=self.absolute,
            enforced=enforced,
            marks=site.store.marks,
            log=log,
            unreadable=lambda failure: site.notice("JG018", failure=failure),
        )
