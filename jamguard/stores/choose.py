"""From the setting `storage` to a store."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import Store
from .limits import LimitsStore
from .mapped import SharedFileError
from .process import ProcessStore
from .redis import SCHEMES, RedisStore
from .shared import shared_path, shared_store

PROCESS: Final = "process"
SHARED: Final = "shared"

#: a URI in which everything is where it should be: scheme, user and password, server, options
URI: Final = re.compile(r"([a-z+]+://)([^/?#@]*@)?([\w.,:\[\]/-]*)(\?.*)?")


def is_store(_: object, __: object, storage: str) -> None:
    """Refuse what names no store."""
    kind, colon, folder = storage.partition(":")
    if kind == SHARED:
        if colon and not Path(folder).is_dir():
            raise ValueError(f"names {folder!r}, which is not a folder")
    elif storage != PROCESS:
        _far_store(storage, ProcessStore())


def open_store(storage: str, project: Path | None, notice: Callable[..., None]) -> Store:
    """Open the store of the project in a folder; without one, this process counts alone.

    `notice(number, ...)` is called when it cannot be used, and whenever it is lost or found
    later.
    """
    kind, _, folder = storage.partition(":")
    if kind in {SHARED, PROCESS}:
        return _near_store(kind, folder, project, notice)
    store = _far_store(storage, _near_store(SHARED, "", project, notice))
    if isinstance(store, LimitsStore):
        notice("JG022")
    who = "machine" if project else "process"
    store.breaker.lost.append(lambda error: _lost(notice, error, who, again=True))
    store.breaker.back.append(lambda _: notice("JG023", again=True))
    return store


def public(storage: str) -> str:
    """Return the setting as it can be shown: without what may be secret in a URI."""
    scheme, colon, rest = storage.partition("://")
    if not colon and "@" not in storage:
        return storage
    found = URI.fullmatch(storage)
    if not found or (not found[2] and "@" in rest):  # whatever it is, it was meant to be hidden
        return f"{scheme}://***" if colon else "***"
    return f"{found[1]}{'***@' if found[2] else ''}{found[3]}{'?***' if found[4] else ''}"


def _near_store(kind: str, folder: str, project: Path | None, notice: Callable[..., None]) -> Store:
    """Open a store of this machine."""
    if kind == PROCESS or not project:  # without a project, nothing names the file
        return ProcessStore()
    try:
        store = shared_store(shared_path(project, folder))
    except SharedFileError as error:
        notice("JG020", error=error)
        return ProcessStore()
    if store.remade:
        notice("JG024", file=store.path)
    store.lost = lambda error: _lost(notice, error, "process")
    return store


def _lost(notice: Callable[..., None], error: str, who: str, *, again: bool = False) -> None:
    notice("JG014", again=again, error=error, who=who)


def _far_store(uri: str, fallback: Store) -> RedisStore | LimitsStore:
    """Make a store beyond this process. Raises `ValueError`."""
    redis = uri.partition("://")[0] in SCHEMES
    return RedisStore(uri, fallback) if redis else LimitsStore(uri, fallback)
