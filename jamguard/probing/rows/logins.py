"""What is had without a login."""

from collections.abc import Iterable

from .. import judge
from ..ask import Ask
from ..judge import of_any
from ..question import BUILDERS, FORM, NOBODY, PROXY, SAFE_MODE, Question, call, get, hardened


def rows() -> Iterable[Question]:
    """Ask how far one gets without a password."""
    yield Question(
        "no-login",
        "The application wants a login",
        "high",
        SAFE_MODE,
        (call("load", 1),),
        of_any(judge.carried_out),
    )
    yield Question(
        "guessing",
        "Nobody tries one password after another",
        "high",
        hardened("login", PROXY),
        (Ask("POST", "/login.html", (FORM,), NOBODY),) * 8,
        judge.guesses,
        unless=lambda site: (
            "an address of this machine is never locked out; ask from another"
            if site.loopback
            else ""
        ),
    )
    yield Question(
        "builder-pages",
        "No page of the Application Builder",
        "high",
        hardened("builder", BUILDERS),
        tuple(
            get(path)
            for path in (
                "/builder.html",
                "/builder.html/x",
                "/%62uilder.html",
                "/admin.html",
                "/builder_login.html",
                "/builder_login.html/x",
                "/builder_login.htm%6c",
            )
        ),
        of_any(judge.a_builder),
    )
    yield Question(
        "builder-open",
        "No building without a login: any SQL, any file",
        "critical",
        f"{SAFE_MODE}. {hardened('builder')}",
        (call("load", 0),),
        of_any(judge.carried_out),
    )
