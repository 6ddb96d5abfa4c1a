"""Write the one line into the files of a Jam.py project that make the application.

Servers load `application` from `wsgi.py`, and `server.py` makes an application of its own,
so both files need it.
"""

import re
from pathlib import Path
from typing import Final

FILES: Final = ("wsgi.py", "server.py")

IMPORTED: Final = re.compile(r"^(?P<indent>[ \t]*)from jam\.wsgi import\b", re.MULTILINE)
MADE: Final = re.compile(
    r"^(?P<indent>[ \t]*)(?P<name>\w+) *= *create_application\([^\r\n]*", re.MULTILINE
)
HARDENED: Final = re.compile(r"^[^#\n]*\bharden\(", re.MULTILINE)


def harden_project(folder: Path) -> list[Path]:
    """Write the line into both files of the project in `folder`; return those changed."""
    return [folder / name for name in FILES if harden_file(folder / name)]


def harden_file(path: Path) -> bool:
    """Write the line into one file, below the one that makes the application.

    Returns False where it is there already. Raises `ValueError` and leaves the file alone
    where it does not read as Jam.py writes it.
    """
    source = path.read_bytes().decode()
    if HARDENED.search(source):
        return False
    imported, made = IMPORTED.search(source), MADE.search(source)
    if not imported or not made or imported.start() > made.start():
        raise ValueError(f"{path} has no line 'application = create_application(...)'")
    name, end = made["name"], "\r\n" if "\r\n" in source else "\n"
    before, between, after = (
        source[: imported.start()],
        source[imported.start() : made.end()],
        source[made.end() :],
    )
    line = f"{made['indent']}{name} = jamguard.harden({name})"
    path.write_bytes(
        f"{before}{imported['indent']}import jamguard{end}{between}{end}{line}{after}".encode()
    )
    return True
