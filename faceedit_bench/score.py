"""The use case behind `faceedit-bench score`: a suite's metrics over pictures that any program edited."""

from __future__ import annotations

import os
import re
from pathlib import Path

from . import asking, folders
from . import suite as suites
from .catalog import catalog
from .errors import BadConfig
from .manifest import SUPPLIED
from .runs import RunResult, described, evaluate_shards, finish, judges_of, opened
from .store import folder as store
from .weights import FLOAT32, identity_of, of_judge, require

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it becomes a folder's name


def score(
    name: str,
    edited: str,
    *,
    suite: str = "drawn-128",
    data: str | Path | None = None,
    results: str | Path | None = None,
    workers: int | None = None,
    limit: int | None = None,
    device: str = "cpu",
    lossy: bool = False,
    cache: str = "auto",
    skip_bad: bool = False,
    judge_dtype: str = FLOAT32,
) -> RunResult:
    """Score the pictures that `edited` leads to, for example `mine/{edit}/{id}.png`, as run `name`.

    Every picture is checked before the first is scored. The rest is as in `runs.run`; what made the pictures
    was not seen, so nothing is said about its cost, options or weights.
    """
    _check_name(name)
    chosen = suites.limited(suites.load(suite), limit)
    from . import evaluate
    from .data import supplied
    from .device import choose as choose_device

    evaluate.check_demands(chosen)
    judges = judges_of(chosen)
    require([of_judge(spec) for spec in judges.values()])
    roles = {role: identity_of(spec, judge_dtype) for role, spec in judges.items()}
    pattern = supplied.read_pattern(os.path.abspath(os.path.expanduser(edited)), len(chosen.edits))
    setup = evaluate.Setup(
        method=name,
        suite=chosen,
        data=None if data is None else str(Path(data).resolve()),
        device=choose_device(device),
        supplied=pattern,
        judge_dtype=judge_dtype,
    )
    metrics, absent = evaluate.usable_metrics(chosen)
    samples, setup = opened(setup, cache, workers, skip_bad=skip_bad)
    digest = supplied.check(pattern, chosen, samples, lossy=lossy)
    maker = {
        "method": {"name": name, "version": "unknown", "preset": SUPPLIED, "options": {}, "saw": []},
        "weights": [],
        "edited": {"digest": digest, "lossy": lossy},
    }
    asked = {role: roles[role] for role in evaluate.judge_roles(metrics)}
    asking.check([judges[role] for role in asked], setup.device)
    manifest = described(maker, chosen, samples, asked, metrics, setup)
    folder = store.begin(folders.results(results), manifest, chosen)
    if not folder.is_complete:
        evaluate_shards(setup, chosen.shards(len(samples)), folder, workers, samples)
        finish(setup, folder, samples, metrics, measure_cost=False, workers=workers)
    return RunResult(folder, folder.scores(), folder.cost(), absent)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BadConfig(
            f"--name {name!r}: it becomes a folder's name; wanted letters, digits and any of . - _"
        )
    if name in catalog().methods:
        raise BadConfig(
            f"--name {name!r} is a method that is installed here; name whose pictures they are, for example "
            f"{name}-authors"
        )
