"""What an attributes judge of photographs must hold before scores under it are published.

Shares and errors are in %. The limits are ours: 94.5 is what SeCGAN and STGAN report for their classifiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..contracts import THIRTEEN, Samples, View
from .pictures import from_bytes
from .view import look

ACCURACY = 94.5  # least mean over the thirteen, at the first side, in every crop
DROP = 0.5  # most that the mean may differ between renderings of the same pictures
CALIBRATION = 3.0  # most expected calibration error of an attribute
AGREEMENT = 96.0  # least share of decisions on which another architecture agrees
BINS = 15  # of the calibration error
FULL = 256  # pixels up to which whole batches are asked


@dataclass(frozen=True)
class Rendering:
    """Test faces of a data set, at a side in pixels."""

    data: str
    side: int

    def __str__(self) -> str:
        return f"{self.data} at {self.side} px"


Measured = Mapping[Rendering, Mapping[str, Any]]


# ---- measuring ------------------------------------------------------------------------------------


@torch.inference_mode()
def answers(
    network: nn.Module, test: Samples, view: View, *, batch: int, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 13) probabilities and (N, 13) labels of every test face, as it is."""
    rows = [test.attributes.index(name) for name in THIRTEEN]
    network.to(device)
    batch = max(1, min(batch, batch * FULL**2 // test[0].image.shape[-1] ** 2))
    found, labels = [], []
    for start in range(0, len(test), batch):
        samples = [test[i] for i in range(start, min(start + batch, len(test)))]
        images = torch.from_numpy(np.stack([sample.image for sample in samples])).to(device)
        found.append(network(look(from_bytes(images), view)).float().cpu().numpy())
        labels.append(np.stack([sample.labels[rows] for sample in samples]))
    return np.concatenate(found), np.concatenate(labels)


def measured(found: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Per attribute in %: accuracy, how often present and absent ones are seen, floor, calibration error.

    `floor` is the TARR of a copy under this judge: how often it is wrong already about the source. Where an
    attribute is to be added that is what `absent_seen` lacks to 100, where it is to go, `present_seen`.
    """
    present, seen = labels > 0.5, found > 0.5
    right = seen == present
    with np.errstate(invalid="ignore"):
        by_label = [
            np.where(rows.any(0), (right & rows).sum(0) / np.maximum(rows.sum(0), 1), np.nan)
            for rows in (present, ~present)
        ]
    errors = np.array([calibration_error(*pair) for pair in _pairs(found, present)])
    return {
        "faces": len(found),
        "accuracy_mean": round(float(100 * right.mean()), 2),
        "accuracy": _named(100 * right.mean(0)),
        "present_seen": _named(100 * by_label[0]),
        "absent_seen": _named(100 * by_label[1]),
        "floor": _named(100 - 100 * right.mean(0)),
        "calibration_error": _named(100 * errors),
    }


def _pairs(found: np.ndarray, present: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from zip(found.T, present.T, strict=True)


def calibration_error(probability: np.ndarray, present: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al., 2017): |how often − how sure|, bins weighted by their faces."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(present[place == b].mean() - probability[place == b].mean()) * (place == b).mean()
        for b in np.unique(place)
    ]
    return float(sum(gaps))


def agreement(found: np.ndarray, others: np.ndarray) -> float:
    """Share of the decisions, over faces and attributes, that two judges take alike, in %."""
    return round(float(100 * ((found > 0.5) == (others > 0.5)).mean()), 2)


def _named(values: np.ndarray) -> dict[str, float | None]:
    """Undefined ones (no such face) are None."""
    return {
        name: None if np.isnan(value) else round(float(value), 2)
        for name, value in zip(THIRTEEN, values, strict=True)
    }


# ---- verdicts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """One gate: what was wanted and found, and "passes", "fails" or "not measured"."""

    gate: str
    wanted: str
    found: str
    verdict: str


def verdicts(measured: Measured, left_out: str = "") -> list[Verdict]:
    """Every gate; `left_out` says how many originals of CelebA-HQ's test faces were kept from training."""
    side = min(rendering.side for rendering in measured)
    crops = {rendering: told for rendering, told in measured.items() if rendering.side == side}
    return [
        _accurate(crops, side),
        _steady(measured),
        _calibrated(crops),
        _agreeing(crops),
        Verdict(
            "originals of CelebA-HQ's test faces are not trained on",
            "all",
            left_out or "not told: --leave-out-hq",
            "passes" if left_out else "not measured",
        ),
    ]


def _accurate(crops: Measured, side: int) -> Verdict:
    where, told = min(crops.items(), key=lambda one: one[1]["accuracy_mean"])
    gate = f"mean accuracy at {side} px, in the worse of two crops"
    found, enough = f"{told['accuracy_mean']} ({where.data})", told["accuracy_mean"] >= ACCURACY
    state = _passes(enough)
    if enough and len(crops) < 2:
        found, state = f"{found}; no other crop: give a second --data", "not measured"
    return Verdict(gate, f"≥ {ACCURACY}", found, state)


def _steady(measured: Measured) -> Verdict:
    """The most that the mean differs between sides, in any one crop."""
    means: dict[str, list[float]] = {}
    for rendering, told in measured.items():
        means.setdefault(rendering.data, []).append(told["accuracy_mean"])
    drop = round(max(max(found) - min(found) for found in means.values()), 2)
    sides = ", ".join(str(side) for side in sorted({rendering.side for rendering in measured}))
    return Verdict(
        f"difference of that mean between {sides} px", f"≤ {DROP}", str(drop), _passes(drop <= DROP)
    )


def _calibrated(crops: Measured) -> Verdict:
    worst, name, where = max(
        (error, name, where.data)
        for where, told in crops.items()
        for name, error in told["calibration_error"].items()
    )
    found = f"{worst} ({name}, {where})"
    return Verdict(
        "calibration error of the worst attribute", f"≤ {CALIBRATION}", found, _passes(worst <= CALIBRATION)
    )


def _agreeing(crops: Measured) -> Verdict:
    gate, wanted = "decisions shared with another architecture", f"≥ {AGREEMENT}"
    shares = [(told["agreement"], where.data) for where, told in crops.items() if "agreement" in told]
    if not shares:
        return Verdict(gate, wanted, "no other judge: --second FILE", "not measured")
    least, where = min(shares)
    return Verdict(gate, wanted, f"{least} ({where})", _passes(least >= AGREEMENT))


def _passes(is_so: bool) -> str:
    return "passes" if is_so else "fails"


def short_of(found: Sequence[Verdict]) -> str:
    """ "2 failed, 1 not measured", or nothing where all pass."""
    states = [one.verdict for one in found]
    parts = [(states.count("fails"), "failed"), (states.count("not measured"), "not measured")]
    return ", ".join(f"{count} {state}" for count, state in parts if count)
