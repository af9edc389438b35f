"""The rows in a bundle: a parquet file that a stranger made, read only if it has the rows that it must."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..store.score import metric_of
from .faults import Fault, shortened
from .record import Claim

FIRST = ["sample", "edit"]  # columns of text; the others are scores
MOST_COLUMNS = 1000
MOST_BYTES = 512 * 2**20  # unpacked
LONGEST = 1000  # characters of a face's id

UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError)


def read(content: bytes, claim: Claim) -> tuple[pd.DataFrame | None, list[Fault]]:
    """Columns `sample`, `edit`, and every score of a picture; None where there is no such table."""
    try:
        file = pq.ParquetFile(io.BytesIO(content), read_dictionary=FIRST)
        if faults := list(_of_shape(file, claim)):
            return None, faults
        table = file.read()
        if faults := list(_of_columns(table, claim)):
            return None, faults
        texts = {name: table.column(name).cast(pa.string()).to_pylist() for name in FIRST}
        scores = {name: _numbers(table.column(name)) for name in table.column_names[len(FIRST) :]}
    except UNREADABLE as error:
        return None, [Fault("rows", "the file", "a parquet table", f"damage ({shortened(error)})")]
    rows = pd.DataFrame({**texts, **scores})
    faults = list(_of_content(rows, claim))
    return (None if faults else rows), faults


def _numbers(column: Any) -> np.ndarray:
    """(N,) float64; what is absent is NaN, undefined."""
    return np.array([np.nan if value is None else value for value in column.to_pylist()], dtype=np.float64)


def _of_shape(file: Any, claim: Claim) -> Iterator[Fault]:
    """From the file's own description, before anything is unpacked."""
    about = file.metadata
    wanted = claim.faces.scored * len(claim.suite.edits)
    if about.num_rows != wanted:
        edits = len(claim.suite.edits)
        found = f"{about.num_rows} rows"
        yield Fault("rows", "the table", f"{wanted} rows ({claim.faces.scored} faces, {edits} edits)", found)
    if about.num_columns > MOST_COLUMNS:
        yield Fault("rows", "the table", f"at most {MOST_COLUMNS} columns", str(about.num_columns))
        return
    groups = [about.row_group(number) for number in range(min(about.num_row_groups, MOST_COLUMNS))]
    size = sum(
        group.column(column).total_uncompressed_size
        for group in groups
        for column in range(about.num_columns)
    )
    if size > MOST_BYTES or about.num_row_groups > MOST_COLUMNS:
        yield Fault("rows", "the table", f"at most {MOST_BYTES >> 20} MiB unpacked", f"{size >> 20} MiB")


def _of_columns(table: Any, claim: Claim) -> Iterator[Fault]:
    """Names and types."""
    names = table.column_names
    if names[: len(FIRST)] != FIRST or len(set(names)) != len(names):
        yield Fault("rows", "columns", "sample, edit, then every score once", shortened(", ".join(names)))
        return
    for name in FIRST:
        kind = table.schema.field(name).type
        if not (pa.types.is_dictionary(kind) and kind.value_type in (pa.string(), pa.large_string())):
            yield Fault("rows", name, "text", str(kind))
        elif any(len(text or "") > LONGEST for chunk in table.column(name).chunks for text in _texts(chunk)):
            yield Fault("rows", name, f"texts of at most {LONGEST} characters", "longer ones")
    for name in names[len(FIRST) :]:
        kind = table.schema.field(name).type
        if metric_of(name) not in claim.identity.metrics:
            yield Fault("rows", shortened(name), "only scores of the record's metrics", "another column")
        elif not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            yield Fault("rows", shortened(name), "numbers", str(kind))


def _texts(chunk: Any) -> list[str | None]:
    return chunk.dictionary.to_pylist()


def _of_content(rows: pd.DataFrame, claim: Claim) -> Iterator[Fault]:
    """The same faces, once each, under every edit of the suite in its order; numbers are finite."""
    edits = [edit.name for edit in claim.suite.edits]
    if (found := list(rows["edit"].drop_duplicates())) != edits:
        yield Fault("rows", "edits", ", ".join(edits), shortened(", ".join(map(str, found))))
        return
    faces = {edit: list(rows["sample"][rows["edit"] == edit]) for edit in edits}
    first = faces[edits[0]]
    if len(set(first)) != len(first) or None in first:
        yield Fault("rows", "faces", "every face once under an edit", "some twice, or without a name")
    for edit in edits[1:]:
        if faces[edit] != first:
            yield Fault("rows", f"faces of {edit}", f"those of {edits[0]}, in the same order", "others")
    for name in rows.columns[len(FIRST) :]:
        if np.isinf(rows[name]).any():
            yield Fault("rows", name, "numbers", "infinity")
