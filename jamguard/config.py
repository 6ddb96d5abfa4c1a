"""Settings: from `[tool.jamguard]` and the environment to guards.

A guard's fields are its schema. All problems of a configuration are found at once, each
with its path, what was found, what is allowed and the near miss, and start-up stops.
"""

import collections.abc
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from typing import Any, Final, Literal, TypeVar, cast, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import IterableValidationNote

from .address import IPNetwork
from .guard import Guard, Mode
from .log import LogFormat
from .refusal import SENTENCES
from .stores.choose import SHARED, is_store, public
from .values import ByteRate, ByteSize, Duration, Rate, Rates, Threads, parse_network

C = TypeVar("C")

#: what a setting's path starts with
ROOT: Final = "tool.jamguard"
PREFIX: Final = "JAMGUARD_"
#: names the settings file itself, so it is not a setting
CONFIG_VARIABLE: Final = "JAMGUARD_CONFIG"
#: tables that are a command's own: it reads them with `load_command`, the site leaves them alone
COMMANDS: Final = ("check",)


class ConfigError(Exception):
    """The settings cannot be used. `problems` has one sentence for each thing wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["jamguard's settings cannot be used:", *self.problems]))


def _can_be_said(_: object, __: object, sentences: Mapping[str, str]) -> None:
    for key, text in sentences.items():
        if key not in SENTENCES:
            near = get_close_matches(key, SENTENCES, 1, 0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(SENTENCES)}"
            raise ValueError(f"there is no sentence {key!r}; {hint}")
        allowed = _placeholders(SENTENCES[key])
        if not _placeholders(text) <= allowed:
            only = ", ".join(f"{{{name}}}" for name in sorted(allowed - {""}))
            raise ValueError(f"{key}: may contain {'only ' + only if only else 'no {...}'}")


def _placeholders(text: str) -> set[str]:
    """Return the names in braces; an empty one stands for braces that do not fit together."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"{"}


@attrs.frozen(kw_only=True)
class Settings:
    """What `[tool.jamguard]` says beside the tables of the guards, and where it all came from."""

    #: `report` turns every guard that can refuse to reporting, to see before enforcing
    mode: Mode = "enforce"
    #: how the log is written
    log: LogFormat = "key-value"
    #: exact paths that monitors ask: never counted, never redirected, any Host
    health_paths: tuple[str, ...] = ("/health", "/healthz", "/ping")
    #: where is counted, and remembered who is banned: `shared` between all processes of this
    #: machine (`shared:/folder` for the file), `process`, or any URI of `limits`:
    #: `redis://127.0.0.1:6379`
    storage: str = attrs.field(default=SHARED, validator=is_store, repr=public)
    #: sentences that strangers read, by the keys of `jamguard.refusal.SENTENCES`
    sentences: Mapping[str, str] = attrs.field(factory=dict[str, str], validator=_can_be_said)

    #: path of a setting -> where its value came from; those not in it are defaults
    origins: Mapping[str, str] = attrs.field(factory=dict[str, str], init=False)
    #: where the settings were read from, in words
    source: str = attrs.field(default="defaults", init=False)

    def lines(self, guards: Iterable[Guard]) -> Iterator[str]:
        """Describe all settings, one a line: name, value, where it came from."""
        yield f"settings from {self.source}"
        for name in ("mode", "log", "health_paths", "storage", "sentences"):
            value = getattr(self, name)
            yield self._line("", name, public(value) if name == "storage" else value)
        for number, guard in enumerate(guards, 1):
            yield f"{number}. {guard.name}"
            for field in setting_fields(type(guard)):
                if field.name != "enabled":
                    yield "   " + self._line(guard.name, field.name, getattr(guard, field.name))

    def _line(self, table: str, name: str, value: object) -> str:
        path = ".".join(filter(None, (table, kebab(name))))
        return f"{kebab(name)} = {shown(value)}  ({self.origins.get(path, 'default')})"


def kebab(name: str) -> str:
    """Turn a field's name into the name of its setting; `for_` is one that Python has a use for."""
    return name.rstrip("_").replace("_", "-")


def shown(value: Any) -> str:  # noqa: ANN401 - whatever a setting can be
    """Write a value as the settings file would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if type(value) in (int, float):
        return str(value)
    if isinstance(value, list | tuple) and not isinstance(value, Rates):
        items = cast("Sequence[Any]", value)
        return "[" + ", ".join(map(shown, items)) + "]"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return "{" + ", ".join(f'"{key}" = {shown(item)}' for key, item in pairs) + "}"
    return f'"{value}"'


def setting_fields(cls: type) -> list["attrs.Attribute[Any]"]:
    """Return the fields of a class that a user can set."""
    return [field for field in attrs.fields(cls) if field.init]


# --- where settings come from -----------------------------------------------------------


@attrs.frozen
class Source:
    """A table of settings and where it was found."""

    name: str
    table: Mapping[str, Any]


def find_source(
    config: "str | os.PathLike[str] | Mapping[str, Any] | None", folder: Path | None
) -> Source:
    """Return the settings that apply.

    In this order: the explicit argument, the file that `$JAMGUARD_CONFIG` names,
    `jamguard.toml` or `pyproject.toml` in the project's folder, defaults.

    Raises `ConfigError` when a file that was named is not there or cannot be read.
    """
    if isinstance(config, Mapping):
        return Source("the argument of harden()", config)
    named = config or os.environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named)
        table = _table(path)
        if table is None:
            raise ConfigError([f"{path}: there is no [{ROOT}] table in it"])
        return Source(str(path), table)
    for path in (folder / name for name in ("jamguard.toml", "pyproject.toml")) if folder else ():
        if path.is_file():
            table = _table(path)
            if table is not None:
                return Source(str(path), table)
            if path.name == "jamguard.toml":
                raise ConfigError([f"{path}: there is no [{ROOT}] table in it"])
    return Source("defaults", {})


def _table(path: Path) -> Mapping[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error
    tool: Any = document.get("tool", {})
    if not isinstance(tool, dict):
        return None
    table = cast("dict[str, Any]", tool).get("jamguard")
    if table is not None and not isinstance(table, dict):
        raise ConfigError([f"{path}: [{ROOT}] must be a table"])
    return cast("dict[str, Any] | None", table)


def environment(variables: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Return the settings in environment variables: path -> (variable, value).

    `JAMGUARD_RATE_LIMIT__API=300/minute` sets `rate-limit.api`. A value is read as TOML
    where it is TOML (`true`, `["10.0.0.0/8"]`), else as text.
    """
    found: dict[str, tuple[str, Any]] = {}
    for variable, text in variables.items():
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
            path = variable.removeprefix(PREFIX).lower().replace("__", ".").replace("_", "-")
            found[path] = (variable, _value(text))
    return found


def _value(text: str) -> Any:  # noqa: ANN401 - whatever TOML has
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


# --- from tables to guards --------------------------------------------------------------


def load(
    source: Source, kinds: Sequence[type[Guard]], variables: Mapping[str, str] | None = None
) -> tuple[Settings, list[Guard]]:
    """Build the settings and one guard of each kind.

    Raises `ConfigError` with all problems at once.
    """
    problems: list[str] = []
    tables = {kind.name: kind for kind in kinds}
    options, found, origins = _sorted(source, tables, variables, problems)
    settings = _build(Settings, options, "", origins, problems)
    guards: list[Guard] = []
    for name, kind in tables.items():
        values = found[name]
        if "mode" in options and "mode" not in values and "mode" in attrs.fields_dict(kind):
            values["mode"] = options["mode"]
            origins[f"{name}.mode"] = f"{origins['mode']}, for all guards"
        guards.append(_build(kind, values, name, origins, problems))
    if problems:
        raise ConfigError(problems)
    object.__setattr__(settings, "origins", origins)
    object.__setattr__(settings, "source", source.name)
    return settings, guards


def _sorted(
    source: Source,
    tables: Mapping[str, type[Guard]],
    variables: Mapping[str, str] | None,
    problems: list[str],
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, str]]:
    """Sort what was found into options, tables of guards, and where each value came from."""
    options: dict[str, Any] = {}
    found: dict[str, dict[str, Any]] = {name: {} for name in tables}
    origins: dict[str, str] = {}
    for key, value in source.table.items():
        if key in COMMANDS:
            continue
        if key not in tables:
            options[key] = value
            origins[key] = source.name
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, Any]", value)
            found[key] = dict(value)
            origins.update({f"{key}.{name}": source.name for name in value})
        else:
            problems.append(f"{ROOT}.{key}: must be a table of settings, not {value!r}")
    for path, (variable, value) in environment(variables or {}).items():
        table, dot, name = path.partition(".")
        if dot and table in tables:
            found[table][name] = value
        else:
            options[path] = value
        origins[path] = f"${variable}"
    known = [kebab(field.name) for field in setting_fields(Settings)]
    for key in [key for key in options if key not in known]:
        del options[key]
        problems.append(_unknown(key, origins[key], [*known, *tables, *COMMANDS]))
    return options, found, origins


