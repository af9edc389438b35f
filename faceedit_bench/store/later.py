"""Metrics that were computed after a run, of what it kept: rescored.json, and a folder of states for each.

States are gathered where no reader looks, and take the place of those of before when all are there. Whoever
is killed on the way leaves what was, or no such metric, never numbers of one judge over states of another.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import locking
from ..catalog import catalog
from ..errors import ResultsError
from ..progress import say
from .files import read_json, write_json
from .score import Score, metric_of

if TYPE_CHECKING:
    import numpy as np

LIST, STATES = "rescored.json", "rescored"
PARTS = ("metrics", "judges", "sources", "scores")

States = dict[int, dict[str, dict[str, "np.ndarray"]]]  # shard number -> {metric: arrays of its state}


def read(run: Path) -> dict[str, Any]:
    """`metrics` (name -> version), `judges` (name -> role -> judge), `sources` (name -> of what) and `scores`
    of the run in this folder."""
    path = run / LIST
    if not path.is_file():
        return {"metrics": {}, "judges": {}, "sources": {}, "scores": []}
    content = read_json(path)
    if not isinstance(content, dict) or not set(PARTS) <= set(content):
        raise ResultsError(
            f"{path}: damaged (wanted {', '.join(PARTS)}); delete it and give the rescore commands again"
        )
    return of_each_metric(content)


def of_each_metric(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the judges of each metric; files of before had one judge for a role."""
    judges = content["judges"]
    if not any("sha256" in entry for entry in judges.values()):
        return dict(content)
    known = catalog().metrics
    asked = {name: known[name].judges if name in known else () for name in content["metrics"]}
    return {
        **content,
        "judges": {name: {r: judges[r] for r in asked[name] if r in judges} for name in asked},
    }


def asked(content: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Role and judge, each pair once; a role stands twice where two metrics asked different judges."""
    found: list[tuple[str, dict[str, str]]] = []
    for judges in content["judges"].values():
        found += [pair for pair in judges.items() if pair not in found]
    return found


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """One process at a time computes metrics of a run; others wait for it, and are told."""
    place = run / STATES
    place.mkdir(exist_ok=True)
    with locking.alone(
        place, lambda: say(f"{run}: another rescore of this run is under way; waiting for it")
    ):
        yield


class Gathered:
    """States of one metric, while it is computed."""

    def __init__(self, run: Path, owner: str, metric: str) -> None:
        self.run, self.owner, self.metric = run, owner, metric
        self.place = run / STATES / f".{metric}"
        shutil.rmtree(self.place, ignore_errors=True)  # of one that was killed
        self.place.mkdir(parents=True)

    def put(self, number: int, state: Mapping[str, np.ndarray]) -> None:
        """Store one shard's state."""
        from .arrays import save

        save(self.place / f"{number:04d}.safetensors", self.owner, state)

    def states(self) -> States:
        """Those that were put."""
        return _states(self.place, self.metric)

    def finish(
        self, scores: Iterable[Score], *, version: str, source: str, judges: Mapping[str, Any]
    ) -> None:
        """Now the run has it; the same metric of before is replaced."""
        content, path, place = read(self.run), self.run / LIST, self.run / STATES / self.metric
        if self.metric in content["metrics"]:
            for part in ("metrics", "judges", "sources"):
                content[part].pop(self.metric, None)
            content["scores"] = [
                entry for entry in content["scores"] if metric_of(entry["metric"]) != self.metric
            ]
            write_json(path, content)
        shutil.rmtree(place, ignore_errors=True)
        self.place.rename(place)
        content["metrics"][self.metric], content["sources"][self.metric] = version, source
        content["judges"][self.metric] = dict(judges)
        content["scores"] += [score.entry() for score in scores]
        write_json(path, content)


def states(run: Path, metric: str) -> States:
    """What was computed later; what judges answered stays in its files until it is used."""
    return _states(run / STATES / metric, metric)


def _states(folder: Path, metric: str) -> States:
    from safetensors import SafetensorError

    from . import arrays as files

    found: States = {}
    for path in sorted(folder.glob("[0-9]*.safetensors")):
        try:
            _, arrays = files.read(path, lambda key: True, lazily=True)
        except (SafetensorError, OSError) as error:
            raise ResultsError(f"{path}: damaged ({error}); give the rescore command again") from None
        found[int(path.stem)] = {metric: arrays}
    if not found:
        raise ResultsError(f"{folder}: no states; give the rescore command again")
    return found
