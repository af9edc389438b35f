"""A finished run as a bundle: its record, its rows, and the pictures that its rows choose."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from .. import evaluate
from ..compare import suite_of
from ..data.images import png, read_image
from ..data.index import first_named
from ..data.supplied import Supplied, read_pattern
from ..errors import ResultsError
from ..manifest import SUPPLIED
from ..report.licence import terms
from ..store.files import write
from ..store.folder import RunFolder
from ..store.records import export
from ..suite import Suite
from .inputs import faces_of
from .layout import ROWS, SOURCE, picture_name, record_name, with_sources
from .pictures import choice

BEGINNING = (1980, 1, 1, 0, 0, 0)  # the date of every file in a zip: the same run gives the same bytes


def make(
    run: RunFolder,
    out: Path,
    *,
    edited: str | None = None,
    data: str | Path | None = None,
    may_pass_on: bool = False,
) -> dict[str, int]:
    """Write the bundle of a complete run; how many rows, edited pictures and faces it holds.

    Args:
        edited: where the edited pictures lie, for runs of `score`; others kept them.
        data: folder of the data set, for those that are not embedded.
        may_pass_on: the user says that the pictures may be given to whoever verifies the bundle.
    """
    _check_whole(run)
    suite = suite_of(run)
    _check_terms(suite, may_pass_on)
    source = _edited(run, suite, edited)
    content = (run.path / ROWS).read_bytes()
    table = pd.read_parquet(io.BytesIO(content))
    wanted = choice(content, table)
    gone = [str(place) for pair in wanted if not (place := source.place(*pair)).is_file()]
    if gone:
        raise ResultsError(f"{len(gone)} of {len(wanted)} pictures are not there:\n  {first_named(gone)}")
    files = {record_name(run.manifest.id): _record(run), ROWS: content}
    files |= {picture_name(*pair): png(read_image(source.place(*pair))) for pair in wanted}
    faces = [face for edit, face in with_sources(wanted) if edit == SOURCE]
    files |= _sources(run, suite, faces, data)
    out.parent.mkdir(parents=True, exist_ok=True)
    write(out, lambda path: _zip(path, files))
    return {"rows": len(table), "pictures": len(wanted), "faces": len(faces)}


def _check_whole(run: RunFolder) -> None:
    run.scores()  # raises for a run that is not complete
    if gone := run.manifest.identity["data"].get("left_out"):
        raise ResultsError(
            f"run {run.manifest.id} left out {len(gone)} faces whose files could not be read, so it is no "
            "run over the whole suite; mend them and run again"
        )


def _check_terms(suite: Suite, may_pass_on: bool) -> None:
    found = terms(suite.dataset)
    if not found.shows and not may_pass_on:
        raise ResultsError(
            f"a bundle holds a few pictures of {suite.dataset}, whose terms are: {found.note}. If you may "
            "give them to whoever verifies the bundle, say so with --pictures"
        )


def _edited(run: RunFolder, suite: Suite, pattern: str | None) -> Supplied:
    """Where the edited pictures lie; or what to do to have them."""
    if pattern is not None:
        return read_pattern(os.path.abspath(os.path.expanduser(pattern)), len(suite.edits))
    if run.edited.is_dir():
        return Supplied.kept(run.edited)
    if run.manifest.identity["method"].get("preset") == SUPPLIED:
        raise ResultsError(f"run {run.manifest.id}: say with --edited where its pictures lie, as for `score`")
    raise ResultsError(
        f"run {run.manifest.id} kept no edited pictures, and a bundle wants some: move {run.path} away and "
        "give the same run command again with --keep-pictures"
    )


def _record(run: RunFolder) -> bytes:
    """Without what was computed later, of which there are no rows."""
    record = {key: value for key, value in export(run.path).items() if key != "rescored"}
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _sources(run: RunFolder, suite: Suite, faces: list[str], data: str | Path | None) -> Mapping[str, bytes]:
    """What the pictures were edited from."""
    samples = evaluate.open_samples(suite, None if data is None else str(data))
    here = faces_of(samples, run.manifest.identity["data"]["digest"])
    if not here.same:
        raise ResultsError(
            f"the faces are not those of run {run.manifest.id}: wanted digest "
            f"{run.manifest.identity['data']['digest'][:12]}, found {samples.digest()[:12]}; give its folder "
            "with --data"
        )
    return {picture_name(SOURCE, face): png(samples[here.positions[face]].image) for face in faces}


def _zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, BEGINNING)
            entry.external_attr = 0o644 << 16
            packed = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
            archive.writestr(entry, content, packed)
