"""What may be uploaded, and what is shown as it was typed."""

from collections.abc import Iterator
from typing import Final

from .admin import DATABASE, Row, name_of, text
from .findings import Finding, Place
from .target import Target

FILE, IMAGE = 10, 11
#: types that a browser runs as a part of the site, or that some servers run
ACTIVE: Final = frozenset(
    {
        *(".htm", ".html", ".xht", ".xhtml", ".shtml", ".mht", ".mhtml", ".svg", ".svgz", ".xml"),
        *(".xsl", ".js", ".mjs", ".swf", ".hta", ".php", ".phtml", ".asp", ".aspx", ".jsp"),
    }
)


def check(target: Target) -> Iterator[Finding]:
    """Look at the fields of the project's items."""
    if target.admin is None:
        return
    items = target.admin.items
    safe = target.guarded("headers")  # which lets no upload run as a part of the site
    for row in target.admin.tables["SYS_FIELDS"]:
        item = items.get(row["OWNER_REC_ID"])
        if item is None:
            continue  # a field of the builder itself, or of an item that was deleted
        where = Place(DATABASE, part=f"SYS_FIELDS {name_of(item)}.{row['F_FIELD_NAME']}")
        if not safe:
            yield from _uploads(row, where)
        if row["F_DO_NOT_SANITIZE"] in (1, "1"):
            yield Finding("JC114", where)
    loose = _active(text(target.admin.parameters, "F_UPLOAD_FILE_EXT"))
    if loose and not safe:
        where = Place(DATABASE, part="SYS_PARAMS.F_UPLOAD_FILE_EXT")
        yield Finding("JC115", where, loose)


def _uploads(row: Row, where: Place) -> Iterator[Finding]:
    accept = text(row, "F_FILE_ACCEPT")
    if row["F_DATA_TYPE"] == IMAGE:
        yield Finding("JC113", where)
    elif row["F_DATA_TYPE"] == FILE:
        if not accept:
            yield Finding("JC111", where)
        elif active := _active(accept):
            yield Finding("JC112", where, active)


def _active(accept: str) -> str:
    """Return the dangerous ones of a list of types."""
    types = [one.strip().lower() for one in accept.split(",")]
    return ", ".join(one for one in types if one in ACTIVE or one == "image/*")
