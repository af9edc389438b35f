"""The use case behind `faceedit-bench experiment augmentation` (SaGAN, Zhang et al., 2018, verification).

Do edits of its training pictures help a face recogniser? A ResNet-18 learns who is who among the people of
training, once from their pictures and once for each attribute from their pictures and edits of them. Then it
has to tell people apart whom it has never met.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from .. import folders
from ..data.celeba import SAGAN_TOTALS
from ..device import choose as choose_device
from ..errors import BadConfig, BadDataset, ResultsError, UnknownName
from ..evaluate import set_numerics
from ..executors import processes, serial
from ..manifest import Manifest, plain, provenance
from ..progress import QUIET, bar
from ..store.files import read_json, write_json
from ..weights import build_editor, choose
from . import edits, protocol, records, training
from .intervals import estimates
from .pairs import Pairs, find_pairs_file, targets, view2
from .pictures import Pictures, Source, missing, opened, put, spans, spec_of
from .protocol import Protocol, TestSet
from .recogniser import embeddings
from .training import Arm

VERSION = "1"  # raised whenever a number changes
TRAIN = "train"  # folder of the training pictures; tests are test-0, test-1, …
SPARE = 64 * 2**20  # bytes of room beside the pictures
BLOCK = 1 << 16  # pairs scored at once

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Setup:
    """What a worker needs: names and options, small and picklable."""

    method: str
    preset: str | None
    weights: str | None
    options: str  # JSON of what the user set
    protocol: Protocol
    roots: tuple[tuple[str, str], ...]  # data set -> folder
    device: str
    folder: Path

    @property
    def train(self) -> Source:
        return self._source(self.protocol.dataset, self.protocol.split, self.protocol.count)

    def test(self, number: int) -> Source:
        test = self.protocol.tests[number]
        return self._source(test.dataset, test.split, test.count)

    def root(self, dataset: str) -> Path | None:
        found = dict(self.roots).get(dataset)
        return None if found is None else Path(found)

    def _source(self, dataset: str, split: str, count: int) -> Source:
        return Source(dataset, split, self.root(dataset), self.protocol.resolution, count)


@dataclass(frozen=True)
class _Part:
    """Pictures that a worker prepares."""

    setup: Setup
    place: str  # TRAIN or test-<number>
    number: int
    positions: range


@dataclass(frozen=True)
class _Training:
    """An arm that a worker trains."""

    setup: Setup
    arm: Arm


def augment(
    method: str,
    *,
    chosen: Protocol = protocol.SMALL,
    preset: str | None = None,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    roots: Mapping[str, Path] | None = None,
    results: str | Path | None = None,
    workers: int = 1,
    device: str = "cpu",
) -> records.Outcome:
    """Run the experiment, or go on with it where it was stopped; the same bits either way.

    Args:
        chosen: faces, arms, recogniser and tests (`protocol.load`).
        preset, weights, options: which settings and weights of the method.
        roots: data set -> folder, for those that are not embedded.
        results: results folder; default $FACEEDIT_RESULTS, else `results/`.
        workers: processes; their number changes no bit.
    Raises:
        FaceEditError: anything that a user can mend, before the first picture is edited where possible.
    """
    if workers < 1:
        raise BadConfig(f"--workers wants at least 1, found {workers}")
    choice = choose(method, preset=preset, weights=weights, options=options)
    device = choose_device(device)
    setup = Setup(
        method=method,
        preset=choice.preset,
        weights=None if weights is None else str(Path(weights).resolve()),
        options=json.dumps(dict(options or {})),
        protocol=chosen,
        roots=_resolved(roots or {}, chosen),
        device=device,
        folder=Path(),
    )
    edits.check(choice, spec_of(chosen.dataset), opened(setup.train).attributes, chosen.attributes)
    manifest = _describe(setup)
    place = folders.results(results) / "experiments" / "augmentation" / f"{method}-{manifest.id}"
    setup = replace(setup, folder=place)
    if not (place / records.RESULTS).is_file():
        records.begin(place, manifest)
        set_numerics(chosen.threads)
        _prepare(setup, workers)
        _check_people(setup)
        _train(setup, workers)
        _finish(setup)
    return records.read(place)


def _resolved(roots: Mapping[str, Path], chosen: Protocol) -> tuple[tuple[str, str], ...]:
    """Folders by data set; one that the protocol does not use is a mistake."""
    used = {chosen.dataset, *(test.dataset for test in chosen.tests)}
    for name in roots:
        if name not in used:
            raise UnknownName(f"data set of protocol {chosen.name!r} in --root", name, used)
    return tuple(sorted((name, str(Path(root).resolve())) for name, root in roots.items()))


# ---- identity -------------------------------------------------------------------------------------


def _describe(setup: Setup) -> Manifest:
    """Everything that decides a number, as hashes and names."""
    choice = _choice(setup)
    sources = [setup.train, *(setup.test(number) for number in range(len(setup.protocol.tests)))]
    identity = {
        "experiment": {"name": "augmentation", "version": VERSION},
        "method": {
            "name": choice.spec.name,
            "version": choice.spec.version,
            "preset": choice.preset,
            "options": plain(choice.options),
        },
        "weights": [{"file": pin.file, "sha256": pin.sha256} for pin in choice.pins],
        "protocol": plain(setup.protocol),
        "data": [
            {
                "name": source.dataset,
                "version": spec_of(source.dataset).version,
                "split": source.split,
                "count": len(opened(source)),
                "digest": opened(source).digest(),
            }
            for source in sources
        ],
        "numerics": {
            "dtype": "float32",
            "threads": setup.protocol.threads,
            "device": "cpu" if setup.device == "cpu" else torch.cuda.get_device_name(setup.device),
            "torch": torch.__version__,
        },
    }
    return Manifest(identity, provenance())


def _choice(setup: Setup) -> Any:
    return choose(setup.method, preset=setup.preset, weights=setup.weights, options=json.loads(setup.options))


# ---- pictures -------------------------------------------------------------------------------------


def _prepare(setup: Setup, workers: int) -> None:
    """Edit the training pictures and read the test pictures, part by part."""
    places = {TRAIN: setup.train}
    places |= {f"test-{number}": setup.test(number) for number in range(len(setup.protocol.tests))}
    parts = [
        _Part(setup, place, number, spans(len(opened(source)))[number])
        for place, source in places.items()
        for number in missing(setup.folder / "work" / place, len(opened(source)))
    ]
    if not parts:
        return
    _check_room(setup, parts)
    for place in places:
        (setup.folder / "work" / place).mkdir(parents=True, exist_ok=True)
    total = sum(len(part.positions) for part in parts)
    with bar(f"pictures, edited by {setup.method}", total) as advance:
        for done in _map(_put, parts, workers):
            advance(done)


def _check_room(setup: Setup, parts: Sequence[_Part]) -> None:
    """Refuse to begin what cannot be stored."""
    versions = {TRAIN: 1 + 2 * len(setup.protocol.attributes)}
    picture = 3 * setup.protocol.size**2
    wanted = SPARE + sum(len(part.positions) * versions.get(part.place, 1) * picture for part in parts)
    free = shutil.disk_usage(setup.folder).free
    if free < wanted:
        raise ResultsError(
            f"{setup.folder}: wanted {wanted >> 20} MiB of free disk for pictures and their edits, found "
            f"{free >> 20} MiB; make room, or choose another folder with --results"
        )


def _put(part: _Part) -> int:
    """Prepare one part; only the number of pictures travels back."""
    setup = part.setup
    set_numerics(setup.protocol.threads)
    source = setup.train if part.place == TRAIN else setup.test(int(part.place.removeprefix("test-")))
    samples, positions = opened(source), list(part.positions)
    attributes = setup.protocol.attributes if part.place == TRAIN else ()
    images, faces, without = edits.versions(
        _editing(setup), samples, positions, attributes, setup.protocol.size
    )
    if unknown := [face.id for face in faces if face.identity is None]:
        raise BadDataset(f"{source.where}: who is on picture {unknown[0]!r} is not known ({len(unknown)} so)")
    rows = [
        {"id": face.id, "person": face.identity, "labels": [int(value) for value in face.labels]}
        for face in faces
    ]
    put(setup.folder / "work" / part.place, part.number, images, rows, without)
    return len(positions)


@functools.lru_cache(maxsize=1)
def _editing(setup: Setup) -> edits.Editing:
    """The method, loaded once per process."""
    choice, spec = _choice(setup), spec_of(setup.protocol.dataset)
    known = tuple(opened(setup.train).attributes)
    return edits.Editing(
        method=setup.method,
        editor=build_editor(choice, setup.device),
        attributes=edits.check(choice, spec, known, setup.protocol.attributes),
        known=known,
        conflicts=spec.conflicts,
        wants_truth="truth" in choice.spec.needs,
        seed=setup.protocol.seed,
        device=setup.device,
    )


def _pictures(setup: Setup, place: str, source: Source) -> Pictures:
    return Pictures(setup.folder / "work" / place, source.where)


def _check_people(setup: Setup) -> None:
    """People to tell apart, in training and in every test, and nobody in both."""
    known = set(_known(_pictures(setup, TRAIN, setup.train)).people)
    if len(known) < 2:
        raise BadDataset(f"{setup.train.where}: a recogniser wants at least two people, found {len(known)}")
    for number, test in enumerate(setup.protocol.tests):
        people = set(_known(_pictures(setup, f"test-{number}", setup.test(number))).people)
        _pairs(setup, number)
        met = sorted(people & known) if test.dataset == setup.protocol.dataset else []
        if met:
            raise BadDataset(
                f"{len(met)} people of {setup.test(number).where} are among those of {setup.train.where}, "
                f"first {met[0]!r}; a recogniser that has met them proves nothing. Choose splits by person"
            )


def _known(pictures: Pictures) -> Pictures:
    """Refuse two pictures of one id: results name pictures by it."""
    twice = [name for name, times in Counter(pictures.ids).items() if times > 1]
    if twice:
        raise BadDataset(f"{pictures.where}: {len(twice)} ids stand for several pictures, first {twice[0]!r}")
    return pictures


# ---- training -------------------------------------------------------------------------------------


def _train(setup: Setup, workers: int) -> None:
    """Every arm that is not trained yet."""
    jobs = [
        _Training(setup, arm)
        for arm in training.arms(setup.protocol.attributes)
        if not records.is_trained(setup.folder, arm.name)
    ]
    if jobs and workers > 1:
        with bar("recognisers", len(jobs)) as advance:
            for done in _map(_train_arm_quietly, jobs, workers):
                advance(done)
    else:
        for job in jobs:
            _train_arm(job)


def _train_arm_quietly(job: _Training) -> int:
    """In a worker process: one bar is enough."""
    os.environ[QUIET] = "1"
    return _train_arm(job)


def _train_arm(job: _Training) -> int:
    """Train one recogniser, score every test with it, store both."""
    setup, arm = job.setup, job.arm
    set_numerics(setup.protocol.threads)
    folder = setup.folder / "arms" / arm.name
    folder.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(setup, TRAIN, setup.train)
    with bar(f"recogniser, edits: {arm.name}", setup.protocol.steps(len(pictures))) as advance:
        network, course = training.train(arm, pictures, setup.protocol, folder, setup.device, advance)
    for number in range(len(setup.protocol.tests)):
        faces = _pictures(setup, f"test-{number}", setup.test(number))
        seen = np.concatenate(
            [
                embeddings(network, faces.take(span, [0] * len(span)), setup.device).numpy()
                for span in spans(len(faces))
            ]
        )
        records.put_array(folder / f"scores-{number}.npy", cosines(seen, _pairs(setup, number)))
    parameters = sum(value.numel() for value in network.parameters())
    records.put_recogniser(folder, network.state_dict(), {**course, "parameters": parameters})
    return 1


def cosines(seen: np.ndarray, pairs: Pairs) -> np.ndarray:
    """(P,) float32 likeness of each pair, for embeddings (N, D) of unit length."""
    blocks = [slice(start, start + BLOCK) for start in range(0, len(pairs.target), BLOCK)]
    return np.concatenate(
        [np.einsum("pd,pd->p", seen[pairs.target[one]], seen[pairs.query[one]]) for one in blocks]
    )


def _pairs(setup: Setup, number: int) -> Pairs:
    """Which pictures of a test are compared."""
    test: TestSet = setup.protocol.tests[number]
    source = setup.test(number)
    faces = _pictures(setup, f"test-{number}", source)
    if test.pairs == "targets":
        return targets(faces.people, setup.protocol.seed, source.where)
    from ..data.lfw import read_pairs

    asked = read_pairs(find_pairs_file(source.root, source.where))
    return view2(faces.people, faces.ids, asked, source.where)


# ---- results --------------------------------------------------------------------------------------


def _finish(setup: Setup) -> None:
    """Measure, write everything, the results last; then the pictures are no longer needed."""
    names = [arm.name for arm in training.arms(setup.protocol.attributes)]
    faces = _pictures(setup, TRAIN, setup.train)
    tests = [_measured(setup, number, names) for number in range(len(setup.protocol.tests))]
    content = {
        "format": records.FORMAT,
        "training": {
            **_who(setup.train, faces),
            "rates": faces.rates(opened(setup.train).attributes, setup.protocol.attributes),
            "without_face": faces.without,
            "arms": {name: read_json(setup.folder / "arms" / name / records.COURSE) for name in names},
        },
        "tests": tests,
    }
    records.put_sheet(setup.folder, faces, setup.protocol.attributes)
    records.put_curves(setup.folder, tests)
    write_json(setup.folder / records.RESULTS, content)
    shutil.rmtree(setup.folder / "work")
    for name in names:
        (setup.folder / "arms" / name / "checkpoint.pt").unlink(missing_ok=True)


def _measured(setup: Setup, number: int, names: Sequence[str]) -> dict[str, Any]:
    """One test: who was compared, every number, the curves."""
    source = setup.test(number)
    faces = _pictures(setup, f"test-{number}", source)
    pairs = _pairs(setup, number)
    scores = {name: np.load(setup.folder / "arms" / name / f"scores-{number}.npy") for name in names}
    records.put_pairs(setup.folder / f"pairs-{number}.parquet", pairs, faces.ids, faces.people, scores)
    wanted = setup.protocol
    with bar(f"intervals on {source.where}", wanted.replicates) as advance:
        found, curves = estimates(
            scores,
            pairs,
            wanted.fars,
            replicates=wanted.replicates,
            seed=wanted.seed,
            advance=advance,
        )
    return {
        **_who(source, faces),
        "pairs": {"kind": wanted.tests[number].pairs, "same": pairs.genuine, "different": pairs.impostors},
        "rates": faces.rates(opened(source).attributes, wanted.attributes),
        "estimates": plain(found),
        "curves": curves,
    }


def _who(source: Source, faces: Pictures) -> dict[str, Any]:
    """How many there are; of CelebA's split by person, whether it has the totals of the paper."""
    found = len(set(faces.people)), len(faces)
    totals = {"people-train": SAGAN_TOTALS[:2], "people-test": SAGAN_TOTALS[2:]}
    published = totals.get(source.split) if source.dataset.startswith("celeba") else None
    return {
        "where": source.where,
        "people": found[0],
        "pictures": found[1],
        "split_matches_paper": None if published is None else found == published,
    }


def _map(work: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> Iterator[Result]:
    count = min(workers, len(tasks))
    return serial.map(work, tasks) if count == 1 else processes.map(work, tasks, count)
