"""Numbers that papers print, each with its source and how it came here. Shown, never ranked.

One TOML file per method in `leaderboards/published/`. A paper's number was measured on other pictures with
other judges, so it stands in a block of its own: nothing here becomes a row of a board, nor of its CSV.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from . import config
from .errors import BadConfig, UnknownName

PROVENANCE = {
    "paper": "read in the paper that is named",
    "code": "read in the released code",
    "measured": "printed in the paper, and counted again on the network",
    "author-thread": "stated by an author in the project's issue threads",
    "secondary": "quoted by somebody else",
    "recalled": "from memory, not re-checked against the paper",
}
"""How a number came here, in words for the page."""

Provenance = Literal["paper", "code", "measured", "author-thread", "secondary", "recalled"]

QUALITY = {
    "rec_psnr": "reconstruction PSNR, dB",
    "rec_ssim": "reconstruction SSIM",
    "rec_id": "reconstruction ID",
    "rec_l2": "reconstruction L2",
    "rec_lpips": "reconstruction LPIPS",
    "attribute_accuracy_pct": "attribute accuracy, %",
    "tarr_pct": "TARR, %",
    "edit_id": "ID after an edit",
    "ssfid": "ssFID",
    "inception_score": "IS",
    "expression_classification_error_pct": "expression error, %",
}
COST = {"gpu_memory_MB": "GPU memory, MB", "seconds_per_image": "seconds per image"}
OTHER = {
    "user_study_pct": "user study, %",
    "amt_preference_pct": "preferred by people, %",
    "params_total_M": "parameters of G and D, M",
    "unit_params_M": "parameters of the units, M",
    "unit_gflops": "FLOPs of the units, G",
}
METRICS = {**QUALITY, **COST, **OTHER}
"""Metric -> its title. Those of QUALITY and COST stand on the pages of boards."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """One printed number, or in `values` one per attribute, edit or variant."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    method: str  # a key of the file's [methods]
    metric: str  # a key of METRICS
    paper: str  # a key of the file's [papers]: who printed it
    table: str  # where in that paper
    provenance: Provenance
    value: int | float | None = None
    values: Mapping[str, int | float] = field(default_factory=dict)
    by: str = ""  # what the keys of `values` are
    dataset: str = ""  # "" where it has none, or the source does not say
    dataset_label_confidence: Literal["printed", "inferred"] = "printed"
    size: int | None = None  # pixels per side
    device: str = ""
    digits: int | None = None  # decimals as printed, where zeros at the end are lost otherwise
    note: str = ""

    @property
    def source(self) -> str:
        return f"{self.paper} paper, {self.table}"

    @property
    def setting(self) -> str:
        """`CelebA 128 px`."""
        size = "" if self.size is None else f"{self.size} px"
        return " ".join(part for part in (self.dataset, size) if part) or "–"

    def text(self, value: int | float) -> str:
        """With the decimals that were printed."""
        return str(value) if self.digits is None else f"{value:.{self.digits}f}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper shows without printing a number."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    method: str
    text: str
    paper: str
    table: str
    provenance: Provenance
    dataset: str = ""

    @property
    def source(self) -> str:
        return f"{self.paper} paper, {self.table}"


@dataclass(frozen=True)
class Published:
    """One file, or several joined."""

    papers: Mapping[str, str]  # name -> reference
    methods: Mapping[str, str]  # name -> title
    numbers: tuple[Number, ...] = ()
    tables: tuple[Number, ...] = ()  # those with `values`
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader must know before comparing


# ---- reading --------------------------------------------------------------------------------------


def load(path: Path) -> Published:
    """One file, or BadConfig with all its mistakes."""
    found = config.load(Published, path)
    mistakes = [f"{path}: {mistake}" for mistake in _mistakes(found)]
    if mistakes:
        raise BadConfig("\n".join(mistakes))
    return found


def _mistakes(found: Published) -> Iterator[str]:
    ones: list[Number | Claim] = [*found.numbers, *found.tables, *found.claims]
    for one in ones:
        for kind, name, known in (
            ("method", one.method, found.methods),
            ("paper", one.paper, found.papers),
            *([("metric", one.metric, METRICS)] if isinstance(one, Number) else []),
        ):
            if name not in known:
                yield str(UnknownName(kind, name, known))
    for one in found.numbers:
        if one.value is None or one.values:
            yield f"numbers: {one.method} {one.metric} ({one.source}) wants a value, and values in tables"
    for one in found.tables:
        if one.value is not None or not (one.values and one.by):
            yield f"tables: {one.method} {one.metric} ({one.source}) wants values, and what they are by"


def load_all(folder: Path, names: Sequence[str] | None = None) -> Published:
    """Files `<name>.toml` of a folder joined in this order; all of them, by name, without `names`."""
    paths = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    for name in names or ():
        if name not in paths:
            raise UnknownName("file of published numbers", name, paths, f" ({folder})")
    return join([load(paths[name]) for name in (paths if names is None else names)])


