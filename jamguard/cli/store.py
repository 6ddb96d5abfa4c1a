"""The store of a running site, opened by a command beside it.

The workers of a site meet in a file that is named by the project's folder and belongs to
their user, or in Redis. A command finds it by the same settings and the same rule.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import attrs
import typer

from ..config import ConfigError, Settings, find_source, load
from ..guard import Guard
from ..guards import GUARDS
from ..notices import NOTICES
from ..stores import Store
from ..stores.choose import PROCESS, SHARED, open_store
from ..stores.mapped import SharedFileError
from ..stores.redis import SCHEMES
from ..stores.shared import shared_path
from .terminal import fail

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the project.")]
Json = Annotated[bool, typer.Option("--json", help="Print it for a program.")]


@attrs.frozen
class Running:
    """What a command needs of a site: its settings, its guards, its store."""

    settings: Settings
    guards: Sequence[Guard]
    store: Store


def open_running(folder: Path) -> Running:
    """Open the store that the site in `folder` uses; end with a sentence where there is none."""
    if not folder.is_dir():
        fail(f"{folder} is not a folder")
    try:
        settings, guards = load(find_source(None, folder), GUARDS, os.environ)
    except ConfigError as error:
        fail(str(error))
    storage = settings.storage
    if storage == PROCESS:
        fail(
            'The settings have storage = "process": each worker of the site keeps its own, in its '
            "memory, and no command reaches that. A restart of the server empties it. With "
            '[tool.jamguard] storage = "shared" the workers and this command meet in a file.'
        )
    far = storage.partition("://")[0] in SCHEMES
    if not far:
        kind, _, place = storage.partition(":")
        try:
            file = shared_path(folder, place if kind == SHARED else "")
        except SharedFileError as error:
            fail(f"The store of the site cannot be used: {error}")
        _check_file(file, folder)
    # beyond this machine it takes no project: this command needs no file to fall back to
    return Running(settings, guards, open_store(storage, None if far else folder, _notice))


def _check_file(path: Path, folder: Path) -> None:
    """End with a sentence where no server of this user has made the file."""
    if path.exists():
        return
    version, _, name = path.name.removeprefix("jamguard-").partition("-")
    name = name.rpartition("-")[2]
    owners = {_owner(other) for other in path.parent.glob(f"jamguard-{version}-*-{name}")}
    if owners:
        who = " or ".join(sorted(owners))
        fail(f"The site in {folder.resolve()} runs as {who}: run this command as that user.")
    fail(
        f"There is no {path}: no server has run for {folder.resolve()} with these settings since "
        "this machine was started. A variable such as JAMGUARD_STORAGE that the server has must "
        "be there for this command, too."
    )


def _owner(path: Path) -> str:
    with suppress(OSError, KeyError, NotImplementedError):  # gone since, nobody's, Windows
        return path.owner()
    return "another user"


def _notice(number: str, *, again: bool = False, **details: object) -> None:
    """Hear what is the matter with the store, and end where there is an error."""
    del again
    if "error" in details:
        fail(f"The store of the site cannot be used: {details['error']}")
    typer.echo(NOTICES[number].format(**details), err=True)
