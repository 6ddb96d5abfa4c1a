"""Any Cookie header, read by Jam.py itself with the guard: by v7's parser and by v5's."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.inside import inside
from support.projects import copy

#: what stands for a value: of the application, of the builder, and from before the guard
VALUES: Final = ("<application>", "<builder>", "<plain>")


def spellings(value: str) -> list[str]:
    right = [value] * 8
    quoted = [f'"{value}"', f"<octal>{value}<octal>", f'"{value}', f'{value}"', f"'{value}'"]
    blank = [f" {value} ", f"{value}\t", f"x {value}", f"{value}\xa0"]
    return [*right, *quoted, *blank, f'"x; <BUILDER>={value}; y"', f"{value},{value}", f"{value}-"]


def names(name: str) -> list[str]:
    prefixed = [f"__Host-{name}", f"__Host-{name}", f"__host-{name}", f"__Secure-{name}"]
    return [*[name] * 6, *prefixed, f'"{name}"', f"<octal>{name}<octal>", f" {name}", f"{name}\t"]


PAIRS: Final = st.builds(
    "{}{}{}".format,
    st.sampled_from(
        [*names("<APP>"), *names("<BUILDER>"), "a", "", "\xc3\xa4", "\xe4", "other_session_8000"]
    ),
    st.sampled_from([*["="] * 6, " = ", "\t=\t", "", "=="]),
    st.sampled_from([*(one for value in VALUES for one in spellings(value)), "", "a?b=c", "x"]),
)
JUNK: Final = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=8), st.just("$Version=1")
)
HEADERS: Final = st.builds(
    str.join,
    st.sampled_from(["; ", "; ", "; ", ";", ", ", " ;", ";;", "\t"]),
    st.lists(st.one_of(PAIRS, PAIRS, PAIRS, JUNK), min_size=1, max_size=6),
)

#: reads each header of `HEADERS`; `APP` and `BUILDER` are the names of the two cookies
READ: Final = """
import jam.wsgi
import re
from support.sessions import BUILDER, signed
from jamguard import Shield
from jamguard.guards.session import Session
from jamguard.request import KEY, Request

app = Shield(create_application("."), [Session()])
project = app.site.project
sessions = project.sessions
tasks = {"application": project.app.task, "builder": project.app.admin}
key = project.app.admin.secret_key

def made(uuid):
    return signed({"uuid": uuid, "user_info": {"user_id": 1, "admin": True}}, key)

STAND_FOR = {
    "<APP>": APP,
    "<BUILDER>": BUILDER,
    "<application>": sessions.seal.close(made("application"), "application", 1, 1),
    "<builder>": sessions.seal.close(made("builder"), "builder", 1, 1),
    "<plain>": made("plain"),
}

def octal(match):
    return '"' + "".join(f"\\\\{ord(letter):03o}" for letter in match[1]) + '"'

def read(header):
    for word, meaning in STAND_FOR.items():
        header = header.replace(word, meaning)
    header = re.sub("<octal>(.*?)<octal>", octal, header)
    env = environ(HTTP_COOKIE=header)
    env[KEY] = Request(env, app.site)
    request = jam.wsgi.JamRequest(env)
    seen = {}
    for kind, task in tasks.items():
        request.task = task
        seen[kind] = (request.client_cookie.get("info") or {}).get("uuid")
    assert dict(request.cookies) == dict(jam.wsgi.Request(environ(HTTP_COOKIE=header)).cookies)
    proved = sessions.proved(environ(HTTP_COOKIE=header))
    seen["told"] = [session and session.uuid for session in (proved.application, proved.builder)]
    return seen

result = [[read(header) for header in HEADERS]]
sessions.rules = None
result += [[read(header) for header in HEADERS]]
"""


@pytest.fixture(scope="module")
def headers() -> list[str]:
    made: list[str] = []

    @settings(
        max_examples=600,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(HEADERS)
    def collect(header: str) -> None:
        made.append(header)

    collect()
    return made


def check(headers: list[str], guarded: list[Any], plain: list[Any]) -> None:
    application = [seen["application"] for seen in guarded if seen["application"]]
    builder = [seen["builder"] for seen in guarded if seen["builder"]]
    assert set(application) == {"application", "plain"}
    assert set(builder) == {"builder"}
    # without the seal Jam.py takes one for the other
    assert "plain" in {seen["builder"] for seen in plain}
    for header, seen in zip(headers, guarded, strict=True):
        told_application, told_builder = seen["told"]
        assert told_builder == seen["builder"], header
        assert told_application or not seen["application"], header


def test_no_header_makes_one_kind_of_cookie_of_the_other(
    headers: list[str], demo_project: Path, tmp_path: Path
) -> None:
    project = copy(demo_project, tmp_path / "project")
    code = f'APP = "demo_session_8000"\nHEADERS = json.loads({json.dumps(headers)!r})\n'
    check(headers, *inside(project, code + READ))


def test_nor_by_the_parser_of_v5(
    headers: list[str], v5_project: Path, v5_python: Path, tmp_path: Path
) -> None:
    project = copy(v5_project, tmp_path / "project")
    code = f'APP = "demo5_session"\nHEADERS = json.loads({json.dumps(headers)!r})\n'
    check(headers, *inside(project, code + READ, python=v5_python))
