"""Sections with pictures: before and after, cases, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..markup.blocks import scrolling
from ..markup.html import Html, breakable, element, joined
from .cases import Case, deciding_metric, pick, rule
from .material import RECONSTRUCTION, Run
from .pictures import FULL, Face, address, difference, faces

if TYPE_CHECKING:
    import numpy as np


def before_after(runs: Sequence[Run], shown: int) -> Html | None:
    """A table per face: a row per run, a column per edit; the script adds a slider and a viewer."""
    kept = [faces(run) for run in runs]
    edits = [RECONSTRUCTION, *runs[0].edit_names()]
    names = [face.sample for face in max(kept, key=len)][:shown]
    tables = [table for name in names if (table := _face(runs, kept, name, edits)) is not None]
    if not tables:
        return None
    about = (
        f"The first {len(tables)} faces of the suite, not chosen. Pictures are recompressed for this page; "
        "every number was computed from the originals. Differences: mean over red, green and blue, from "
        f"black (none) over red to pale yellow ({FULL:.0f} of 255 grey levels and more)."
    )
    return joined([element("p", about), _controls(), _viewer(), *tables])


def _face(
    runs: Sequence[Run], kept: Sequence[Sequence[Face]], name: str, edits: Sequence[str]
) -> Html | None:
    """Source in the corner, then what every run made of it."""
    of_runs = [next((face for face in found if face.sample == name), None) for found in kept]
    first = next((face for face in of_runs if face is not None), None)
    if first is None:
        return None
    present = [edit for edit in edits if any(face is not None and edit in face.files for face in of_runs)]
    source = _image(first.source, f"face {name}, source", class_="source")
    head = element(
        "tr",
        element("th", source, element("span", "source"), scope="col"),
        *(element("th", breakable(edit), scope="col") for edit in present),
    )
    body = [
        element(
            "tr",
            element("th", run.name, scope="row"),
            *(element("td", _edited(face, edit, run.name)) for edit in present),
        )
        for run, face in zip(runs, of_runs, strict=True)
        if face is not None
    ]
    table = element(
        "table",
        element("caption", f"Face {name}"),
        element("thead", head),
        element("tbody", *body),
        data_face=name,
    )
    return scrolling(f"Face {name}, before and after", table, "wide grid")


def _edited(face: Face, edit: str, run: str) -> Html | None:
    """The edited picture, and its difference to the source, which the page hides at first."""
    if edit not in face.files:
        return None
    after = face.picture(edit)
    told = f"{run}, {edit}, face {face.sample}"
    return joined(
        [
            _image(after, told, class_="edited", loading="lazy"),
            _difference(face, edit, told),
        ]
    )


def _difference(face: Face, edit: str, told: str) -> Html | None:
    after = face.picture(edit)
    if after.shape != face.source.shape:
        return None
    colours = difference(face.source, after)
    return _image(colours, f"difference to the source: {told}", class_="difference", loading="lazy")


def _image(picture: np.ndarray, told: str, **attributes: str) -> Html:
    """A picture (H, W, 3) uint8 with its shape, so that the page does not move while it opens."""
    height, width = picture.shape[:2]
    return element("img", src=address(picture), alt=told, width=width, height=height, **attributes)


def _controls() -> Html:
    """For all tables at once. Hidden without the script."""
    slider = element("input", type="range", id="wipe", min=0, max=100, value=100)
    box = element("input", type="checkbox", id="differences")
    return element(
        "div",
        element("label", "Before ", slider, " after", for_="wipe"),
        element("label", box, " show differences", for_="differences"),
        class_="controls",
        id="controls",
        hidden=True,
    )


def _viewer() -> Html:
    """One picture large. The script fills it from the tables."""
    choices = [
        element("label", f"{title} ", element("select", id=f"viewer-{title}"), for_=f"viewer-{title}")
        for title in ("face", "method", "edit")
    ]
    stage = element(
        "div",
        element("img", class_="after", alt=""),
        element("img", class_="before", alt=""),
        class_="stage",
    )
    slider = element("input", type="range", id="viewer-cut", min=0, max=100, value=50)
    return element(
        "figure",
        element("div", *choices, class_="controls"),
        element("div", stage, element("img", class_="heat-map", alt=""), class_="pair"),
        element("label", "Before ", slider, " after", for_="viewer-cut", class_="cut"),
        element("figcaption", "", aria_live="polite"),
        id="viewer",
        class_="viewer",
        hidden=True,
    )


# ---- cases ----------------------------------------------------------------------------------------


def cases(runs: Sequence[Run]) -> Html | None:
    """Best, median and worst pictures of every run that competes."""
    metric = deciding_metric(runs)
    if metric is None:
        return None
    parts = []
    for run in (run for run in runs if not run.mark):
        picked = pick(run, metric, faces(run))
        groups = [
            element("div", element("h4", kind), *(_case(run, metric, case) for case in found), class_="cases")
            for kind, found in picked.items()
        ]
        if groups:
            parts.append(element("section", element("h3", run.name), *groups))
    return joined([element("p", rule(metric)), *parts]) if parts else None


def _case(run: Run, metric: str, case: Case) -> Html:
    face, told = case.face, f"{run.name}, {case.edit}, face {case.face.sample}"
    caption = f"{case.edit}, face {face.sample}: {metric} {case.value:.3g}, place {100 * case.standing:.0f} %"
    return element(
        "figure",
        element(
            "div",
            _image(face.source, f"source of {told}", loading="lazy"),
            _image(face.picture(case.edit), told, loading="lazy"),
            _difference(face, case.edit, told),
            class_="strip",
        ),
        element("figcaption", caption),
    )


# ---- explanations ---------------------------------------------------------------------------------


def explanations(runs: Sequence[Run]) -> Html | None:
    """What methods showed of how they edit: attention and other masks that the run kept."""
    parts = []
    for run in runs:
        figures = [shown for face in faces(run)[:1] for shown in _explained(run, face)]
        if figures:
            parts.append(
                element("section", element("h3", run.name), element("div", *figures, class_="masks"))
            )
    if not parts:
        return None
    about = (
        "What a method shows of how it edits the first face, such as attention masks. "
        "Bright is where it acts."
    )
    return joined([element("p", about), *parts])


def _explained(run: Run, face: Face) -> list[Html]:
    found = []
    for edit, what in face.explained():
        told = f"{run.name}, {edit}: {what}, face {face.sample}"
        image = _image(face.picture(f"{edit}@{what}"), told, loading="lazy")
        found.append(element("figure", image, element("figcaption", f"{edit}: {what}")))
    return found
