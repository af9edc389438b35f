"""A board as a Parquet file, for programs that want types.

Two files are compared by their columns, types, values and notes and not by their bytes: those change with the
version of pyarrow that wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..store.files import write
from .definition import Board
from .flat import flat
from .protocol import facts, source
from .ranking import ranked
from .records import Record

SHOWN = 5  # differences that are named


def as_table(records: Sequence[Record], board: Board, name: str) -> Any:
    """A pyarrow table; its notes hold title, source and protocol."""
    import pyarrow as arrow

    types = {"text": arrow.string(), "whole": arrow.int64(), "real": arrow.float64()}
    rows = ranked(records, board)
    columns = flat(rows, board)
    told = [[fact.part, fact.text, *fact.pins] for fact in facts(records, rows)]
    notes = {"title": board.title, "source": source(name, board), "protocol": json.dumps(told)}
    schema = arrow.schema([(column.name, types[column.kind]) for column in columns], metadata=notes)
    values = [arrow.array(column.values, types[column.kind]) for column in columns]
    return arrow.Table.from_arrays(values, schema=schema)


def difference(place: Path, wanted: Any) -> str:
    """What the file there has otherwise, a line each; empty where it is up to date."""
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import read_table

    if not place.is_file():
        return f"{place}: not there"
    try:
        found = read_table(place)
    except (OSError, ArrowInvalid) as error:
        return f"{place}: damaged ({error})"
    lines = list(_differences(found, wanted))
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join(f"{place}: {line}" for line in [*lines[:SHOWN], *more])


def _differences(found: Any, wanted: Any) -> Iterator[str]:
    for key, text in wanted.schema.metadata.items():
        if (found.schema.metadata or {}).get(key) != text:
            yield f"other note: {key.decode()}"
    ours, theirs = ({field.name: field.type for field in one.schema} for one in (wanted, found))
    for name in dict.fromkeys([*ours, *theirs]):
        if ours.get(name) != theirs.get(name):
            yield f"column {name}: found {theirs.get(name, 'none')}, wanted {ours.get(name, 'none')}"
        else:
            pairs = zip_longest(found[name].to_pylist(), wanted[name].to_pylist())
            for place, (there, here) in enumerate(pairs, start=1):
                if there != here:
                    yield f"column {name}, row {place}: found {there}, wanted {here}"
    if list(ours) != list(theirs) and set(ours) == set(theirs):
        yield "columns in another order"


def save(place: Path, table: Any) -> None:
    """Write it, unless the file there holds the same."""
    from pyarrow.parquet import write_table

    if difference(place, table):
        write(place, partial(write_table, table))
