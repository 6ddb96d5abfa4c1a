"""jamguard's own settings, against the project and the machine."""

import ast
import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from stat import S_IMODE, S_IROTH
from typing import Any, Final

import attrs

from ..config import kebab, setting_fields, shown
from ..guard import Guard, reports
from ..guards.api import Api
from ..guards.builder import Builder
from ..guards.headers import Headers
from ..guards.host import Host
from ..guards.https import Https
from ..guards.proxy import Proxy
from ..stores.choose import PROCESS, public
from .admin import name_of, text
from .disk import is_file, listed, status
from .findings import Finding, Place
from .source import functions, literal, parse, statements
from .starts import GUNICORN, gunicorn_settings, start_files
from .target import Target

#: guards that only add to an answer: without them nothing is open
COURTESY: Final = frozenset({"request-id", "https"})
#: several worker processes in a command, or in the environment
WORKERS: Final = re.compile(
    r"^[^#]*(?:--workers|gunicorn\b.* -w|WEB_CONCURRENCY)[ =]\s*(?:[2-9]|\d{2,})\b"
)
#: what a proxy's own settings say to send requests on
PASSES: Final = re.compile(
    r"^\s*(?:proxy_pass|uwsgi_pass|ProxyPass|reverse_proxy)\b", re.IGNORECASE
)
UNIX: Final = re.compile(r"^[^#]*(?:--bind|-b|--unix-socket)[ =]\s*[\"']?unix:")
#: what jamguard logs when it sees the headers of a proxy
SEEN: Final = re.compile(rb'id=JG003 text="(\S{1,60}) looks like')
TAIL: Final = 1024 * 1024
#: names that nothing outside of a network of one's own leads to
LOCAL: Final = re.compile(
    r"[\d.]+|\[.*\]|[^.]*|.*\.(?:local|localdomain|lan|home|internal|intranet|corp|arpa|test)"
)


def check(target: Target) -> Iterator[Finding]:
    """Look at the settings that `harden()` finds."""
    for problem in target.problems:
        yield Finding("JC601", _source(target), problem)
    if target.problems or (not target.hardened and target.source.name == "defaults"):
        return  # nothing can be said, or nothing has been set
    yield from _given_in_code(target)
    yield from _reach(target)
    yield from _machine(target)
    for guard in target.guards.values():
        yield from _weakened(target, guard)
    yield from _exposed(target)


def _source(target: Target) -> Place:
    """Return where the settings are; there may be none yet, or none that can be read."""
    name = target.source.name
    return Place(".") if name == "defaults" else Place.of(Path(name), target.folder)


def _at(target: Target, setting: str) -> Place:
    table, _, name = setting.rpartition(".")
    origin = target.settings.origins.get(setting, "")
    where = Place(origin) if origin.startswith("$") else _source(target)
    return attrs.evolve(where, part=f"[tool.jamguard.{table}] {name}")


def _given_in_code(target: Target) -> Iterator[Finding]:
    for entry in target.entries:
        if entry.config is not None:
            try:
                literal(entry.config)
            except ValueError:
                where = Place.of(entry.path, target.folder, entry.config.lineno)
                yield Finding("JC613", where)


def _reach(target: Target) -> Iterator[Finding]:
    """Look at who reaches the site, and under which names."""
    host, https, headers = target.guard(Host), target.guard(Https), target.guard(Headers)
    builder, proxy = target.guard(Builder), target.guard(Proxy)
    if not host.allowed:
        yield Finding("JC602", _at(target, "host.allowed"))
    elif not https.redirect and (names := [n for n in host.allowed if not LOCAL.fullmatch(n)]):
        yield Finding("JC612", _at(target, "https.redirect"), ", ".join(names))
    if https.redirect and not headers.hsts:
        yield Finding("JC615", _at(target, "headers.hsts"))
    if any(network.prefixlen == 0 for network in builder.allow):
        yield Finding("JC609", _at(target, "builder.allow"))
    if any(name.endswith("/0") for name in proxy.trusted):
        yield Finding("JC605", _at(target, "proxy.trusted"))
    if not proxy.trusted:
        for where, sign in _proxies(target.folder):
            yield Finding("JC604", where, sign)