def load_command(source: Source, name: str, kind: type[C]) -> C:
    """Build the settings of a command from the table that is its own.

    Raises `ConfigError` with all problems at once.
    """
    table: object = source.table.get(name, {})
    if not isinstance(table, Mapping):
        raise ConfigError([f"{ROOT}.{name}: must be a table of settings, not {table!r}"])
    problems: list[str] = []
    made: C = _build(kind, cast("Mapping[str, Any]", table), name, {}, problems)
    if problems:
        raise ConfigError(problems)
    return made


def _unknown(path: str, origin: str, known: Iterable[str]) -> str:
    """Say that there is no such setting, and which one was probably meant."""
    table, dot, name = path.rpartition(".")
    near = get_close_matches(name.lower().replace("_", "-"), list(known), 1, 0.6)
    hint = f"did you mean '{table}{dot}{near[0]}'?" if near else f"there are: {', '.join(known)}"
    where = f"${origin[1:]}" if origin.startswith("$") else f"{ROOT}.{path}"
    return f"{where}: is not a setting; {hint}"


def _build(
    cls: type[Any],
    values: Mapping[str, Any],
    table: str,
    origins: Mapping[str, str],
    problems: list[str],
) -> Any:  # noqa: ANN401 - an instance of `cls`
    """Make a `cls` of `values`, or add to `problems` and make one of its defaults."""
    known = {kebab(field.name): field for field in setting_fields(cls)}
    good: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{table}.{key}" if table else key
        origin = origins.get(path, "")
        where = origin if origin.startswith("$") else f"{ROOT}.{path}"
        if key not in known:
            if key == "mode":
                problems.append(
                    f"{where}: {table} only transforms, so it has no mode; "
                    f"it has: {', '.join(known)}"
                )
            else:
                problems.append(_unknown(path, origin, known))
            continue
        field = known[key]
        if origin.startswith("$") and get_origin(field.type) is tuple and isinstance(value, str):
            parts = [part.strip() for part in value.split(",")]
            value = [part for part in parts if part]  # noqa: PLW2901 - one form more in the environment
        try:
            good[field.name] = _structured(value, field)
        except Exception as error:  # noqa: BLE001 - cattrs groups whatever the hooks raise
            found = public(str(value)) if field.name == "storage" else value
            problems.extend(_problems(where, found, error))
    try:
        return cls(**good)
    except ValueError as error:
        problems.append(f"{ROOT}.{table}: {error}")
        return cls()


