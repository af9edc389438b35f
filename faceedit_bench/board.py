"""Stored runs + a board's definition -> ranked rows, as Markdown and CSV. No hand edits a score."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import config
from .errors import BadConfig, ResultsError
from .manifest import SUPPLIED, Manifest

Record = Mapping[str, Any]  # what `faceedit-bench export` writes; faceedit_bench.store.records
FORMAT = 1


@dataclass(frozen=True)
class Column:
    """One number per method."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    metric: str
    title: str
    better: str  # "higher" or "lower"
    edit: str = "all"  # an edit's name, "reconstruction", or "all"
    digits: int = 2


@dataclass(frozen=True)
class Board:
    """What a leaderboard shows and how it ranks."""

    title: str
    suite: str
    rank_by: str  # metric of one of the columns
    columns: tuple[Column, ...]
    about: str = ""  # a paragraph under the title
    per_edit: str = ""  # metric of the second table, one row per edit
    require: tuple[str, ...] = ()  # metrics that every run must have
    floor: str = "copy"
    ceiling: str = "truth"
    same_pictures: bool = True  # refuse runs over pictures of another digest
    second_opinion: str = ""  # metric of another judge by which ranks are made again, to be compared
    published: tuple[str, ...] = ()  # files of published/ to show below, unranked (published.py)

    def __post_init__(self) -> None:
        if self.rank_by not in (column.metric for column in self.columns):
            raise BadConfig(f"board {self.title!r}: rank_by names {self.rank_by!r}, which is in no column")
        for column in self.columns:
            if column.better not in ("higher", "lower"):
                raise BadConfig(
                    f"board {self.title!r}: better wants 'higher' or 'lower', found {column.better!r}"
                )

    @property
    def ranking(self) -> Column:
        """The column that decides the rank."""
        return next(column for column in self.columns if column.metric == self.rank_by)


@dataclass(frozen=True)
class Cell:
    """A score with its interval."""

    value: float
    low: float | None
    high: float | None
    kind: str  # how the interval was made

    @property
    def has_bootstrap(self) -> bool:
        return self.kind.startswith("bootstrap") and self.low is not None and self.high is not None

    def overlaps(self, other: Cell) -> bool:
        """Whether two bootstrap intervals share a point; without them, whether the values are equal."""
        if not (self.has_bootstrap and other.has_bootstrap):
            return self.value == other.value
        assert (
            self.low is not None
            and self.high is not None
            and other.low is not None
            and other.high is not None
        )
        return self.low <= other.high and other.low <= self.high

    def text(self, digits: int) -> str:
        """`81.2 [80.1, 82.3]`."""
        value = _number(self.value, digits)
        if self.low is None or self.high is None:
            return value
        return f"{value} [{_number(self.low, digits)}, {_number(self.high, digits)}]"


@dataclass(frozen=True)
class Row:
    """A run on the board."""

    rank: int | None  # None: floor and ceiling
    mark: str  # "floor", "ceiling" or ""
    method: str
    version: str
    preset: str
    run: str
    cells: tuple[Cell | None, ...]  # as Board.columns
    per_edit: Mapping[str, Cell]
    cost: Mapping[str, Any]
    saw: tuple[str, ...]  # judges of this board that the method used in training
    second: Cell | None = None  # by the second judge, where the board asks one
    second_rank: int | None = None  # rank by that judge
    faces: str = ""  # "187 of 200" where some could not be scored

    @property
    def name(self) -> str:
        return self.method if self.preset == "default" else f"{self.method} ({self.preset})"

    @property
    def label(self) -> str:
        return self.name + (" †" if self.saw else "")


# ---- reading --------------------------------------------------------------------------------------


def load(path: Path) -> Board:
    """A board from its TOML file."""
    return config.load(Board, path)


def check_record(record: Any, path: Path) -> Record:
    """The record, or ResultsError: not a record, or not what its name says."""
    if not isinstance(record, dict) or not {"format", "id", "manifest", "scores", "cost"} <= record.keys():
        raise ResultsError(f"{path}: not a run record; make it with `faceedit-bench export`")
    if record["format"] != FORMAT:
        raise ResultsError(
            f"{path}: wanted record format {FORMAT}, found {record['format']!r}; export the run again"
        )
    found = Manifest(record["manifest"].get("identity", {}), {}).id
    if not record["id"] == found == path.stem:
        raise ResultsError(
            f"{path}: its name, id {record['id']!r} and identity (id {found!r}) must agree; export it again"
        )
    return record


# ---- ranking --------------------------------------------------------------------------------------


