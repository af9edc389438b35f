"""The folder of an experiment. Every file is written whole; results.json comes last and means: complete.

manifest.json          what was asked, as hashes and names
work/                  pictures and their edits, until the results are there
arms/<arm>/            recogniser.safetensors, course.json, scores-<test>.npy
pairs-<test>.parquet   every pair with its score in every arm
roc.csv, roc.json      the curves
sheet.png              some training pictures and their edits
results.json           every number with its interval
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import folders
from ..errors import ResultsError
from ..manifest import Manifest, plain
from ..store.files import read_json, write, write_json
from .intervals import Estimate
from .pairs import Pairs

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from .pictures import Pictures

FORMAT = 1
RESULTS, COURSE, NETWORK = "results.json", "course.json", "recogniser.safetensors"
SHOWN, CELL = 6, 128  # training pictures on the sheet, pixels of each


@dataclass(frozen=True)
class Outcome:
    """A complete experiment."""

    folder: Path
    content: dict[str, Any]  # results.json

    @property
    def tests(self) -> list[dict[str, Any]]:
        return self.content["tests"]

    def estimates(self, test: int = 0) -> list[Estimate]:
        """Every number of a test."""
        return [Estimate(**entry) for entry in self.tests[test]["estimates"]]


def begin(folder: Path, manifest: Manifest) -> None:
    """Make the folder, or check that it belongs to this experiment and can be written."""
    try:
        folders.make(folder)
    except OSError as error:
        raise ResultsError(
            f"{folder}: cannot be written ({error.strerror}); choose another with --results"
        ) from None
    place = folder / "manifest.json"
    if not place.exists():
        write_json(place, plain(manifest))
    elif plain(read_json(place).get("identity")) != plain(manifest.identity):
        raise ResultsError(f"{place} does not belong to experiment {manifest.id}; move the folder away")


def read(folder: Path) -> Outcome:
    """The results of a complete experiment."""
    content = read_json(folder / RESULTS)
    if content.get("format") != FORMAT:
        raise ResultsError(
            f"{folder / RESULTS}: format {content.get('format')!r}; this version reads format {FORMAT}"
        )
    return Outcome(folder, content)


# ---- arms -----------------------------------------------------------------------------------------


def is_trained(folder: Path, arm: str) -> bool:
    return (folder / "arms" / arm / COURSE).is_file()


def put_array(path: Path, values: np.ndarray) -> None:
    """An .npy file, whole or not at all."""

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:  # np.save would add a suffix to the name
            np.save(file, values)

    write(path, save)


def put_recogniser(folder: Path, state: Mapping[str, Tensor], course: Mapping[str, Any]) -> None:
    """Weights first; the course of the training comes last and means: trained and scored."""
    from safetensors.torch import save_file

    tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    write(folder / NETWORK, lambda path: save_file(tensors, path))
    write_json(folder / COURSE, course)


# ---- results --------------------------------------------------------------------------------------


def put_pairs(
    path: Path, pairs: Pairs, ids: Sequence[str], people: Sequence[str], scores: Mapping[str, np.ndarray]
) -> None:
    """One row per pair: the two pictures, the two people, the fold if there is one, a score per arm."""
    import pandas as pd

    pictures, who = pd.Index(ids), pd.Index(list(dict.fromkeys(people)))
    columns: dict[str, Any] = {
        "target": pd.Categorical.from_codes(pairs.target.astype(np.int64), pictures),
        "query": pd.Categorical.from_codes(pairs.query.astype(np.int64), pictures),
        "target_person": pd.Categorical.from_codes(pairs.target_person.astype(np.int64), who),
        "query_person": pd.Categorical.from_codes(pairs.query_person.astype(np.int64), who),
        "same": pairs.same,
        **({} if pairs.fold is None else {"fold": pairs.fold}),
        **{f"score {arm}": values for arm, values in scores.items()},
    }
    table = pd.DataFrame(columns)
    write(path, lambda temporary: table.to_parquet(temporary, index=False))


def read_pairs(path: Path) -> tuple[Pairs, dict[str, np.ndarray]]:
    """What `put_pairs` wrote: the pairs, and the scores by arm."""
    import pandas as pd

    table = pd.read_parquet(path)
    (target, query), _ = _codes(table, ("target", "query"))
    (target_person, query_person), people = _codes(table, ("target_person", "query_person"))
    fold = table["fold"].to_numpy() if "fold" in table else None
    pairs = Pairs(target, query, target_person, query_person, people, fold)
    names = [str(name) for name in table.columns]
    scores = {
        name.removeprefix("score "): table[name].to_numpy() for name in names if name.startswith("score ")
    }
    return pairs, scores


def _codes(table: pd.DataFrame, names: tuple[str, str]) -> tuple[list[np.ndarray], int]:
    """Numbers for the names in two columns, the same name the same number."""
    categories = list(dict.fromkeys([name for column in names for name in table[column].cat.categories]))
    number = {name: code for code, name in enumerate(categories)}
    columns = [
        np.array([number[name] for name in table[column].cat.categories], np.int32)[table[column].cat.codes]
        for column in names
    ]
    return columns, len(categories)


def put_curves(folder: Path, tests: Sequence[Mapping[str, Any]]) -> None:
    """roc.csv and roc.json: TAR of every arm over a grid of FAR."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("test", "arm", "far", "tar", "low", "high"))
    for test in tests:
        for arm, curve in test["curves"]["arms"].items():
            empty = [""] * len(curve["tar"])
            limits = curve.get("low", empty), curve.get("high", empty)
            for line in zip(test["curves"]["far"], curve["tar"], *limits, strict=True):
                rows.writerow((test["where"], arm, *line))
    write(folder / "roc.csv", lambda path: path.write_text(text.getvalue(), encoding="utf-8"))
    write_json(folder / "roc.json", {test["where"]: test["curves"] for test in tests})


def put_sheet(folder: Path, pictures: Pictures, attributes: Sequence[str]) -> None:
    """Some training pictures as they are and with each attribute off and on."""
    from ..data.images import save_png
    from ..sheet import sheet

    count = min(SHOWN, len(pictures))
    step = len(pictures) // count
    columns = ["source", *(f"{name}={value}" for name in attributes for value in (0, 1))]
    rows = [
        [*pictures.take([number * step] * len(columns), range(len(columns))).numpy()]
        for number in range(count)
    ]
    save_png(folder / "sheet.png", sheet(rows, columns, cell=CELL))
