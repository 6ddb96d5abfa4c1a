"""How the application is deployed: what is in front of it, what runs it, what it runs on."""

import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from .disk import exists, listed, status
from .entries import Entry
from .findings import Finding, Place
from .starts import start_files
from .target import Target

#: of Jam.py v7: older ones may behave in another way than jamguard expects
TESTED: Final = "7.0.120"
#: a line that starts `server.py`
DEVELOPS: Final = re.compile(
    r"^(?!\s*(?:#|rem\b|;)).*\bpython[\d.w]*(?:\.exe)?\b.*\bserver\.py\b", re.IGNORECASE
)
#: the last day on which a Python gets security fixes (https://devguide.python.org/versions/)
END_OF_LIFE: Final = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
#: seconds by which clocks of a network may differ
LATE: Final = 300
#: what is seen of a project when Jam.py hands its files out
HANDED_OUT: Final = ("admin.sqlite", ".env", ".git", "server.py", "wsgi.py")


def check(target: Target) -> Iterator[Finding]:
    """Look at what stands around the application."""
    for entry in target.entries:
        if entry.bare and (entry.runs or not target.hardened):
            yield _bare(entry, target)
    if target.served and target.admin is not None:
        yield from _holes(target)
    elif not target.served and not target.hardened:
        wsgi = exists(target.folder / "wsgi.py")
        yield Finding("JC504", Place("."), "wsgi.py makes none that can be seen" if wsgi else "")
    yield from _starts(target)
    yield from _versions(target)
    yield from _python(sys.version_info[:2], datetime.now(UTC).date())
    yield from _clock(target.folder)


def _bare(entry: Entry, target: Target) -> Finding:
    if entry.misplaced:
        where = Place.of(entry.path, target.folder, entry.hardens)
        return Finding("JC502", where, f"{entry.hardened} is hardened, and {entry.bare} is served")
    where = Place.of(entry.path, target.folder, entry.made)
    return Finding("JC503" if entry.runs else "JC501", where)


def _holes(target: Target) -> Iterator[Finding]:
    """Tell what is open in Jam.py itself, where no guard stands before it."""
    where = _application(target)
    production = exists(target.folder / "builder.html")
    if not target.guarded("builder") and (target.is_v5 or not production):
        yield Finding("JC505", where, "" if not production else "v5 ignores builder.html")
    if not target.guarded("path") and not target.is_v5:
        there = [name for name in HANDED_OUT if exists(target.folder / name)]
        yield Finding("JC506", where, f"among them {', '.join(there)}")


def _application(target: Target) -> Place:
    """Return where the application is made."""
    entry = target.served[0]
    return Place.of(entry.path, target.folder, entry.made)


def _starts(target: Target) -> Iterator[Finding]:
    for path, lines in start_files(target.folder):
        for number, line in enumerate(lines, 1):
            if DEVELOPS.search(line):
                yield Finding("JC507", Place.of(path, target.folder, number), line.strip())


def _versions(target: Target) -> Iterator[Finding]:
    place = Place(next(iter(target.installed), "Jam.py"))
    if len(target.installed) > 1:
        both = ", ".join(f"{name} {version}" for name, version in target.installed.items())
        yield Finding("JC510", place, both)
    if target.is_v5:
        yield Finding("JC508", place, target.version)
    elif target.installed and _parts(target.version) < _parts(TESTED):
        yield Finding("JC509", place, f"{target.version}; jamguard is tested with {TESTED}")


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _python(version: tuple[int, ...], today: date) -> Iterator[Finding]:
    end = END_OF_LIFE.get((version[0], version[1]))
    if end and today > end:
        yield Finding("JC511", Place(sys.executable), f"it ended on {end}")


def _clock(folder: Path) -> Iterator[Finding]:
    """Find files that will be written: then it is the clock that is wrong, or was."""
    now = time.time()
    for path in (Path(__file__), *listed(folder)):
        found = status(path)
        if found and found.st_mtime - now > LATE:
            when = datetime.fromtimestamp(found.st_mtime, UTC)
            yield Finding("JC512", Place.of(path, folder), f"written on {when:%Y-%m-%d %H:%M} UTC")
            return