def ranked(records: Sequence[Record], board: Board) -> list[Row]:
    """Ceiling first, methods by rank, floor last. Runs that cannot be compared are refused.

    Walking down from the best value, a method shares the rank of the first of its group if their bootstrap
    intervals overlap; otherwise it opens the next group, and its rank is its place (1, 1, 3).
    """
    for record in records:
        _check_requirements(record, board)
    _check_comparable(records, board)
    rows = [_row(record, board) for record in records]
    index = board.columns.index(board.ranking)
    competitors = [row for row in rows if not row.mark]
    placed = [
        replace(row, rank=rank) for row, rank in _ranks(competitors, board, lambda row: row.cells[index])
    ]
    if board.second_opinion:
        again = {row.run: rank for row, rank in _ranks(placed, board, lambda row: row.second)}
        placed = [replace(row, second_rank=again[row.run]) for row in placed]
    ceilings = sorted((row for row in rows if row.mark == "ceiling"), key=lambda row: row.run)
    floors = sorted((row for row in rows if row.mark == "floor"), key=lambda row: row.run)
    return [*ceilings, *placed, *floors]


def _ranks(rows: Sequence[Row], board: Board, cell: Callable[[Row], Cell | None]) -> list[tuple[Row, int]]:
    """Rows from the best value of `cell` down, each with the place at which its group began."""
    sign = -1 if board.ranking.better == "higher" else 1
    ordered = sorted(rows, key=lambda row: (sign * _value(cell(row)), row.name, row.run))
    placed: list[tuple[Row, int]] = []
    first, rank = None, 0
    for place, row in enumerate(ordered, start=1):
        if first is None or not _share(cell(first), cell(row)):
            first, rank = row, place
        placed.append((row, rank))
    return placed


def _check_requirements(record: Record, board: Board) -> None:
    suite = _identity(record)["suite"]["name"]
    if suite != board.suite:
        raise ResultsError(f"run {record['id']}: board wants suite {board.suite!r}, found {suite!r}")
    present = {score["metric"] for score in record["scores"]}
    wanted = [name for name in (board.rank_by, board.second_opinion, *board.require) if name]
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ResultsError(
            f"run {record['id']} lacks {', '.join(missing)}, which board {board.title!r} requires"
        )


def _check_comparable(records: Sequence[Record], board: Board) -> None:
    """All runs under one protocol, or an error that says which part of which two runs differs."""
    for record in records[1:]:
        before, now = _protocol(records[0], board), _protocol(record, board)
        differing = [part for part in sorted({*before, *now}) if before.get(part) != now.get(part)]
        if differing:
            lines = [
                f"  {part}: {before.get(part, 'absent')} against {now.get(part, 'absent')}"
                for part in differing
            ]
            head = f"runs {records[0]['id']} and {record['id']} cannot stand in one table; they differ in"
            raise ResultsError("\n".join([head, *lines, "run one of them again, or remove its record"]))


def _protocol(record: Record, board: Board) -> dict[str, str]:
    """What must be equal among the runs of a board."""
    identity = _identity(record)
    parts = {"suite": f"{identity['suite']['name']} {identity['suite']['fingerprint']}"}
    for role, judge in identity.get("judges", {}).items():
        parts[f"judge of {role}"] = f"{judge['name']} {judge['version']} {judge['sha256']}"
    for metric, version in identity.get("metrics", {}).items():
        parts[f"version of metric {metric}"] = str(version)
    if board.same_pictures:
        parts["pictures"] = _digest(record)
    return parts


def _row(record: Record, board: Board) -> Row:
    identity = _identity(record)
    method = identity["method"]
    cells = {(score["metric"], score["edit"]): _cell(score) for score in record["scores"]}
    judges = {judge["name"] for judge in identity.get("judges", {}).values()}
    return Row(
        rank=None,
        mark={board.floor: "floor", board.ceiling: "ceiling"}.get(method["name"], ""),
        method=method["name"],
        version=str(method["version"]),
        preset=method.get("preset", "default"),
        run=record["id"],
        cells=tuple(cells.get((column.metric, column.edit)) for column in board.columns),
        per_edit={
            edit: cell
            for (metric, edit), cell in cells.items()
            if metric == board.per_edit and edit != "all" and cell
        },
        cost=record["cost"] or {},
        saw=tuple(sorted(judges & set(method.get("saw", ())))),
        faces=_faces(record),
        second=cells.get((board.second_opinion, board.ranking.edit)),
    )


def _faces(record: Record) -> str:
    """How many of how many faces were scored, where some were left out."""
    faces = record.get("faces") or {"unusable": ()}
    return f"{faces['scored']} of {faces['of']}" if faces["unusable"] else ""


def _cell(score: Mapping[str, Any]) -> Cell | None:
    if score["value"] is None:
        return None
    low, high = (None if score[key] is None else float(score[key]) for key in ("low", "high"))
    return Cell(float(score["value"]), low, high, score["kind"])