def join(files: Sequence[Published]) -> Published:
    """One after the other."""
    return Published(
        papers={name: text for file in files for name, text in file.papers.items()},
        methods={name: text for file in files for name, text in file.methods.items()},
        numbers=tuple(number for file in files for number in file.numbers),
        tables=tuple(table for file in files for table in file.tables),
        claims=tuple(claim for file in files for claim in file.claims),
        notes=tuple(note for file in files for note in file.notes),
    )


def of_method(numbers: Sequence[Number], methods: Mapping[str, str]) -> dict[str, list[Number]]:
    """Title of the method -> its numbers, methods in the order of the files."""
    groups = {title: [n for n in numbers if n.method == name] for name, title in methods.items()}
    return {title: group for title, group in groups.items() if group}


def as_data(found: Published) -> dict[str, Any]:
    """For programs, without what is not said."""
    return {
        "papers": dict(found.papers),
        "methods": dict(found.methods),
        **{
            part: [
                {key: value for key, value in dataclasses.asdict(one).items() if value not in ("", None, {})}
                for one in ones
            ]
            for part, ones in (
                ("numbers", found.numbers),
                ("tables", found.tables),
                ("claims", found.claims),
            )
        },
        "notes": list(found.notes),
    }


# ---- the block of a page --------------------------------------------------------------------------


HEADING = "Published, each under its own protocol (not ranked, not comparable with the rows above)"
ABOUT = (
    "Copied from papers, not measured here: on photographs and not on this board's pictures, and every "
    "paper has its own crop, split, test strength and judge. Two of these numbers may be compared only "
    "within one table of one paper."
)


def markdown(found: Published) -> str:
    """What a board's page says of published numbers; "" without any."""
    quality = [number for number in found.numbers if number.metric in QUALITY]
    cost = [number for number in found.numbers if number.metric in COST]
    if not (quality or cost or found.claims):
        return ""
    shown: list[Number | Claim] = [*quality, *cost, *found.claims]
    parts = [
        f"## {HEADING}",
        ABOUT,
        _table(quality, found.methods) if quality else "",
        "### Published memory and time" if cost else "",
        _table(cost, found.methods) if cost else "",
        "\n".join(f"- {said(claim, found.methods)}" for claim in found.claims),
        "\n".join(f"- {note}" for note in (*found.notes, *remarks(quality + cost, found.methods))),
        "Provenance: " + "; ".join(f"*{key}*, {PROVENANCE[key]}" for key in _used(shown)) + ".",
        "Papers: "
        + "; ".join(f"{name}: {found.papers[name]}" for name in _papers(shown, found.papers))
        + ".",
        "Values per attribute, ablations and counts: `faceedit-bench board --published`.",
    ]
    return "\n\n".join(part for part in parts if part)


def _table(numbers: Sequence[Number], methods: Mapping[str, str]) -> str:
    lines = [
        "| method | metric | value | on | source | provenance |",
        "| --- | --- | ---: | --- | --- | --- |",
    ]
    for title, group in of_method(numbers, methods).items():
        for place, number in enumerate(group):
            assert number.value is not None
            cells = [
                "" if place else title,
                METRICS[number.metric],
                number.text(number.value),
                setting(number),
                number.source,
                provenance(number.provenance),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def setting(number: Number) -> str:
    """Data set, size and device, with a question mark where the data set is a guess."""
    doubt = "? " if number.dataset_label_confidence == "inferred" else ""
    return f"{doubt}{number.setting}" + (f", {number.device}" if number.device else "")


def provenance(kind: str) -> str:
    """`paper`; what nobody looked up again says so."""
    return "recalled, **not re-checked**" if kind == "recalled" else kind


def said(claim: Claim, methods: Mapping[str, str]) -> str:
    """`SaGAN, CelebA: … (SaGAN paper, Figure 4; paper)`."""
    on = f", {claim.dataset}" if claim.dataset else ""
    return f"{methods[claim.method]}{on}: {claim.text} ({claim.source}; {provenance(claim.provenance)})"


def of_boards(found: Published) -> list[Number]:
    """What stands on the pages of boards: quality first, then cost."""
    return [number for metrics in (QUALITY, COST) for number in found.numbers if number.metric in metrics]


def remarks(numbers: Sequence[Number], methods: Mapping[str, str]) -> list[str]:
    """Notes of single numbers, each once."""
    return list(
        dict.fromkeys(f"{methods[one.method]}{doubt(one)}: {one.note}" for one in numbers if one.note)
    )


def doubt(number: Number) -> str:
    """Which rows a note speaks of, where a data set is a guess."""
    return " where marked ?" if number.dataset_label_confidence == "inferred" else ""


def _used(shown: Sequence[Number | Claim]) -> list[str]:
    kinds = {one.provenance for one in shown}
    return [kind for kind in PROVENANCE if kind in kinds]


def _papers(shown: Sequence[Number | Claim], papers: Mapping[str, str]) -> list[str]:
    cited = {one.paper for one in shown}
    return [name for name in papers if name in cited]
