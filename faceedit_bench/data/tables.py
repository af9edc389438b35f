"""Pictures with a table of labels: a folder and a CSV file, and the `imagefolder` layout of Hugging Face.

A column of the table names the picture (`id`, `file`, `image`, `file_name` or `filename`), every other one is
an attribute with 0 or 1, or with -1 or 1. `identity` may say who is shown. Text columns of `imagefolder`
(`text`, `caption`, `prompt`) are passed over.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadDataset
from .frame import WHOLE
from .index import Index, first_named, pictures_below

PICTURE = ("id", "file", "file_name", "filename", "image", "image_id")
IDENTITY = "identity"
PROSE = ("text", "caption", "prompt")
VALUES = {"1": 1, "0": 0, "-1": 0, "1.0": 1, "0.0": 0, "-1.0": 0, "true": 1, "false": 0}
SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    line: int
    file: str
    cells: Mapping[str, str]


def read_folder_csv(root: Path, *, name: str) -> Index:
    """Pictures below `root` with the labels of the one CSV file in it, in the order of the table."""
    tables = sorted(root.glob("*.csv"))
    if not tables:
        raise BadDataset(
            f"{root}: no .csv file; wanted a table with a column id and one for each "
            "attribute; add one, or take data set 'folder', which has no labels"
        )
    if len(tables) > 1 and root / "labels.csv" not in tables:
        raise BadDataset(
            f"{root}: {len(tables)} .csv files ({', '.join(table.name for table in tables[:5])}); "
            "wanted one, or one named labels.csv; move the others away"
        )
    table = tables[0] if len(tables) == 1 else root / "labels.csv"
    rows = [(table, row) for row in _csv_rows(table)]
    return _index(root, name, rows, {"all": range(len(rows))})


def read_imagefolder(root: Path, *, name: str) -> Index:
    """Pictures and `metadata.csv` or `metadata.jsonl`, in a folder for each split or in one."""
    parts = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name.lower() in SPLITS]
    rows: list[tuple[Path, Row]] = []
    splits: dict[str, range] = {}
    for part in parts or [root]:
        split = SPLITS[part.name.lower()] if parts else "train"
        if split in splits:
            raise BadDataset(f"{root}: two folders for split {split!r}; keep one")
        prefix = f"{part.name}/" if parts else ""
        found = [(table, Row(row.line, prefix + row.file, row.cells)) for table, row in _metadata(part, name)]
        splits[split] = range(len(rows), len(rows) + len(found))
        rows += found
    return _index(root, name, rows, {**splits, "all": range(len(rows))}, prose=PROSE)


# ---- tables -----------------------------------------------------------------------------------------


def _metadata(folder: Path, name: str) -> list[tuple[Path, Row]]:
    for file, read in (("metadata.csv", _csv_rows), ("metadata.jsonl", _json_rows)):
        if (folder / file).exists():
            return [(folder / file, row) for row in read(folder / file)]
    arrow = next(folder.glob("*.arrow"), None) or next(folder.glob("*.parquet"), None)
    hint = f"; {arrow.name} is another format: save the pictures as files" if arrow else ""
    raise BadDataset(
        f"{folder}: no metadata.csv or metadata.jsonl; wanted file_name and a column for each "
        f"attribute{hint} (faceedit-bench data where {name})"
    )


def _csv_rows(table: Path) -> list[Row]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            titles = [title.strip() for title in next(reader, [])]
            column = _picture_column(table, titles)
            rows = []
            for cells in reader:
                if not any(cells):
                    continue
                if len(cells) != len(titles):
                    raise BadDataset(
                        f"{table}, line {reader.line_num}: wanted {len(titles)} fields as in line 1, "
                        f"found {len(cells)}; mend the line, and quote what has commas in it"
                    )
                rows.append(
                    Row(reader.line_num, cells[column].strip(), dict(zip(titles, cells, strict=True)))
                )
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataset(f"{table}: not a CSV file in UTF-8 ({error}); save it as one") from None
    return _not_empty(table, rows)


def _json_rows(table: Path) -> list[Row]:
    rows: list[Row] = []
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadDataset(f"{table}: not a text file in UTF-8 ({error}); save it as one") from None
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            cells = json.loads(text)
        except ValueError as error:
            raise BadDataset(f"{table}, line {line}: not JSON ({error}); wanted one object a line") from None
        if not isinstance(cells, dict) or not isinstance(cells.get("file_name"), str):
            raise BadDataset(
                f"{table}, line {line}: wanted an object with file_name, found {text[:60]!r}; mend it"
            )
        plain = {key: _plain(value) for key, value in cells.items()}
        if rows and set(plain) != set(rows[0].cells):
            odd = ", ".join(sorted(set(plain) ^ set(rows[0].cells)))
            raise BadDataset(
                f"{table}, line {line}: has other columns than line {rows[0].line}: {odd}; give "
                "every line the same"
            )
        rows.append(Row(line, cells["file_name"], plain))
    return _not_empty(table, rows)


def _plain(value: Any) -> str:
    """What a table of text would have there."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _not_empty(table: Path, rows: list[Row]) -> list[Row]:
    if not rows:
        raise BadDataset(f"{table}: lists no picture; wanted a line for each")
    return rows


