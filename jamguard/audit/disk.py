"""The files of a project, as far as whoever runs the audit may look: no more is an error."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

#: bytes of a file; nobody has written more by hand
LARGEST: Final = 1024 * 1024


def status(path: Path) -> os.stat_result | None:
    """Return what is known of a file; None where it is not there, or nothing may be known."""
    with suppress(OSError):
        return path.stat()
    return None


def exists(path: Path) -> bool:
    """Say whether something is there."""
    return status(path) is not None


def is_file(path: Path) -> bool:
    """Say whether it is a file, and none of what one would wait for, such as a pipe."""
    with suppress(OSError):
        return path.is_file()
    return False


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder, in order."""
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def read(path: Path) -> bytes:
    """Return what is in a file: nothing where it is none, or large."""
    with suppress(OSError):
        if is_file(path) and path.stat().st_size <= LARGEST:
            return path.read_bytes()
    return b""


def is_environment(folder: Path) -> bool:
    """Say whether packages are installed there, which are not the project's."""
    return exists(folder / "pyvenv.cfg")
