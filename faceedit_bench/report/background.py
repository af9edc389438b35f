"""What stands behind the numbers: protocol, cost, what failed, manifests, citations, licences."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..catalog import catalog
from ..contracts import Pin
from ..manifest import precision
from ..markup.costs import COSTS
from ..markup.html import Html, element, joined
from ..store.undefined import sentences
from . import citation, licence
from .comparable import notes
from .material import Run
from .parts import Items, Listing, Part, Table, Words

LISTED = 50  # faces left out that are named for each run


# ---- protocol -------------------------------------------------------------------------------------


def protocol(runs: Sequence[Run]) -> list[Part]:
    """What all runs have in common, with the pins."""
    identity = runs[0].identity
    suite, data = identity["suite"], identity["data"]
    rows = [
        ["suite", f"{suite['name']} {suite.get('version', '')}, fingerprint {suite['fingerprint']}"],
        ["pictures", f"{data['name']} {data.get('version', '')}, {data.get('split', '')}, "
         f"{data.get('count', '')} faces, digest {data.get('digest', 'unknown')}"],
    ]  # fmt: skip
    judges = {
        (role, f"{judge['name']} {judge['version']}, sha256 {judge['sha256']}{precision(judge)}")
        for run in runs
        for role, judge in run.judges
    }
    rows += [[f"judge of {role}", told] for role, told in sorted(judges)]
    versions = {name: version for run in runs for name, version in run.metrics.items()}
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    rows.append(["metrics and versions", told])
    table = Table("Measured alike", ["part", "value"], rows, is_prose=True)
    return [table, *(Words(f"Note: {note}") for note in notes(runs))]


# ---- cost -----------------------------------------------------------------------------------------


def cost(runs: Sequence[Run]) -> list[Part]:
    """Parameters, operations, memory and time; nothing where they were not measured."""
    if not any(run.cost for run in runs):
        return []
    sizes = [f"{run.cost['resolution']} px" if "resolution" in run.cost else "–" for run in runs]
    rows = [
        [run.name, *(column.text(run.cost) for column in COSTS.values()), size]
        for run, size in zip(runs, sizes, strict=True)
    ]
    headings = ["method", *(column.title for column in COSTS.values()), "size"]
    return [Table("One face at a time, at the suite's size", headings, rows)]


# ---- what went wrong ------------------------------------------------------------------------------


def failures(runs: Sequence[Run]) -> list[Part]:
    """Faces left out, numbers that could not be had, and what was got over, run by run."""
    parts = [Items(lines, run.name) for run in runs if (lines := _failures(run))]
    return [*parts] or [Words("None: every run scored every face, and every number is defined.")]


def _failures(run: Run) -> list[str]:
    unusable = run.faces.get("unusable") or []
    lines = [f"face {entry['sample']} left out: {entry['reason']}" for entry in unusable[:LISTED]]
    if len(unusable) > LISTED:
        lines.append(f"and {len(unusable) - LISTED} faces more in faces.json")
    scores = run.scores.values()
    lines += sentences((one.metric, one.edit, one.reason) for one in scores if one.value is None)
    others = [entry for entry in run.failures if "sample" not in entry]  # left out, and named above
    return lines + [", ".join(f"{key} {value}" for key, value in entry.items()) for entry in others]


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


def digests(runs: Sequence[Run]) -> list[Part]:
    """Which run is which, where there is no room for whole manifests."""
    rows = []
    for run in runs:
        method, when = run.identity["method"], run.manifest.provenance.get("when", "at an unknown time")
        named = f"{method['name']} ({method.get('preset', 'default')}) {method.get('version', '')}".strip()
        rows.append([run.name, f"{named}, {when}, run {run.id}, sha256 {run.manifest.digest}"])
    return [Table("Runs", ["method", "run"], rows, is_prose=True)]


# ---- citations and licences -----------------------------------------------------------------------


def citations(runs: Sequence[Run]) -> list[Part]:
    """BibTeX, and who has no paper."""
    papers = citation.used(runs)
    about = "Whoever uses these numbers cites what made them; each entry says what it stands for here."
    if papers.get(""):
        about += f" Without a paper known here: {', '.join(papers[''])}."
    return [Words(about), Listing(citation.bibtex(papers), "bibtex")]


def licences(runs: Sequence[Run], pictures: bool) -> list[Part]:
    """Of the pictures, of every run's weights and of every judge's."""
    data = str(runs[0].identity["data"]["name"])
    shown = "shown here" if pictures else "not shown here"
    rows = [[f"data set {data}", f"{licence.terms(data).note}; its pictures are {shown}"]]
    for run in runs:
        for file in run.identity.get("weights", ()):
            rows.append([f"weights {file['file']} of {run.name}", _licence(_pins(run), file["sha256"])])
    judges = {judge["name"]: judge for run in runs for _, judge in run.judges}
    known = catalog().judges
    for name, judge in judges.items():
        pins = [known[name].pin] if name in known else []
        rows.append([f"judge {name}", _licence(pins, judge["sha256"])])
    return [Table("Licences", ["what", "licence"], rows, is_prose=True)]


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
