"""Folders of runs -> a report on disk, written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..errors import BadConfig, ResultsError
from ..store.files import write
from ..store.folder import RunFolder
from . import comparable
from .latex import latex
from .markdown import markdown
from .material import Run, read
from .page import FACES, page

FORMATS = {"html": (".html", ".htm"), "pdf": (".pdf",), "md": (".md", ".markdown"), "tex": (".tex",)}
NAME = "report"


def place(out: Path | None, wanted: str | None) -> tuple[Path, str]:
    """Where to write, and in which format: the one that is wanted, else that of the ending, else HTML."""
    if out is None:
        format_ = wanted or "html"
        return Path(f"{NAME}.{format_}"), format_
    of_ending = next((name for name, endings in FORMATS.items() if out.suffix.lower() in endings), None)
    if wanted and of_ending and wanted != of_ending:
        raise BadConfig(f"--format {wanted}, but {out} ends like {of_ending}; change one of them")
    if not wanted and not of_ending and out.suffix:
        endings = ", ".join(endings[0] for endings in FORMATS.values())
        raise BadConfig(f"{out}: wanted an ending of {endings}, found {out.suffix}; or give --format")
    return out, wanted or of_ending or "html"


def write_report(
    folders: Sequence[RunFolder],
    out: Path,
    format_: str = "html",
    *,
    faces: int = FACES,
    pictures: bool | None = None,
    sizes: Sequence[int] = (),
) -> int:
    """Write the report and return its size in bytes; costs are predicted at `sizes` (pixels per side)."""
    if faces < 0:
        raise ResultsError(f"--faces wants 0 or more, found {faces}")
    content = _content(read(folders), format_, faces, pictures, sizes).encode()
    if format_ == "pdf":
        from .pdf import pdf

        content = pdf(content)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out, partial(Path.write_bytes, data=content))
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise ResultsError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    return out.stat().st_size


def _content(
    runs: Sequence[Run], format_: str, faces: int, pictures: bool | None, sizes: Sequence[int]
) -> str:
    """The text of a format; a PDF is printed from the page."""
    if format_ in ("html", "pdf"):
        return page(runs, faces=faces, pictures=pictures, sizes=sizes)
    comparable.check(runs)
    return {"md": markdown, "tex": latex}[format_](runs, sizes)
