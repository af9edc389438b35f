"""Folders of runs -> a report on disk, written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..errors import ResultsError
from ..store.folder import RunFolder, write
from .material import read
from .page import FACES, page


def write_report(
    folders: Sequence[RunFolder], out: Path, *, faces: int = FACES, pictures: bool | None = None
) -> int:
    """Write the page and return its size in bytes."""
    if faces < 0:
        raise ResultsError(f"--faces wants 0 or more, found {faces}")
    text = page(read(folders), faces=faces, pictures=pictures)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out, partial(Path.write_text, data=text, encoding="utf-8"))
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise ResultsError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    return out.stat().st_size