def _structured(value: object, field: "attrs.Attribute[Any]") -> object:
    """Convert a value to what the field wants. Raises ValueError, or a group of them."""
    origin = get_origin(field.type)
    if origin is tuple and not isinstance(value, list | tuple):
        raise ValueError("must be a list")
    if origin is collections.abc.Mapping and not isinstance(value, Mapping):
        raise ValueError("must be a table")
    kind: Any = field.type
    structured: object = _converted.structure(value, kind)
    if field.validator:
        field.validator(None, field, structured)
    return structured


def _problems(where: str, value: Any, error: BaseException) -> Iterator[str]:  # noqa: ANN401 - TOML
    """Say what is wrong with a value, item by item where it has items."""
    if not isinstance(error, BaseExceptionGroup):
        yield f"{where}: {shown(value)} {error}"
        return
    group = cast("BaseExceptionGroup[BaseException]", error)
    for inner in group.exceptions:
        notes = inner.__notes__
        index = next(note.index for note in notes if isinstance(note, IterableValidationNote))
        place = f"{where}[{index}]" if isinstance(index, int) else f"{where}.{index}"
        yield from _problems(place, value[index], inner)


# --- strict conversion: no value is bent into a type that was not written ----------------


def _exactly(kind: type, words: str) -> Any:  # noqa: ANN401 - a cattrs hook
    def structure(value: object, _: object) -> object:
        if type(value) is not kind:
            raise ValueError(f"must be {words}")
        return value

    return structure


def _is_literal(kind: Any) -> bool:  # noqa: ANN401 - a type or a form of typing
    return get_origin(kind) is Literal


def _word(value: object, kind: Any) -> object:  # noqa: ANN401 - a Literal
    words = get_args(kind)
    if value in words:
        return value
    near = get_close_matches(str(value).lower(), words, 1, 0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"must be one of {', '.join(map(repr, words))}{hint}")


def _parsed(value: object, kind: Any) -> object:  # noqa: ANN401 - a class with `parse`
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text")  # noqa: TRY004 - all problems of values are ValueErrors
    return kind.parse(str(value))


def _converter() -> cattrs.Converter:
    """Make the converter: cattrs goes into lists and tables, these hooks read the values."""
    made = cattrs.Converter()
    made.register_structure_hook(bool, _exactly(bool, "true or false"))
    made.register_structure_hook(int, _exactly(int, "a whole number"))
    made.register_structure_hook(str, _exactly(str, "text"))
    made.register_structure_hook_func(_is_literal, _word)
    for kind in (ByteRate, ByteSize, Duration, Rate, Rates, Threads):
        made.register_structure_hook(kind, _parsed)
    made.register_structure_hook_func(
        lambda kind: kind == IPNetwork, lambda value, _: parse_network(str(value))
    )
    return made


_converted: Final = _converter()
