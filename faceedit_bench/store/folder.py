"""A folder per run: manifest first, a file per shard, scores last.

results/<suite>/<method>-<run id>/
  manifest.json            identity and provenance
  suite.json               what was asked: the suite, whose fingerprint the manifest has
  shards/0007.safetensors  states of one finished shard
  samples.parquet          one row per edited image with every per-image score
  images/                  a small fixed set of pictures, and sheet.png
  edited/<edit>/<id>.png   every edited picture, if the run was asked to keep them
  cost.json                parameters, memory, time
  faces.json               how many of how many faces were scored, and which were not, with the reason
  failures.jsonl           what went wrong: shards done in parts for lack of memory, and what ended a run
  scores.json              every score with its interval; its presence means: complete
  rescored.json            scores of metrics that were computed later, of what is here
  rescored/                their states, a folder per metric and in it a file per shard
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import folders
from ..errors import ResultsError
from ..manifest import Manifest, plain
from ..suite import Edit, Suite
from . import later, shards
from .files import read_json, write, write_json
from .fingerprint import stamped
from .score import Score, from_entries
from .shards import StoredShard

if TYPE_CHECKING:
    import pandas as pd

    from ..evaluate import ShardResult

NEEDED = 64 * 2**20  # bytes of room asked for before the first image is edited


class RunFolder:
    """One run on disk. Written through temporary names, so a reader never sees half a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # -- reading

    @property
    def manifest(self) -> Manifest:
        content = read_json(self.path / "manifest.json")
        try:
            return Manifest(content["identity"], content["provenance"])
        except (KeyError, TypeError):
            raise ResultsError(
                f"{self.path / 'manifest.json'}: not a manifest; delete the folder and run again"
            ) from None

    @property
    def is_complete(self) -> bool:
        return (self.path / "scores.json").is_file()

    def finished(self) -> set[int]:
        """Numbers of the shards that are done."""
        return {int(path.stem) for path in (self.path / "shards").glob("[0-9]*.safetensors")}

    def read_shard(
        self, number: int, metrics: Collection[str] | None = None, *, lazily: bool = False
    ) -> StoredShard:
        """One finished shard, of all metrics or only of those named: see shards.read."""
        return shards.read(self._shard(number), self.manifest.id, metrics, lazily=lazily)

    def scores(self) -> list[Score]:
        """Every stored score of a complete run."""
        if not self.is_complete:
            raise ResultsError(
                f"{self.path}: this run is not complete; give the same run command again to finish it"
            )
        path = self.path / "scores.json"
        return from_entries(read_json(path), path)

    def rescored(self) -> dict[str, Any]:
        """What was computed later: see later.read."""
        return later.read(self.path)

    def later_scores(self) -> list[Score]:
        """Every score that was computed later."""
        return from_entries(self.rescored()["scores"], self.path / later.LIST)

    @property
    def edited(self) -> Path:
        """Where every edited picture is kept, if they are."""
        return self.path / "edited"

    def cost(self) -> dict[str, Any]:
        """What the method cost, or nothing where it was not measured."""
        path = self.path / "cost.json"
        return read_json(path) if path.is_file() else {}

    def suite(self) -> dict[str, Any] | None:
        """The suite of the run; None for runs of before it was stored."""
        path = self.path / "suite.json"
        return read_json(path) if path.is_file() else None

    def edits(self) -> list[Edit]:
        """The edits of its suite; none for runs of before the suite was stored."""
        entries = (self.suite() or {"edits": ()})["edits"]
        return [Edit(**{**entry, "flips": tuple(entry["flips"])}) for entry in entries]

    def failures(self) -> list[dict[str, Any]]:
        """What went wrong, such as a shard edited or judged in smaller parts for lack of memory."""
        path = self.path / "failures.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]

    def faces(self) -> dict[str, Any]:
        """`scored`, `of`, and `unusable`: a list of sample and reason."""
        path = self.path / "faces.json"
        count = self.manifest.identity["data"]["count"]
        return read_json(path) if path.is_file() else {"scored": count, "of": count, "unusable": []}

    # -- writing

    def put(self, result: ShardResult) -> None:
        """Store one finished shard."""
        shards.put(self._shard(result.number), self.manifest.id, result)
        for what, most in result.most.items():
            self.note(shard=result.number, reason=f"out of memory, {what}", pictures_at_once=most)

    def note(self, **entry: Any) -> None:
        """A line for `failures.jsonl`: what went wrong."""
        with (self.path / "failures.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")  # one write, so that workers' lines do not mix

    def finish(
        self, scores: Iterable[Score], samples: pd.DataFrame, cost: dict[str, Any], faces: dict[str, Any]
    ) -> None:
        """Store samples, cost and which faces were scored, and scores last."""
        write(self.path / "samples.parquet", lambda path: samples.to_parquet(path, index=False))
        write_json(self.path / "cost.json", cost)
        write_json(self.path / "faces.json", faces)
        identity = self.manifest.identity
        dtype = identity.get("numerics", {}).get("dtype", "float32")
        with_prints = stamped(scores, identity.get("judges", {}), dtype)
        write_json(self.path / "scores.json", [score.entry() for score in with_prints])

    def _shard(self, number: int) -> Path:
        return self.path / "shards" / f"{number:04d}.safetensors"


def begin(root: Path, manifest: Manifest, suite: Suite) -> RunFolder:
    """The folder of a run, new or to be continued; checked to be writable and to have room."""
    method = manifest.identity["method"]["name"]
    folder = RunFolder(root / suite.name / f"{method}-{manifest.id}")
    try:
        folders.make(folder.path)
        for name in ("shards", "images"):
            (folder.path / name).mkdir(exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f"{folder.path}: cannot be written ({error.strerror}); choose another with --results"
        ) from None
    free = shutil.disk_usage(folder.path).free
    if free < NEEDED:
        raise ResultsError(f"{folder.path}: wanted {NEEDED >> 20} MiB of free disk, found {free >> 20} MiB")
    if not (folder.path / "manifest.json").exists():
        write_json(folder.path / "manifest.json", plain(manifest))
    elif folder.manifest.id != manifest.id:
        raise ResultsError(
            f"{folder.path}/manifest.json does not belong to run {manifest.id}; move the folder away"
        )
    if not (folder.path / "suite.json").exists():
        write_json(folder.path / "suite.json", suite)
    return folder


def find(run: str, root: Path) -> RunFolder:
    """A run by the path of its folder, by its id or by the start of it."""
    if (Path(run) / "manifest.json").is_file():
        return RunFolder(Path(run))
    matches = sorted(
        path.parent for path in root.glob("*/*/manifest.json") if _matches(path.parent.name, run)
    )
    if len(matches) != 1:
        what = "no run" if not matches else f"{len(matches)} runs"
        raise ResultsError(
            f"{run!r}: {what} of that id in {root}; wanted a run's folder, its id or <method>-<id>"
        )
    return RunFolder(matches[0])


def _matches(name: str, run: str) -> bool:
    return name == run or (bool(run) and name.rpartition("-")[2].startswith(run))
