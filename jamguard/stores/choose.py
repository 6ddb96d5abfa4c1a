"""From the setting `storage` to a store."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import Store
from .limits import LimitsStore
from .mapped import SharedFileError
from .process import ProcessStore
from .shared import SharedStore, shared_path, shared_store

PROCESS: Final = "process"
SHARED: Final = "shared"


def is_store(_: object, __: object, storage: str) -> None:
    """Refuse what names no store."""
    kind, colon, folder = storage.partition(":")
    if kind == SHARED:
        if colon and not Path(folder).is_dir():
            raise ValueError(f"names {folder!r}, which is not a folder")
    elif storage != PROCESS:
        LimitsStore(storage)


def open_store(storage: str, project: Path | None, notice: Callable[..., None]) -> Store:
    """Open the store of the project in a folder; without one, this process counts alone.

    `notice(number, error=...)` is called when it cannot be used, and when it is lost later.
    """
    kind, _, folder = storage.partition(":")
    store: LimitsStore | SharedStore
    if kind == SHARED and project:  # without a project, nothing names the file
        try:
            store = shared_store(shared_path(project, folder))
        except SharedFileError as error:
            notice("JG020", error=error)
            return ProcessStore()
    elif kind in {SHARED, PROCESS}:
        return ProcessStore()
    else:
        store = LimitsStore(storage)
    store.lost = lambda error: notice("JG014", error=error)
    return store
