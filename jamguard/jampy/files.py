"""Which files Jam.py's file servers may hand out, by their names alone.

Under `/jam`, `/js` and `/css` that is what pages are made of, and no more: there lie the
sources and the databases of the package. `/static` is public by design, so there it is
all but what is never made for a browser. What users upload may be called anything.

A name counts as the least exact file system reads it: without regard to case (Windows,
macOS), to dots and blanks at its end and to `::$DATA` (Windows), to invisible characters
(HFS+). Source: Win32 "Naming Files, Paths, and Namespaces", MS-FSCC 2.1.5, Apple TN1150.
"""

import os
import re
import unicodedata
from functools import lru_cache
from typing import Final

WINDOWS: Final = os.name == "nt"

PICTURES: Final = "apng|avif|bmp|gif|ico|jfif|jpe|jpe?g|png|svg|tiff?|webp"
PICTURE: Final = re.compile(rf"[^.].*\.(?:{PICTURES})", re.IGNORECASE | re.DOTALL)
#: what a page is made of; Jam.py's own is js css map json scss png ico ttf woff woff2
PART_OF_PAGE: Final = re.compile(
    rf"[^.].*\.(?:m?js|css|map|json|scss|eot|otf|ttf|woff2?|{PICTURES})", re.IGNORECASE | re.DOTALL
)
#: what is never made for a browser: databases, sources, settings, logs, copies that
#: editors and administrators leave behind; also packed, or numbered
NEVER_PUBLIC: Final = re.compile(
    r"(?:~|#|\.(?:"
    r"(?:sqlite|db)\d?(?:-(?:journal|shm|wal))?|accdb|dump|duckdb|fdb|mdb|mdf|sql"
    r"|py[cdiowx]?|info|cfg|conf|env|ini|log|toml|bak\d*|backup|bkp|old\d*|orig|sw[nop]|te?mp"
    r"))(?:\.(?:7z|br|bz2|gz|lz4|rar|tar|tgz|xz|zip|zst|\d+))*[. ]*(?::|$)",
    re.IGNORECASE,
)
#: folders below `static` where a file may have any name; who may read it is another matter
OPEN: Final = frozenset({"files", "reports", "internal"})
#: what Windows reads as another file (`ADMIN~1.SQL`, `name:stream`) or as a device
ALIAS: Final = re.compile(
    r".*:.*|(?=[^.]{1,8}(?:\.|$))[^.]+~\d+(?:\..{0,3})?"
    r"| *(?:aux|con|conin\$|conout\$|nul|prn|(?:com|lpt)[\d¹²³]) *(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)


def read(path: str) -> str:
    """Return `PATH_INFO` as Jam.py decodes it, without what a file system may ignore."""
    if path.isascii():
        return path
    text = path.encode("latin-1", "replace").decode("utf-8", "replace")
    return "".join(mark for mark in text if unicodedata.category(mark) != "Cf")


def fold(name: str) -> str:
    """Return the name that an inexact file system takes `name` for."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    return name.partition(":")[0].rstrip(". ").casefold()


@lru_cache(maxsize=256)
def may_be_served(path: str, *, windows: bool = WINDOWS) -> bool:
    """Say whether what is at `path` may be handed out, in a place where Jam.py answers.

    Jam.py looks at the first segment of a path for everything but files, and its client
    never asks for more.
    """
    names = [name for name in read(path).split("/") if name]
    if windows and any(map(ALIAS.fullmatch, names)):
        return False
    match names:
        case ["jam", "js" | "css" | "img", *folders, name] | ["js" | "css", *folders, name]:
            return not _hidden(folders) and bool(PART_OF_PAGE.fullmatch(name))
        case ["static", folder, *_] if fold(folder) in OPEN:
            return True
        case ["static", "builder", *_, name]:
            return bool(PICTURE.fullmatch(name))
        case ["static", *_, name]:
            return not _hidden(names) and not NEVER_PUBLIC.search(name)
        case ["jam" | "js" | "css", *_]:
            return False
        case ["ext", *_]:
            return True
        case _:
            return len(names) < 2  # noqa: PLR2004 - the place itself, and nothing below it


def _hidden(names: list[str]) -> bool:
    return any(name.startswith(".") for name in names)
