"""What a session cookie proves behind the guard: asked of Jam.py itself.

The guard works where Jam.py reads and writes its cookies, so nearly all of this runs beside
a real Jam.py, in a process of its own. The tests of the values are in `tests/jampy`.
"""

from pathlib import Path
from typing import Any, Final

import pytest
from support.inside import inside
from support.projects import copy

CLERK_ID: Final = 2
ADMIN_ID: Final = 1

#: `clerk` and `boss` are sealed values, of the application and of the builder; `plain` and
#: `plain_boss` are what plain Jam.py makes
BEFORE: Final = """
import logging
from support.projects import ADMIN, CLERK, User
from support.sessions import *
from jamguard import Shield
from jamguard.guards.session import Session
from jamguard.jampy.project import Project

class Lines(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())

lines = []
logging.getLogger("jamguard").addHandler(Lines())

jam = create_application(".")
(plain,) = map(value, log_in(jam, "/login.html", CLERK))
(plain_boss,) = map(value, log_in(jam, "/builder_login.html", ADMIN))
app = Shield(jam, [Session()])
project = app.site.project
(clerk,) = map(value, log_in(app, "/login.html", CLERK))
(boss,) = map(value, log_in(app, "/builder_login.html", ADMIN))
app_cookie, builder_cookie = f"{APP}={clerk}", f"{BUILDER}={boss}"
lines.clear()
"""

APP, BUILDER = "demo_session_8000", "admin_session_8000"
HOST_APP, HOST_BUILDER = f"__Host-{APP}", f"__Host-{BUILDER}"

#: a Cookie header, as the inside of a Python f-string -> whom Jam.py takes the sender for, in
#: the application and in the builder
HEADERS: Final[dict[str, tuple[str, int | None, int | None]]] = {
    "the application's": (f"{APP}={{clerk}}", CLERK_ID, None),
    "the builder's": (f"{BUILDER}={{boss}}", None, ADMIN_ID),
    "both": (f"{APP}={{clerk}}; {BUILDER}={{boss}}", CLERK_ID, ADMIN_ID),
    "both, the other way round": (f"{BUILDER}={{boss}}; {APP}={{clerk}}", CLERK_ID, ADMIN_ID),
    "among others": (f"a=b; {APP}={{clerk}}; theme=dark", CLERK_ID, None),
    "the application's as the builder's": (f"{BUILDER}={{clerk}}", None, None),
    "the builder's as the application's": (f"{APP}={{boss}}", None, None),
    "as both": (f"{APP}={{clerk}}; {BUILDER}={{clerk}}", CLERK_ID, None),
    "as both, the other way round": (f"{BUILDER}={{clerk}}; {APP}={{clerk}}", CLERK_ID, None),
    "changed places": (f"{APP}={{boss}}; {BUILDER}={{clerk}}", None, None),
    "doubled, the right one first": (f"{BUILDER}={{boss}}; {BUILDER}={{clerk}}", None, ADMIN_ID),
    "doubled, the wrong one first": (f"{BUILDER}={{clerk}}; {BUILDER}={{boss}}", None, None),
    "in quotes": (f'{BUILDER}="{{clerk}}"', None, None),
    "right, in quotes": (f'{APP}="{{clerk}}"', CLERK_ID, None),
    "in octal": (f'{BUILDER}="{{octal(clerk)}}"', None, None),
    "right, in octal": (f'{APP}="{{octal(clerk)}}"', CLERK_ID, None),
    "an open quote": (f'{BUILDER}="{{clerk}}', None, None),
    "a quoted name": (f'"{BUILDER}"={{clerk}}', None, None),
    "blanks": (f"  {BUILDER} = {{clerk}} ;", None, None),
    "a tab": (f"\t{BUILDER}\t=\t{{clerk}}", None, None),
    "in a quoted other one": (f'a="; {BUILDER}={{clerk}}; "', None, None),
    "$Version": (f"$Version=1; {BUILDER}={{clerk}}; $Path=/", None, None),
    "prefixed": (f"{HOST_BUILDER}={{clerk}}", None, None),
    "right, prefixed": (f"{HOST_BUILDER}={{boss}}", None, ADMIN_ID),
    "prefixed, and not": (f"{APP}=junk; {HOST_APP}={{clerk}}", CLERK_ID, None),
    "junk, prefixed": (f"{HOST_APP}=junk; {APP}={{clerk}}", None, None),
    "empty, prefixed": (f"{HOST_APP}=; {APP}={{clerk}}", CLERK_ID, None),
    "prefixed twice": (f"__Host-{HOST_BUILDER}={{boss}}", None, None),
    "in capitals": (f"{BUILDER.upper()}={{boss}}", None, None),
    "of another project": ("other_session_8000={clerk}", None, None),
    "of another port": ("demo_session_80={clerk}", None, None),
    "the tag cut off, for the builder": (f"{BUILDER}={{untagged(boss)}}", None, None),
    "the application's tag cut off": (f"{APP}={{untagged(clerk)}}", CLERK_ID, None),
    "half a tag": (f"{APP}={{clerk[:-9]}}", None, None),
    "another tag": (f"{APP}={{clerk[:-22]}}{{boss[-22:]}}", None, None),
    "two tags": (f"{BUILDER}={{clerk}}{{boss[-41:]}}", None, None),
    "another time of login": (f"{APP}={{untagged(clerk)}}.1{{clerk[-40:]}}", None, None),
    "a value with another's tag": (f"{BUILDER}={{untagged(clerk)}}{{boss[-41:]}}", None, None),
    "from before jamguard": (f"{APP}={{plain}}", CLERK_ID, None),
    "the builder's from before": (f"{BUILDER}={{plain_boss}}", None, None),
    "the application's from before, as the builder's": (f"{BUILDER}={{plain}}", None, None),
    "odd base64": (f"{APP}=a?b=c", None, None),
    "no value": (APP, None, None),
    "nothing": ("", None, None),
    "very long": (f"{APP}={{clerk}}; a={{'x' * 100_000}}", CLERK_ID, None),
}


@pytest.fixture(scope="module")
def taken(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Whom Jam.py takes the sender of each header for; and what the guards know."""
    rows = "".join(
        f"result[{name!r}] = ask(f{header!r})\n" for name, (header, _, _) in HEADERS.items()
    )
    code = """
def octal(text):
    return "".join(f"\\\\{ord(letter):03o}" for letter in text)

def untagged(text):
    return text.rsplit(".", 3)[0]

def ask(header):
    proved = project.sessions.proved(environ(HTTP_COOKIE=header))
    # as gunicorn passes header bytes
    users = [who(app, header, 1), who(app, header, 0)]
    return users, [session and session.user_id for session in (proved.application, proved.builder)]

result = {}

"""
    folder = copy(demo_project, tmp_path_factory.mktemp("session") / "project")
    return inside(folder, BEFORE + code + rows)


@pytest.mark.parametrize("name", HEADERS)
def test_a_value_counts_only_as_what_it_was_made_for(name: str, taken: Any) -> None:
    _, application, builder = HEADERS[name]
    users, _ = taken[name]
    assert users == [application, builder]