def _proxies(folder: Path) -> Iterator[tuple[Place, str]]:
    """Find signs of a reverse proxy in front of the site."""
    if "PYTHONANYWHERE_SITE" in os.environ:
        yield Place("$PYTHONANYWHERE_SITE"), 'PythonAnywhere; write trusted = ["pythonanywhere"]'
    for path, lines in start_files(folder):
        for number, line in enumerate(lines, 1):
            if PASSES.match(line) or UNIX.match(line):
                yield Place.of(path, folder, number), line.strip()
    bind = gunicorn_settings(folder).get("bind")
    if bind is not None and "'unix:" in ast.unparse(bind):
        yield Place(GUNICORN, bind.lineno), "it listens on a UNIX socket"
    for path in chain(listed(folder), listed(folder / "logs"), listed(folder / "log")):
        if path.suffix == ".log" and is_file(path) and (peers := _seen(path)):
            yield Place.of(path, folder), f"JG003: headers of a proxy came from {peers}"


def _seen(log: Path) -> str:
    """Return the peers that jamguard took for proxies, by the end of its log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            found = SEEN.findall(file.read(TAIL))
    except OSError:
        return ""
    return ", ".join(sorted({peer.decode("ascii", "replace") for peer in found}))


def _machine(target: Target) -> Iterator[Finding]:
    """Look at what is counted where, and who may read the settings."""
    storage = target.settings.storage
    if storage == PROCESS or storage.startswith("memory://"):
        for where, sign in _workers(target):
            yield Finding("JC603", where, sign)
    path = Path(target.source.name)
    hidden = public(storage) != storage and target.settings.origins.get("storage") == str(path)
    found = status(path) if hidden and os.name == "posix" else None
    if found and found.st_mode & S_IROTH:
        yield Finding("JC610", _source(target), f"mode {S_IMODE(found.st_mode):o}")


def _workers(target: Target) -> Iterator[tuple[Place, str]]:
    """Find signs of several worker processes."""
    workers = gunicorn_settings(target.folder).get("workers")
    if workers is not None and ast.unparse(workers) not in ("0", "1"):
        yield Place(GUNICORN, workers.lineno), f"workers = {ast.unparse(workers)}"
    if (given := os.environ.get("WEB_CONCURRENCY", "")) not in ("", "0", "1"):
        yield Place("$WEB_CONCURRENCY"), given
    for path, lines in start_files(target.folder):
        for number, line in enumerate(lines, 1):
            if WORKERS.match(line):
                yield Place.of(path, target.folder, number), line.strip()


def _weakened(target: Target, guard: Guard) -> Iterator[Finding]:
    """Find what a guard would do by itself, and is told not to."""
    if not guard.enabled:
        if guard.name not in COURTESY:
            yield Finding("JC608", _at(target, f"{guard.name}.enabled"))
        return
    if reports(guard):
        yield Finding("JC607", _at(target, f"{guard.name}.mode"))
    if isinstance(guard, Headers) and guard.csp == "off":
        yield Finding("JC614", _at(target, "headers.csp"))
    for field in setting_fields(type(guard)):
        value: Any = getattr(guard, field.name)
        if field.name.startswith("insecure_") and value:
            setting = f"{guard.name}.{kebab(field.name)}"
            yield Finding("JC606", _at(target, setting), f"{kebab(field.name)} = {shown(value)}")


def _exposed(target: Target) -> Iterator[Finding]:
    """Find names in `api.exposed` that stand for nothing in the project."""
    if target.admin is None:
        return
    items = target.admin.items.values()
    there = {name_of(row): _names(text(row, "F_SERVER_MODULE")) for row in items}
    for title in target.guard(Api).exposed:
        item, _, name = title.partition(".")
        if not {name, "*"} & there.get(item, set()):
            yield Finding("JC611", _at(target, "api.exposed"), title)


def _names(source: str) -> set[str]:
    """Return the functions that a server module defines, and what it imports."""
    tree = parse(source)
    if tree is None:
        return set()
    names = {function.name for function in functions(tree)}
    for statement in statements(tree.body, inside=False):
        if isinstance(statement, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in statement.names}
    return names
