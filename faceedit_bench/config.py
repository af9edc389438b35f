"""Strict TOML -> frozen dataclass, all mistakes reported together with file, key and a suggestion."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .errors import BadConfig

T = TypeVar("T")


def load(kind: type[T], path: Path, overrides: Iterable[str] = ()) -> T:
    """Fill the frozen dataclass `kind` from a TOML file; `overrides` are the `key=value` of --set."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfig(f"{path}: no such file; wanted a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: not valid TOML: {error}") from None
    return fill(kind, {**values, **parse_overrides(overrides)}, where=str(path))


def parse_overrides(overrides: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """`["width=32", "unit=lstu"]` -> values read as TOML where they parse, as text otherwise; a mistake is
    told of `option`."""
    values: dict[str, Any] = {}
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not key.strip():
            raise BadConfig(f"{option} {override!r}: wanted key=value, for example {option} width=32")
        values[key.strip()] = _value(text.strip())
    return values


def parse_sizes(texts: Iterable[str], option: str) -> tuple[int, ...]:
    """`["768,1024", "4096"]` -> pixels per side, each once, in the order given."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    for word in words:
        if not word.isdecimal() or not int(word):
            raise BadConfig(f"{option} {word!r}: wanted pixels per side, such as 768 or 768,1024")
    return tuple(dict.fromkeys(map(int, words)))


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def fill(kind: type[T], values: Mapping[str, Any], where: str, base: T | None = None) -> T:
    """An instance of the dataclass `kind`; keys absent from `values` come from `base` or the defaults."""
    from pydantic import TypeAdapter, ValidationError

    mistakes = [_unknown(where, key, kind) for key in values if key not in _fields(kind)]
    given = {key: value for key, value in values.items() if key in _fields(kind)}
    defaults = {} if base is None else dataclasses.asdict(base)  # type: ignore[call-overload]
    try:
        filled = TypeAdapter(kind).validate_json(json.dumps({**defaults, **given}, default=str), strict=True)
    except ValidationError as error:
        mistakes += [_mistake(where, detail) for detail in error.errors()]
    if mistakes:
        raise BadConfig("\n".join(mistakes))
    return filled


def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _unknown(where: str, key: str, kind: type) -> str:
    near = difflib.get_close_matches(key, _fields(kind), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(_fields(kind)) or 'none'}"
    return f"{where}: unknown key {key!r}; {hint}"


def _mistake(where: str, detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    return f"{where}: {key}: {detail['msg']}; found {detail['input']!r}"
