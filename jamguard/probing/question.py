"""What a row of the probe's table is, and what its rows have in common."""

import json
from collections.abc import Callable, Iterable
from typing import Final, Literal

import attrs

from .ask import Ask, Asked
from .judge import Judge

#: how bad it is when a row fails
Severity = Literal["critical", "high", "medium", "low"]

FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
JSON: Final = ("Content-Type", "application/json;charset=utf-8")
TEXT: Final = ("Content-Type", "text/plain")
#: a login that cannot succeed, and whose failures lock out nobody
NOBODY: Final = b"login=jamguard-probe&password=wrong"

PROXY: Final = "Behind a proxy, name it: [tool.jamguard.proxy] trusted"
BUILDERS: Final = "Who may build: [tool.jamguard.builder] allow"
SAFE_MODE: Final = "Tick Safe mode in the Application Builder, under Project, Parameters"


def hardened(guard: str, more: str = "") -> str:
    """Advise to harden the application, and say which guard to look at if it is."""
    return f"Harden the application; the guard {guard} does this{more and '. ' + more}"


def everywhere(_: Asked) -> str:
    """Ask it of every site."""
    return ""


@attrs.frozen
class Question:
    """A row of the table."""

    id: str
    asks: str  #: what nobody must have, or what must be there
    severity: Severity
    advice: str  #: what to do when it fails
    requests: tuple[Ask, ...] = attrs.field(repr=False)
    #: what an attacker has got by the answers; `""` is nothing
    got: Judge
    #: why a site is not asked; `""` where it is
    unless: Callable[[Asked], str] = everywhere


def get(target: str, *headers: tuple[str, str]) -> Ask:
    """Ask for a page or a file."""
    return Ask("GET", target, headers)


def call_body(method: str, task: int) -> bytes:
    """Write a call that takes nothing and changes nothing."""
    return json.dumps([method, task, 0, None, 0]).encode()


def call(method: str, task: int, *headers: tuple[str, str]) -> Ask:
    """Send a call, as Jam.py's client does unless there are other headers."""
    return Ask("POST", "/api", headers or (JSON,), call_body(method, task))


def files(folders: Iterable[str], names: Iterable[str]) -> tuple[Ask, ...]:
    """Ask for files, each of them in each of the folders."""
    names = tuple(names)
    return tuple(get(folder + name) for folder in folders for name in names)
