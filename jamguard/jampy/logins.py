"""How Jam.py logs somebody in, told by Jam.py itself.

Every attempt goes through `App.login`: the forms of v7, `/login.html` and
`/builder_login.html`, and the call `login` of v5, whatever path led there and however it was
written. It sleeps 0.3 seconds, asks the project's `on_login`, or else looks the name up in its
own table of users, and returns nothing where it lets nobody in.

Jam.py compares names to the letter, but for spaces around them (`login_user`).
"""

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..guard import Guard, Refused
from .calls import REFUSED
from .tree import is_v5

if TYPE_CHECKING:
    from ..request import Request
    from ..routes import Form
    from .project import Project

#: characters of a name; nobody is called by more
MOST_NAME: Final = 100
#: as many may be sent, most of them blanks and what cannot be seen
MOST_SENT: Final = 1000
#: letters that databases take for others, and that Unicode does not take apart
ALIKE: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"}
)
#: hears whether an attempt let somebody in; None for one that Jam.py never looked at
Hear = Callable[[bool | None], None]


@attrs.frozen(eq=False)
class Attempt:
    """One attempt to log in, before Jam.py looks at the password."""

    #: as it is counted, see `fold`; empty for one that is no name
    name: str
    builder: bool  #: whether it is for the Application Builder
    #: whether somebody can have such a name, or the project's own `on_login` asks for another
    possible: bool
    #: whoever wants to hear what has become of it
    afterwards: list[tuple["Request", Guard, Hear]] = attrs.field(
        factory=list[tuple["Request", Guard, Hear]], repr=False
    )

    @classmethod
    def of(cls, app: Any, task: Any, form: Any) -> "Attempt":  # noqa: ANN401 - Jam.py has no types
        """Read what Jam.py's `App.login` was given."""
        try:
            name = form["login"]
        except (LookupError, TypeError):
            name = None
        builder = task is app.admin
        if isinstance(name, str):
            folded = fold(name)
            return cls(folded or "", builder, folded is not None)
        own = not (builder or task.on_login is None)
        if name is None:
            return cls("", builder, own)
        # a number in a call of v5, which a database compares with a text
        folded = fold(str(name)) if isinstance(name, int | float) else None
        return cls(folded or "", builder, own and folded is not None)


def fold(name: str) -> str | None:
    """Return a name as it is counted, or None for one that is too long to be anybody's.

    A project's own `on_login` leaves it to its database what is the same: MySQL ignores case,
    accents and what cannot be seen, so none of these makes another name here.
    """
    if len(name) > MOST_SENT:
        return None
    letters = unicodedata.normalize("NFKD", name).casefold().translate(ALIKE)
    folded = "".join(one for one in letters if unicodedata.category(one)[0] not in "CM").strip()
    return folded if len(folded) <= MOST_NAME else None


def watch_logins(
    project: "Project",
    tell: Callable[[dict[str, Any], Attempt], None],
    told: Callable[[Attempt, bool | None], None],
) -> None:
    """Have Jam.py tell who wants to log in, and afterwards whether that succeeded.

    `tell` gets the environ, and may raise `Refused` before Jam.py looks at the password.
    `told` is called whatever happens.
    """
    app = project.app
    answer = getattr(app, "login", None)
    if answer is None or hasattr(answer, "watched"):
        return

    def watched(request: Any, task: Any, form_data: Any) -> Any:  # noqa: ANN401 - Jam.py has no types
        attempt = Attempt.of(app, task, form_data)
        succeeded = None
        try:
            tell(request.environ, attempt)
            succeeded = False
            session = answer(request, task, form_data)
            succeeded = bool(session)
        except Refused as refused:
            if not is_v5(app):
                raise
            request.environ[REFUSED] = _shown(refused, attempt)
            return None
        finally:
            told(attempt, succeeded)
        return session

    watched.watched = True  # type: ignore[attr-defined] # functions take attributes
    app.login = watched


def _shown(refused: Refused, attempt: Attempt) -> Refused:
    """Have v5's client show a refusal: when it logs in it takes an envelope for a success.

    It writes a page in place of the application, and nothing in place of the builder.
    """
    if not refused.refusal.courtesy:
        return refused
    form: Form = "notice" if attempt.builder else "page"
    return Refused(attrs.evolve(refused.refusal, form=form))
