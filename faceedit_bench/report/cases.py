"""Best, median and worst pictures of a run, picked by a rule that the page states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..catalog import catalog
from .material import RECONSTRUCTION, Run
from .pictures import Face

METRICS = ("truth_psnr", "truth_ssim", "id", "psnr")  # the first that every run has per face decides
EACH = 3
KINDS = ("best", "median", "worst")


@dataclass(frozen=True)
class Case:
    """One edited picture and where it stands among the run's pictures of the same edit."""

    face: Face
    edit: str
    value: float
    standing: float  # 0 the worst of this edit, 1 the best


def deciding_metric(runs: Sequence[Run]) -> str | None:
    """The metric by which cases are picked."""
    return next((name for name in METRICS if all(name in run.samples for run in runs)), None)


def rule(metric: str) -> str:
    """In words, for the page."""
    return (
        f"Picked by rule, not by hand: every edited picture is placed by its {metric} among all faces that "
        "the run scored under the same edit (0 % the worst, 100 % the best). Of the pictures that the run "
        f"kept, the {EACH} with the highest place are the best, the {EACH} closest to 50 % the median, the "
        f"{EACH} with the lowest the worst; ties go by the suite's order. Reconstructions do not take part."
    )


def pick(run: Run, metric: str, faces: Sequence[Face]) -> dict[str, list[Case]]:
    """Kind -> its cases; pictures that would stand in two kinds stand in the first."""
    left = _cases(run, metric, faces)
    found: dict[str, list[Case]] = {}
    for kind, wanted in zip(KINDS, (1.0, 0.5, 0.0), strict=True):
        closest = sorted(left, key=lambda case: abs(case.standing - wanted))[:EACH]
        found[kind] = closest
        left = [case for case in left if case not in closest]
    return {kind: cases for kind, cases in found.items() if cases}


def _cases(run: Run, metric: str, faces: Sequence[Face]) -> list[Case]:
    """Every kept picture that has a number, in the suite's order."""
    spec = catalog().metrics.get(metric)
    rising = spec is None or spec.better == "higher"
    found = []
    for edit in run.edit_names():
        values = run.samples.loc[run.samples["edit"] == edit, metric].reset_index(drop=True)
        places = values.rank(ascending=rising, method="average")  # 1 … n, NaN without a number
        most = max(int(values.notna().sum()) - 1, 1)
        for face in faces:
            if edit == RECONSTRUCTION or edit not in face.files or face.row >= len(values):
                continue
            value, place = float(values[face.row]), float(places[face.row])
            if place == place:
                found.append(Case(face, edit, value, (place - 1) / most))
    return found
