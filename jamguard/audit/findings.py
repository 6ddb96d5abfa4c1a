"""What an audit finds: a rule that is broken, where, and how it can be mended."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from .fixes import Fix

#: the page that explains every rule, each under a heading that is its id
PAGE: Final = "docs/how-to/check.md"


class Level(StrEnum):
    """How much a finding matters, the worst first."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"

    @property
    def rank(self) -> int:
        """Return 0 for the worst."""
        return list(Level).index(self)


@attrs.frozen
class Rule:
    """What is looked for. Ids never change, and are never given to another rule."""

    level: Level
    title: str  #: what it means, in one sentence
    mend: str  #: what to do about it


@attrs.frozen
class Place:
    """Where something was found: a file, a line of it, or a part that has no lines."""

    file: str  #: relative to the project, or absolute where it lies elsewhere
    line: int | None = None
    part: str = ""  #: a row of a table, a setting, an item's server module

    def __str__(self) -> str:
        if self.file == ".":
            return "the project's folder"
        text = self.file if self.line is None or self.part else f"{self.file}:{self.line}"
        if self.part:
            text += f" {self.part}" if self.line is None else f" {self.part}:{self.line}"
        return text

    @classmethod
    def of(cls, path: Path, folder: Path, line: int | None = None) -> "Place":
        """Return the place of a file in the project's folder, or beside it."""
        inside = path.is_absolute() and path.is_relative_to(folder)
        return cls(path.relative_to(folder).as_posix() if inside else str(path), line)


@attrs.frozen
class Finding:
    """One rule that is broken in one place."""

    id: str
    where: Place
    #: what was found there; never a password or a key
    detail: str = ""
    #: what `--fix` would do
    fix: "Fix | None" = None
    #: why the operator lives with it; such a finding counts for nothing
    silenced: str = ""