def _share(first: Cell | None, other: Cell | None) -> bool:
    return first is not None and other is not None and first.overlaps(other)


def _value(cell: Cell | None) -> float:
    return math.nan if cell is None else cell.value


def _identity(record: Record) -> Mapping[str, Any]:
    return record["manifest"]["identity"]


def _digest(record: Record) -> str:
    return str(_identity(record).get("data", {}).get("digest", "unknown"))


# ---- text -----------------------------------------------------------------------------------------


def markdown(records: Sequence[Record], board: Board, name: str, published: str = "") -> str:
    """The board as a page; `published`, the block of printed numbers, stands apart at its end."""
    rows = ranked(records, board)
    parts = [
        f"<!-- Generated by `faceedit-bench board {name}` from runs/{board.suite}/*.json; do not edit. -->",
        f"# {board.title}",
        *([board.about] if board.about else []),
    ]
    if not rows:
        parts.append("No runs yet: `faceedit-bench export RUN` adds one.")
        return "\n\n".join([*parts, *([published] if published else [])]) + "\n"
    parts.append(_scores_table(rows, board))
    parts.append(_legend(rows, board))
    if board.per_edit and any(row.per_edit for row in rows):
        title = next(
            (column.title for column in board.columns if column.metric == board.per_edit), board.per_edit
        )
        parts += [f"## {title} per edit", _per_edit_table(rows, board)]
    if any(row.cost for row in rows):
        parts += ["## Cost", _cost_table(rows)]
    parts += ["## Protocol", _protocol_text(records, board)]
    parts += [published] if published else []
    return "\n\n".join(parts) + "\n"


def _scores_table(rows: Sequence[Row], board: Board) -> str:
    arrows = {"higher": "↑", "lower": "↓"}
    some_left_out = any(row.faces for row in rows)
    faces = ["faces"] if some_left_out else []
    headings = ["rank", "method", *faces]
    headings += [f"{column.title} {arrows[column.better]}" for column in board.columns]
    body = [
        [
            _rank(row),
            row.label,
            *([row.faces or "all"] if some_left_out else []),
            *_texts(row.cells, board.columns),
        ]
        for row in rows
    ]
    return _table(headings, body, left=2 + len(faces))


def _texts(cells: Sequence[Cell | None], columns: Sequence[Column]) -> list[str]:
    return [
        "–" if cell is None else cell.text(column.digits) for cell, column in zip(cells, columns, strict=True)
    ]


def _per_edit_table(rows: Sequence[Row], board: Board) -> str:
    digits = next((column.digits for column in board.columns if column.metric == board.per_edit), 2)
    edits = list(dict.fromkeys(edit for row in rows for edit in row.per_edit))
    body = [
        [edit, *(row.per_edit[edit].text(digits) if edit in row.per_edit else "–" for row in rows)]
        for edit in edits
    ]
    return _table(["edit", *(row.label for row in rows)], body, left=1)


COSTS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "parameters": ("parameters", lambda cost: _scaled(cost.get("parameters"), 1e6, " M")),
    "macs": ("MACs per image", lambda cost: _scaled(cost.get("macs"), 1e9, " G")),
    "weights_bytes": ("weights", lambda cost: _scaled(cost.get("weights_bytes"), 1e6, " MB")),
    "peak_activation_bytes": (
        "peak activations",
        lambda cost: _scaled(cost.get("peak_activation_bytes"), 1e6, " MB"),
    ),
    "latency": ("ms per image, median (p90)", lambda cost: _latency(cost.get("latency"))),
    "device": ("on", lambda cost: str(cost.get("device") or "–")),
}


def _cost_table(rows: Sequence[Row]) -> str:
    headings = ["method", *(title for title, _ in COSTS.values())]
    return _table(
        headings, [[row.name, *(text(row.cost) for _, text in COSTS.values())] for row in rows], left=1
    )


def _scaled(value: float | None, unit: float, suffix: str) -> str:
    return "–" if value is None else f"{value / unit:.2f}{suffix}"


def _latency(latency: Mapping[str, float] | None) -> str:
    """Seconds -> milliseconds."""
    if not latency or latency.get("median") is None:
        return "–"
    p90 = latency.get("p90")
    return f"{latency['median'] * 1e3:.1f}" + ("" if p90 is None else f" ({p90 * 1e3:.1f})")


