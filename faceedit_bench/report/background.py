"""What stands behind the numbers: protocol, cost, what failed, manifests, citations, licences."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..catalog import catalog
from ..contracts import Pin
from ..markup.blocks import plain
from ..markup.html import Child, Html, element, joined
from . import citation, licence
from .comparable import notes
from .material import Run

LISTED = 50  # faces left out that are named for each run


# ---- protocol -------------------------------------------------------------------------------------


def protocol(runs: Sequence[Run]) -> Html:
    """What all runs have in common, with the pins."""
    identity = runs[0].identity
    suite, data = identity["suite"], identity["data"]
    rows: list[list[Child]] = [
        ["suite", f"{suite['name']} {suite.get('version', '')}, fingerprint ", _hash(suite["fingerprint"])],
        ["pictures", f"{data['name']} {data.get('version', '')}, {data.get('split', '')}, "
         f"{data.get('count', '')} faces, digest ", _hash(data.get("digest", "unknown"))],
    ]  # fmt: skip
    judges = {role: judge for run in reversed(runs) for role, judge in run.identity["judges"].items()}
    for role, judge in sorted(judges.items()):
        rows.append(
            [f"judge of {role}", f"{judge['name']} {judge['version']}, sha256 ", _hash(judge["sha256"])]
        )
    versions = {name: version for run in runs for name, version in run.identity["metrics"].items()}
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    rows.append(["metrics and versions", told])
    table = plain("Measured alike", ["part", "value"], [[first, joined(rest)] for first, *rest in rows])
    return joined([table, *(element("p", f"Note: {note}") for note in notes(runs))])


def _hash(value: object) -> Html:
    return element("code", str(value))


# ---- cost -----------------------------------------------------------------------------------------


def cost(runs: Sequence[Run]) -> Html | None:
    """Parameters, operations, memory and time, where they were measured."""
    if not any(run.cost for run in runs):
        return None
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "parameters": lambda of: _scaled(of.get("parameters"), 1e6, " M"),
        "MACs per face": lambda of: _scaled(of.get("macs"), 1e9, " G"),
        "weights": lambda of: _scaled(of.get("weights_bytes"), 1e6, " MB"),
        "peak activations": lambda of: _scaled(of.get("peak_activation_bytes"), 1e6, " MB"),
        "ms per face, median": lambda of: _scaled((of.get("latency") or {}).get("median"), 1e-3, ""),
        "p90": lambda of: _scaled((of.get("latency") or {}).get("p90"), 1e-3, ""),
        "size": lambda of: f"{of['resolution']} px" if "resolution" in of else "–",
        "on": lambda of: str(of.get("device", "–")),
    }
    rows = [[run.name, *(text(run.cost) for text in columns.values())] for run in runs]
    return plain("One face at a time, at the suite's size", ["method", *columns], rows)


def _scaled(value: float | None, unit: float, suffix: str) -> str:
    return "–" if value is None else f"{value / unit:.2f}{suffix}"


# ---- what went wrong ------------------------------------------------------------------------------


def failures(runs: Sequence[Run]) -> Html:
    """Faces left out, numbers that could not be had, and what was got over, run by run."""
    parts = [part for run in runs if (part := _failures(run)) is not None]
    if not parts:
        return element("p", "None: every run scored every face, and every number is defined.")
    return joined(parts)


def _failures(run: Run) -> Html | None:
    unusable = run.faces.get("unusable") or []
    lines: list[Child] = [
        f"face {entry['sample']} left out: {entry['reason']}" for entry in unusable[:LISTED]
    ]
    if len(unusable) > LISTED:
        lines.append(f"and {len(unusable) - LISTED} faces more in faces.json")
    lines += [
        f"{score.metric}, {score.edit}: undefined, {score.reason}"
        for score in run.scores.values()
        if score.value is None
    ]
    lines += [", ".join(f"{key} {value}" for key, value in entry.items()) for entry in run.failures]
    if not lines:
        return None
    return element(
        "section", element("h3", run.name), element("ul", *(element("li", line) for line in lines))
    )


# ---- manifests ------------------------------------------------------------------------------------


def manifests(runs: Sequence[Run]) -> Html:
    """Identity and provenance of every run, whole."""
    parts = []
    for run in runs:
        content = {"identity": run.identity, "provenance": run.manifest.provenance}
        shown = json.dumps(content, indent=1, ensure_ascii=False)
        summary = element("summary", f"{run.name}: run ", element("code", run.id))
        parts.append(element("details", summary, element("pre", shown, tabindex=0), id=f"run-{run.id}"))
    return joined(parts)


# ---- citations and licences -----------------------------------------------------------------------


def citations(runs: Sequence[Run]) -> Html:
    """BibTeX, and who has no paper."""
    papers = citation.used(runs)
    about = "Whoever uses these numbers cites what made them; each entry says what of this page it describes."
    if papers.get(""):
        about += f" Without a paper known here: {', '.join(papers[''])}."
    return joined([element("p", about), element("pre", citation.bibtex(papers), tabindex=0)])


def licences(runs: Sequence[Run], pictures: bool) -> Html:
    """Of the pictures, of every run's weights and of every judge's."""
    data = str(runs[0].identity["data"]["name"])
    shown = "shown on this page" if pictures else "not shown on this page"
    rows: list[list[Child]] = [[f"data set {data}", f"{licence.terms(data).note}; its pictures are {shown}"]]
    for run in runs:
        for file in run.identity.get("weights", ()):
            rows.append([f"weights {file['file']} of {run.name}", _licence(_pins(run), file["sha256"])])
    judges = {judge["name"]: judge for run in runs for judge in run.identity["judges"].values()}
    known = catalog().judges
    for name, judge in judges.items():
        pins = [known[name].pin] if name in known else []
        rows.append([f"judge {name}", _licence(pins, judge["sha256"])])
    return plain("Licences", ["what", "licence"], rows)


def _pins(run: Run) -> list[Pin]:
    spec = catalog().methods.get(run.method)
    presets = spec.presets.values() if spec else ()
    return [pin for preset in presets for pin in preset.weights or ()]


def _licence(pins: Sequence[Pin], sha256: str) -> str:
    """Of the pin with this hash; a file that nobody here knows says so."""
    for pin in pins:
        if pin.sha256 == sha256 or (not pin.is_whole and sha256.startswith(pin.sha256)):
            return f"{pin.licence} ({pin.origin})"
    return "not known here: other weights than those this installation has pins for"
