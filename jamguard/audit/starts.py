"""The files of a project that say how it is started."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .disk import listed, read
from .source import parse

GUNICORN: Final = "gunicorn.conf.py"
START: Final = re.compile(
    r"Dockerfile.*|(?:docker-)?compose.*\.ya?ml|Procfile|.*\.(?:service|sh|bat|cmd|conf|ini)"
)
#: a module and what a server loads from it, as all servers want it to be written
LOADED: Final = re.compile(r"\b(\w+):(\w+)\b")


def start_files(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield the files, and their lines."""
    for path in listed(folder):
        if START.fullmatch(path.name) or path.name == GUNICORN:
            yield path, read(path).decode("utf-8", "replace").splitlines()


def loaded_names(folder: Path) -> Mapping[str, str]:
    """Return what servers are told to load, by its module: `wsgi` -> `app`."""
    found: dict[str, str] = {}
    for _, lines in start_files(folder):
        for line in lines:
            if not line.lstrip().startswith("#"):
                found.update(LOADED.findall(line))
    return found


def gunicorn_settings(folder: Path) -> Mapping[str, ast.expr]:
    """Return what gunicorn's own settings in the project set, unless a condition does."""
    tree = parse(read(folder / GUNICORN))
    found: dict[str, ast.expr] = {}
    for statement in tree.body if tree else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case _:
                pass
    return found