def _legend(rows: Sequence[Row], board: Board) -> str:
    lines = [
        f"Ranked by {board.ranking.title}; methods whose bootstrap intervals overlap with that of the first "
        "of their group share its rank. In brackets: 95 % intervals.",
        f"*floor*: `{board.floor}` returns its input. *ceiling*: `{board.ceiling}` returns the exact "
        "counterfactual. Neither is ranked.",
    ]
    if any(row.preset == SUPPLIED for row in rows):
        lines.append(
            f"*{SUPPLIED}*: edited elsewhere, by a program that was not run here; so there are no costs."
        )
    if any(row.faces for row in rows):
        lines.append(
            "*faces*: how many were scored. The others have no face that the method finds; leaving out hard "
            "faces flatters it."
        )
    if board.second_opinion:
        lines.append(
            f"*n (m)*: rank n, but m by {board.second_opinion}, which asks another judge. Such a rank says "
            "as much about the judge as about the method."
        )
    seen = sorted({judge for row in rows for judge in row.saw})
    if seen:
        lines.append(f"†: used a judge of this board in training ({', '.join(seen)}).")
    return "  \n".join(lines)


def _protocol_text(records: Sequence[Record], board: Board) -> str:
    identity = _identity(records[0])
    suite = identity["suite"]
    lines = [f"- suite: {suite['name']} {suite.get('version', '')}, fingerprint `{suite['fingerprint']}`"]
    for role, judge in sorted(identity.get("judges", {}).items()):
        lines.append(f"- judge of {role}: {judge['name']} {judge['version']}, sha256 `{judge['sha256']}`")
    versions = ", ".join(
        f"{metric} {version}" for metric, version in sorted(identity.get("metrics", {}).items())
    )
    lines.append(f"- metrics and their versions: {versions}")
    digests = sorted({_digest(record) for record in records})
    lines.append(f"- pictures: {', '.join(f'`{digest}`' for digest in digests)}")
    lines += [f"- run of {row.name} {row.version}: `{row.run}`" for row in ranked(records, board)]
    return "\n".join(lines)


def _rank(row: Row) -> str:
    if row.rank is None:
        return f"*{row.mark}*"
    return str(row.rank) if row.second_rank in (None, row.rank) else f"{row.rank} ({row.second_rank})"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table; the first `left` columns are aligned left, the rest right."""
    rule = ["---" if column < left else "---:" for column in range(len(headings))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *rows])


def _number(value: float, digits: int) -> str:
    return "∞" if math.isinf(value) and value > 0 else f"{value:.{digits}f}"


def comma_separated(records: Sequence[Record], board: Board, name: str) -> str:
    """The board as CSV: full precision, one line per run, after one line that says where it comes from."""
    rows = ranked(records, board)
    edits = list(dict.fromkeys(edit for row in rows for edit in row.per_edit))
    names = [_key(column) for column in board.columns]
    headings = ["rank", "method", "version", "preset", "run"]
    headings += [f"{key}{part}" for key in names for part in ("", "_low", "_high")]
    headings += [f"{board.per_edit}_{edit}" for edit in edits] + [key for key in COSTS if key != "latency"]
    headings += ["latency_median", "latency_p90"]
    headings += ["faces"] if any(row.faces for row in rows) else []
    text = io.StringIO()
    text.write(f"# Generated by `faceedit-bench board {name}` from runs/{board.suite}/*.json; do not edit.\n")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(headings)
    for row in rows:
        cells = [value for cell in row.cells for value in _triple(cell)]
        per_edit = [row.per_edit[edit].value if edit in row.per_edit else None for edit in edits]
        cost = [row.cost.get(key) for key in COSTS if key != "latency"]
        latency = row.cost.get("latency") or {}
        first = [row.rank or row.mark, row.method, row.version, row.preset, row.run]
        last = [latency.get("median"), latency.get("p90"), row.faces or "all"]
        line = [*first, *cells, *per_edit, *cost, *last]
        lines.writerow(line[: len(headings)])
    return text.getvalue()


def _key(column: Column) -> str:
    return column.metric if column.edit == "all" else f"{column.metric}_{column.edit}"


def _triple(cell: Cell | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if cell is None else (cell.value, cell.low, cell.high)


def as_data(rows: Sequence[Row], board: Board) -> list[dict[str, Any]]:
    """Rows for programs."""
    keys = [_key(column) for column in board.columns]
    return [
        {
            "rank": row.rank,
            **({"second_rank": row.second_rank} if board.second_opinion else {}),
            "mark": row.mark,
            "method": row.method,
            "version": row.version,
            "preset": row.preset,
            "run": row.run,
            "faces": row.faces or "all",
            "scores": {
                key: None if cell is None else vars(cell) for key, cell in zip(keys, row.cells, strict=True)
            },
            "per_edit": {edit: vars(cell) for edit, cell in row.per_edit.items()},
            "cost": dict(row.cost),
        }
        for row in rows
    ]