def _picture_column(table: Path, titles: Sequence[str]) -> int:
    twice = sorted({title for title in titles if titles.count(title) > 1})
    if twice:
        raise BadDataset(f"{table}, line 1: column {', '.join(twice)} is there twice; rename one")
    found = [title for title in titles if title.lower() in PICTURE]
    if len(found) != 1:
        raise BadDataset(
            f"{table}, line 1: wanted one column that names the picture ({', '.join(PICTURE)}), "
            f"found {', '.join(found) or 'none'} among {', '.join(titles) or 'no columns'}; rename it"
        )
    return list(titles).index(found[0])


# ---- rows to faces ----------------------------------------------------------------------------------


def _index(
    root: Path,
    name: str,
    rows: Sequence[tuple[Path, Row]],
    splits: Mapping[str, range],
    prose: Sequence[str] = (),
) -> Index:
    there = pictures_below(root)
    attributes = _attributes(rows, prose)
    files = _files(rows, there)
    _one_coding(rows, attributes)
    labels = [[_label(table, row, column) for column in attributes] for table, row in rows]
    who = _people(rows)
    return Index(
        name=name,
        root=root,
        folder=root,
        ids=tuple(files),
        files=tuple(files),
        attributes=attributes,
        labels=np.array(labels, np.uint8).reshape(len(rows), len(attributes)),
        splits={split: np.arange(part.start, part.stop) for split, part in splits.items()},
        frame=WHOLE,
        missing=frozenset(files) - there,
        unlisted=len(there - set(files)),
        identities=who,
    )


def _people(rows: Sequence[tuple[Path, Row]]) -> tuple[str, ...] | None:
    """Who each picture shows, where the table says so."""
    if IDENTITY not in rows[0][1].cells:
        return None
    for table, row in rows:
        if not row.cells.get(IDENTITY, "").strip():
            raise BadDataset(
                f"{table}, line {row.line} ({row.file}), column {IDENTITY}: wanted a name, found nothing; "
                "give every picture one, or take the column out"
            )
    return tuple(row.cells[IDENTITY].strip() for _, row in rows)


def _attributes(rows: Sequence[tuple[Path, Row]], prose: Sequence[str]) -> tuple[str, ...]:
    """Every column that is not the picture, the person or prose; the same in all tables."""
    columns = [_labels_of(row, prose) for _, row in rows]
    for (table, _), found in zip(rows, columns, strict=True):
        if set(found) != set(columns[0]):
            odd = ", ".join(sorted(set(found) ^ set(columns[0])))
            raise BadDataset(f"{table}: has other columns than {rows[0][0]}: {odd}; give both the same")
    if not columns[0]:
        raise BadDataset(
            f"{rows[0][0]}: no column of labels; pictures without labels are the data set 'folder'"
        )
    return columns[0]


def _labels_of(row: Row, prose: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        title
        for title in row.cells
        if title.lower() not in PICTURE and title != IDENTITY and title not in prose
    )


def _files(rows: Sequence[tuple[Path, Row]], there: set[str]) -> list[str]:
    """Picture of each row: as named, or with the one suffix that exists."""
    by_stem: dict[str, list[str]] = {}
    for file in sorted(there):
        by_stem.setdefault(file.rpartition(".")[0], []).append(file)
    files: list[str] = []
    seen: dict[str, tuple[Path, int]] = {}
    for table, row in rows:
        file = row.file if row.file in there else _with_suffix(table, row, by_stem)
        if file in seen:
            raise BadDataset(
                f"{table}, line {row.line}: {row.file} is listed again; line {seen[file][1]} has it already. "
                "Each picture is listed once"
            )
        seen[file] = table, row.line
        files.append(file)
    return files


def _with_suffix(table: Path, row: Row, by_stem: Mapping[str, Sequence[str]]) -> str:
    found = by_stem.get(row.file, [])
    if len(found) > 1:
        raise BadDataset(
            f"{table}, line {row.line}: {row.file} could be {first_named(found)}; "
            "name the file with its suffix"
        )
    return found[0] if found else row.file


def _one_coding(rows: Sequence[tuple[Path, Row]], attributes: Sequence[str]) -> None:
    """0 and -1 both mean "no", but not in one set: there, one of them may mean "unknown"."""
    first: dict[str, tuple[Path, Row, str]] = {}
    for table, row in rows:
        for column in attributes:
            value = row.cells[column].strip().partition(".")[0]
            if value in ("0", "-1"):
                first.setdefault(value, (table, row, column))
    if len(first) == 2:
        where = " and ".join(
            f"{value} in {table.name}, line {row.line}, column {column}"
            for value, (table, row, column) in sorted(first.items())
        )
        raise BadDataset(
            f"{rows[0][0]}: labels are 0 or 1, or else -1 or 1, found {where}; "
            "if one of them means unknown, leave these pictures out"
        )


def _label(table: Path, row: Row, column: str) -> int:
    value = row.cells[column].strip().lower()
    if value not in VALUES:
        raise BadDataset(
            f"{table}, line {row.line} ({row.file}), column {column}: wanted 0 or 1 (or -1 or 1), "
            f"found {row.cells[column]!r}; columns that are no labels must be taken out"
        )
    return VALUES[value]
