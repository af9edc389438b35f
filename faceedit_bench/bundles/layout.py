"""Names of the files in a bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable

ROWS = "samples.parquet"
PICTURES = "pictures"  # folder
SOURCE = "source"  # in place of an edit; no edit may have that name
RECORD = re.compile(r"[0-9a-f]{16}\.json")


def record_name(run: str) -> str:
    return f"{run}.json"


def picture_name(edit: str, face: str) -> str:
    return f"{PICTURES}/{edit}/{face}.png"


def with_sources(chosen: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pictures (edit, face), then what they were edited from, each face once."""
    edited = list(chosen)
    return [*edited, *((SOURCE, face) for face in dict.fromkeys(face for _, face in edited))]
