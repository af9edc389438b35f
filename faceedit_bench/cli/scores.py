"""How a run is printed: tables that fit 80 columns, cost, what is absent, where everything lies."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import suite as suites
from ..catalog import catalog
from ..manifest import precision
from ..store.later import asked
from ..store.undefined import sentences
from .output import note, print_json
from .table import WIDTH, fitted, packed, table

if TYPE_CHECKING:
    from ..store.folder import RunFolder
    from ..store.score import Score

ALL, RECONSTRUCTION = "all", "reconstruction"
NAMED = 3  # faces that are left out and named in the table


def show_run(folder: RunFolder, absent: dict[str, str], *, as_json: bool) -> None:
    """Every metric per edit and overall, with 95 % intervals."""
    later = folder.rescored()
    scores, manifest = [*folder.scores(), *folder.later_scores()], folder.manifest
    if as_json:
        return print_json(
            {
                "id": manifest.id,
                "folder": str(folder.path),
                "manifest": asdict(manifest),
                "scores": [score.entry() for score in scores],
                "cost": folder.cost(),
                "faces": folder.faces(),
                "failures": folder.failures(),
                "absent": absent,
                **(
                    {"rescored": {key: later[key] for key in ("metrics", "judges", "sources")}}
                    if later["metrics"]
                    else {}
                ),
            }
        )
    identity = manifest.identity
    method, suite = identity["method"], identity["suite"]
    faces = folder.faces()
    count = f"{faces['scored']} of {faces['of']}" if faces["unusable"] else faces["of"]
    click.echo(f"{method['name']} ({method['preset']}) on {suite['name']}, {count} faces")
    named = {**identity["metrics"], **later["metrics"]}
    metrics = [name for name in named if any(score.metric == name for score in scores)]
    for block in _blocks(metrics, scores, suites.series(folder.edits())):
        click.echo("\n" + block)
    if cost := _cost_lines(folder.cost()):
        click.echo("\n" + "\n".join(cost))
    undefined = sentences((score.metric, score.edit, score.reason) for score in scores if score.value is None)
    told = [*_left_out(faces["unusable"]), *_failures(folder.failures()), *undefined]
    click.echo("\n" + "\n".join([*map(fitted, told), *_notes(identity, asked(later), absent)]))
    for source in dict.fromkeys(later["sources"].values()):
        names = [name for name in later["metrics"] if later["sources"][name] == source]
        click.echo(fitted(f"rescored {', '.join(names)}, from {source}"))
    click.echo(f"results  {folder.path}\nsheet    {folder.path / 'images' / 'sheet.png'}")


def print_csv(folder: RunFolder) -> None:
    """Every score with full precision, one a line; its edit, what that asks, and how strongly."""
    edits = {edit.name: edit for edit in folder.edits()}
    curves = suites.series(folder.edits())
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(["edit", "asks", "strength", "metric", "value", "low", "high", "n", "interval", "reason"])
    for score in [*folder.scores(), *folder.later_scores()]:
        edit = edits.get(score.edit)
        told = [edit.asks, edit.strength] if edit and not edit.is_reconstruction else ["", ""]
        told = [score.edit, ""] if score.edit in curves else told
        numbers = [score.value, score.low, score.high, score.n, score.kind, score.reason]
        lines.writerow([score.edit, *told, score.metric, *numbers])


def _left_out(unusable: Sequence[dict[str, str]]) -> list[str]:
    """The faces that could not be used, the first few by name."""
    if not unusable:
        return []
    named = [f"{entry['sample']}: {entry['reason']}" for entry in unusable[:NAMED]]
    more = [f"and {len(unusable) - NAMED} more in faces.json"] if len(unusable) > NAMED else []
    return [f"left out {len(unusable)}: " + "; ".join([*named, *more])]


def _failures(failures: Sequence[Mapping[str, Any]]) -> list[str]:
    """What went wrong, by reason: how often, and the first few."""
    by_reason: dict[str, list[str]] = {}
    for entry in failures:
        if "sample" in entry:
            continue  # a face left out, named already
        told = ", ".join(
            f"{key} {value}".replace("_", " ") for key, value in entry.items() if key != "reason"
        )
        by_reason.setdefault(str(entry.get("reason", "no reason given")), []).append(told)
    lines = []
    for reason, of_it in by_reason.items():
        more = [f"and {len(of_it) - NAMED} more in failures.jsonl"] if len(of_it) > NAMED else []
        lines.append(f"failures {len(of_it)}: {reason}: " + "; ".join([*of_it[:NAMED], *more]))
    return lines


def _blocks(
    metrics: Sequence[str], scores: Sequence[Score], curves: Mapping[str, Sequence[suites.Edit]]
) -> list[str]:
    """Tables of edits × metrics, as many metrics side by side as fit; one for every series of strengths; then
    one of the reconstruction."""
    cells = {(score.edit, score.metric): _cell(score) for score in scores}
    in_curves = {edit.name for edits in curves.values() for edit in edits}
    edits = [ALL, *(score.edit for score in scores if score.edit not in (ALL, RECONSTRUCTION, *in_curves))]
    blocks = _tables("edit", {edit: edit for edit in dict.fromkeys(edits)}, metrics, cells)
    for asks, of_it in curves.items():
        rows = {f"{edit.strength:g}": edit.name for edit in of_it}
        tables = _tables("strength", rows, metrics, cells)
        read = [f"{score.metric}  {_cell(score)}" for score in scores if score.edit == asks]
        blocks += [f"{asks}, by strength\n{block}" for block in tables[:-1]]
        blocks += ["\n".join([f"{asks}, by strength", *tables[-1:], *read])]
    rebuilt = [
        (_heading(name), cells[RECONSTRUCTION, name]) for name in metrics if (RECONSTRUCTION, name) in cells
    ]
    return blocks + ([table([RECONSTRUCTION, "value"], rebuilt)] if rebuilt else [])


def _tables(
    heading: str, rows: Mapping[str, str], metrics: Sequence[str], cells: Mapping[tuple[str, str], str]
) -> list[str]:
    """Tables with a line for each of `rows` (title -> edit) that has any score, and a column per metric."""
    present = {title: edit for title, edit in rows.items() if any((edit, name) in cells for name in metrics)}
    columns = [
        [_heading(name), *(cells.get((edit, name), "") for edit in present.values())]
        for name in metrics
        if any((edit, name) in cells for edit in present.values())
    ]
    return [
        table(
            [heading, *(column[0] for column in part)],
            list(zip(present, *(column[1:] for column in part), strict=True)),
        )
        for part in packed(columns, WIDTH - max(map(len, [heading, *present])))
    ]


def _heading(metric: str) -> str:
    spec = catalog().metrics.get(metric)
    if spec is None:
        return metric
    arrow = "↑" if spec.better == "higher" else "↓"
    return f"{metric} {spec.unit} {arrow}".replace("  ", " ")


def _cell(score: Score) -> str:
    spec = catalog().metrics.get(score.metric.partition("@")[0])
    digits = spec.digits if spec else 2
    if score.value is None:
        return "–"
    text = f"{score.value:.{digits}f}"
    if score.low is None or score.high is None:
        return text
    marks = "[]" if score.kind.startswith(("bootstrap", "wilson")) else "()"
    return f"{text} {marks[0]}{score.low:.{digits}f}, {score.high:.{digits}f}{marks[1]}"


def _notes(identity: dict[str, Any], later: Sequence[tuple[str, Any]], absent: dict[str, str]) -> list[str]:
    """What the numbers rest on; `later`: role and judge of metrics that were computed later."""
    every = [*identity["judges"].values(), *(judge for _, judge in later)]
    judges = [*dict.fromkeys(f"{one['name']} {one['sha256'][:8]}{precision(one)}" for one in every)]
    lines = ["[low, high] 95 % interval over faces   (low, high) spread over half samples"]
    if judges:
        lines += [f"judges   {', '.join(judges[i : i + 2])}" for i in range(0, len(judges), 2)]
    lines += _warnings(identity["data"]["name"], every)
    return lines + [f"absent   {metric}: {reason}" for metric, reason in absent.items()]


def _warnings(data: str, judges: Sequence[Mapping[str, str]]) -> list[str]:
    """A judge that learned on drawn faces says little about photographs: say so where it is used on them."""
    found = catalog()
    dataset = found.datasets.get(data)
    known = dict.fromkeys(judge["name"] for judge in judges if judge["name"] in found.judges)
    toys = [name for name in known if found.judges[name].faces == "drawn"]
    if dataset is None or dataset.faces == "drawn" or not toys:
        return []
    return [f"warning  {', '.join(toys)} learned on drawn faces; on photographs it ranks nothing"]


def _cost_lines(cost: dict[str, Any]) -> list[str]:
    if not cost:
        return []
    latency = cost["latency"]
    return [
        f"cost     {cost['parameters']:,} parameters, {cost['macs'] / 1e9:.3f} GMAC per face",
        f"memory   weights {cost['weights_bytes'] / 2**20:.1f} MiB, "
        f"peak activations {cost['peak_activation_bytes'] / 2**20:.1f} MiB",
        f"time     median {latency['median'] * 1e3:.1f} ms, p90 {latency['p90'] * 1e3:.1f} ms per face "
        f"(n = {latency['n']}, batch 1)",
        f"device   {cost['device']}, {cost['threads']} threads",
    ]


def list_runs(root: Path, *, as_json: bool) -> None:
    """All runs below a results folder, complete or not."""
    from ..store.folder import RunFolder

    folders = [RunFolder(path.parent) for path in sorted(root.glob("*/*/manifest.json"))]
    rows = [
        {
            "suite": folder.path.parent.name,
            "method": folder.manifest.identity["method"]["name"],
            "id": folder.manifest.id,
            "when": folder.manifest.provenance["when"],
            "state": "complete" if folder.is_complete else f"stopped after {len(folder.finished())} shards",
        }
        for folder in folders
    ]
    if as_json:
        return print_json(rows)
    if not rows:
        return note(f"no runs in {root}; make one with `faceedit-bench run --method coogan`")
    click.echo(table(list(rows[0]), [list(row.values()) for row in rows]))
