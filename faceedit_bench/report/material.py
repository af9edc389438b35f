"""What a report is made of: complete runs, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import suite as suites
from ..catalog import catalog
from ..errors import FaceEditError, ResultsError
from ..manifest import Manifest
from ..store import later
from ..store.folder import RunFolder
from ..store.score import Score
from ..suite import Edit

if TYPE_CHECKING:
    import pandas as pd

ALL, RECONSTRUCTION = "all", "reconstruction"
FLOOR, CEILING = "copy", "truth"  # methods that bound the others and compete with none


@dataclass(frozen=True)
class Run:
    """One complete run."""

    path: Path
    manifest: Manifest
    scores: dict[tuple[str, str], Score]  # (metric, edit) -> score
    samples: pd.DataFrame  # one row per edited picture
    edits: tuple[Edit, ...]  # () where neither the run nor this installation knows its suite
    cost: dict[str, Any]
    faces: dict[str, Any]
    failures: tuple[dict[str, Any], ...]
    rescored: dict[str, Any]  # see RunFolder.rescored; its scores stand among the others
    name: str = ""  # what the page calls it

    @property
    def identity(self) -> dict[str, Any]:
        return self.manifest.identity

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def method(self) -> str:
        return str(self.identity["method"]["name"])

    @property
    def metrics(self) -> dict[str, str]:
        """Name -> version, those that were computed later last."""
        return {**self.identity["metrics"], **self.rescored["metrics"]}

    @property
    def judges(self) -> list[tuple[str, dict[str, str]]]:
        """Role and judge; a role may stand twice, where it was asked later in another precision."""
        return [*self.identity["judges"].items(), *later.asked(self.rescored)]

    @property
    def mark(self) -> str:
        """`floor`, `ceiling`, or "" for what competes."""
        return {FLOOR: "floor", CEILING: "ceiling"}.get(self.method, "")

    @property
    def saw(self) -> list[str]:
        """Judges of this run that the method used in training."""
        judges = {judge["name"] for _, judge in self.judges}
        return sorted(judges & set(self.identity["method"].get("saw", ())))

    def value(self, metric: str, edit: str = ALL) -> float | None:
        """A stored number, None where there is none."""
        score = self.scores.get((metric, edit))
        return None if score is None else score.value

    def edit_names(self) -> list[str]:
        """Edits that it scored, in the suite's order, without the reconstruction."""
        known = [edit.name for edit in self.edits if not edit.is_reconstruction]
        found = dict.fromkeys(name for name in self.samples["edit"] if name != RECONSTRUCTION)
        return known or list(found)


def read(folders: Sequence[RunFolder]) -> list[Run]:
    """Every run, each under a name of its own, or ResultsError for what is incomplete or damaged."""
    if not folders:
        raise ResultsError("a report wants at least one run, found none")
    runs = [_read(folder) for folder in folders]
    ids = [run.id for run in runs]
    if twice := sorted({run.id for run in runs if ids.count(run.id) > 1}):
        raise ResultsError(f"run {', '.join(twice)} is given more than once; name every run once")
    return _named(runs)


def _read(folder: RunFolder) -> Run:
    import pandas as pd

    manifest = folder.manifest
    _check_manifest(folder, manifest)
    scores = [*folder.scores(), *folder.later_scores()]  # refuses a run that is not complete
    path = folder.path / "samples.parquet"
    try:
        samples = pd.read_parquet(path)
        if samples.empty or not {"sample", "edit"} <= set(samples.columns):
            raise ValueError("no rows of samples and edits")
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: missing or damaged ({error}); run the same command again") from None
    return Run(
        path=folder.path,
        manifest=manifest,
        scores={(score.metric, score.edit): score for score in scores},
        samples=samples,
        edits=_edits(folder, manifest),
        cost=folder.cost(),
        faces=folder.faces(),
        failures=tuple(folder.failures()),
        rescored=folder.rescored(),
    )


def _check_manifest(folder: RunFolder, manifest: Manifest) -> None:
    wanted = ("method", "suite", "data", "judges", "metrics")
    missing = [part for part in wanted if part not in manifest.identity]
    if missing:
        raise ResultsError(
            f"{folder.path / 'manifest.json'}: its identity lacks {', '.join(missing)}; run it again"
        )


def _edits(folder: RunFolder, manifest: Manifest) -> tuple[Edit, ...]:
    """The suite's edits: as the run stored them, else from a suite here that has the same fingerprint."""
    if stored := folder.edits():
        return tuple(stored)
    try:
        suite = suites.load(str(manifest.identity["suite"]["name"]))
    except FaceEditError:
        return ()
    return suite.edits if suite.fingerprint() == manifest.identity["suite"]["fingerprint"] else ()


# ---- names ----------------------------------------------------------------------------------------


def _named(runs: Sequence[Run]) -> list[Run]:
    """`coogan`; with its preset, then with the start of its id, where two would be called alike."""
    methods = [run.method for run in runs]
    with_preset = [f"{run.method} ({run.identity['method'].get('preset', 'default')})" for run in runs]
    names = []
    for run, preset in zip(runs, with_preset, strict=True):
        name = run.method if methods.count(run.method) == 1 else preset
        names.append(name if with_preset.count(preset) == 1 else f"{preset} {run.id[:6]}")
    return [Run(**{**vars(run), "name": name}) for run, name in zip(runs, names, strict=True)]


def digits_of(metric: str) -> int:
    """Decimals in tables."""
    spec = catalog().metrics.get(metric.partition("@")[0])
    return spec.digits if spec else 2
