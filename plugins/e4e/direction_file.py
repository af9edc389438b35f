"""The file in which a user says which attribute is which direction of the latent space.

[Smiling]                  # what suites and `edit --set` call it
file = "smile.pt"          # .pt or .npy, beside this file
step = 2.0                 # α at strength 1; what an attribute that is switched off goes back by

[lipstick]
file = "ffhq_pca.pt"       # GANSpace: mean, comp and std
component = 34
sigma = 20.0               # standard deviations at strength 1
layers = [10, 11]          # codes, the last one excluded; without it all
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from faceedit_bench.api import BadConfig

STYLEGAN1 = re.compile(r"stylegan_.*boundary\.npy")  # of genforce/interfacegan
KINDS: dict[str, tuple[type, ...]] = {
    "file": (str,),
    "step": (int, float),
    "layers": (list,),
    "component": (int,),
    "sigma": (int, float),
    "mode": (str,),
    "force": (bool,),
}


@dataclass(frozen=True)
class Entry:
    """One attribute's direction, as the file says it."""

    file: Path
    step: float | None = None  # of a linear direction; None takes the method's option
    layers: tuple[int, int] | None = None
    component: int | None = None  # of a GANSpace file
    sigma: float = 0.0
    mode: str = "absolute"  # "increment" adds to where the code is
    force: bool = False  # take a direction that was made for StyleGAN1


def read(path: Path) -> dict[str, Entry]:
    """Attribute -> entry, in the file's order; BadConfig lists everything amiss."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(
            f"{path}: cannot be read ({error.strerror}); wanted a TOML file of directions"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: not valid TOML: {error}") from None
    if not values:
        raise BadConfig(f'{path}: names no direction; wanted tables like [Smiling] with file = "smile.pt"')
    mistakes = [f"{path}: [{name}]: {text}" for name, table in values.items() for text in _mistakes(table)]
    if mistakes:
        raise BadConfig("\n".join(mistakes))
    return {name: _entry(path, table) for name, table in values.items()}


def digest(path: Path) -> str:
    """sha256 over the file and every file it names; "" where one cannot be read, as loading will say."""
    try:
        entries = read(path)
        parts = [path, *dict.fromkeys(entry.file for entry in entries.values())]
        content = b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)
    except (BadConfig, OSError):
        return ""
    return hashlib.sha256(content).hexdigest()


def _mistakes(table: Any) -> list[str]:
    if not isinstance(table, dict):
        return [f"wanted a table with a file, found {table!r}"]
    unknown = [f"unknown key {key!r}; known: {', '.join(KINDS)}" for key in table if key not in KINDS]
    kinds = [
        f"{key}: wanted {KINDS[key][0].__name__}, found {value!r}"
        for key, value in table.items()
        if key in KINDS
        and (not isinstance(value, KINDS[key]) or (isinstance(value, bool) and key != "force"))
    ]
    if unknown or kinds:
        return unknown + kinds
    found = []
    if "file" not in table:
        found.append('lacks file = "…"')
    layers = table.get("layers", [0, 1])
    if len(layers) != 2 or any(type(value) is not int for value in layers) or not 0 <= layers[0] < layers[1]:
        found.append(f"layers: wanted [first, end] with 0 ≤ first < end, found {layers}")
    if table.get("mode", "absolute") not in ("absolute", "increment"):
        found.append(f"mode: wanted absolute or increment, found {table['mode']!r}")
    if "component" in table and ("sigma" not in table or "step" in table):
        found.append("component is GANSpace's and wants sigma, not step")
    if "component" not in table and ("sigma" in table or "mode" in table):
        found.append("sigma and mode are GANSpace's and want component")
    if STYLEGAN1.fullmatch(Path(str(table.get("file", ""))).name) and not table.get("force"):
        found.append(
            f"{table['file']} is a boundary of StyleGAN1, not 2; take it all the same with force = true"
        )
    return found


def _entry(path: Path, table: dict[str, Any]) -> Entry:
    given = {field.name: table[field.name] for field in fields(Entry) if field.name in table}
    layers = given.get("layers")
    return Entry(**{**given, "file": path.parent / table["file"], "layers": layers and tuple(layers)})
