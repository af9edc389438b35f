"""CelebA (Liu et al., 2015): 202,599 aligned faces of 178×218 pixels with 40 labels, and who they are.

Three layouts are read: torchvision's (`celeba/`), the official one (`Img/ Anno/ Eval/`), and everything in
one folder. The splits of AttGAN, STGAN and SeCGAN go by file number, those of SaGAN by person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .frame import Frame
from .index import Index, first_named, lines_of, no_twice, one_of, pictures_below
from .labels import read_labels
from .landmarks import ALIGNED, IN_THE_WILD, read_landmarks

PUBLISHED = 202_599
TRAIN_END, VALIDATION_END = 182_000, 182_637  # last file numbers; the rest is the test split
OFFICIAL = ("0", "1", "2")  # parts of list_eval_partition.txt: training, validation, test
OFFICIAL_TEST = "2"  # the same pictures as the test split by number
PEOPLE, TEST_PEOPLE = 10_177, 2_000  # of SaGAN's split
SAGAN_TOTALS = (8_177, 191_649, 2_000, 10_950)  # people and pictures: training, test (SaGAN, section 4)

PICTURES = (
    "img_align_celeba",
    "celeba/img_align_celeba",
    "Img/img_align_celeba",
    "data/img_align_celeba",
)


def read_celeba(root: Path, *, name: str, frame: Frame) -> Index:
    """The whole of CelebA below `root`; broken lists are refused, absent pictures noted."""
    table = find(root, "list_attr_celeba.txt", name)
    files, attributes, labels = read_labels(table)
    folder = _pictures(root, name)
    numbers = _numbers(table, files)
    there = pictures_below(folder)
    listed = frozenset(files)
    people = _people(root, files)
    splits = {
        "train": np.flatnonzero(numbers <= TRAIN_END),
        "validation": np.flatnonzero((numbers > TRAIN_END) & (numbers <= VALIDATION_END)),
        "test": np.flatnonzero(numbers > VALIDATION_END),
    }
    points = optional(root, ALIGNED)
    notes = [_partition(root, files, splits["test"]), _landmarks_note(root, points)]
    if people is not None:
        splits["people-train"], splits["people-test"] = by_person(people)
        notes.append(_sagan_note(people, splits))
    return Index(
        name=name,
        root=root,
        folder=folder,
        ids=tuple(file.rpartition(".")[0] for file in files),
        files=files,
        attributes=attributes,
        labels=labels,
        splits=splits,
        frame=frame,
        missing=listed - there,
        unlisted=len(there - listed),
        published=PUBLISHED,
        identities=people,
        landmarks=None if points is None else read_landmarks(points, files),
        notes=tuple(note for note in notes if note),
    )


def find(root: Path, file: str, name: str) -> Path:
    """One of CelebA's lists in any of the layouts."""
    places = (file, f"celeba/{file}", f"Anno/{file}", f"Eval/{file}", f"data/{file}")
    table = Path(file).with_suffix(".csv").name
    for place in (root, *(root / place for place in ("celeba", "Anno", "data"))):
        if (place / table).is_file() and not any((root / one).exists() for one in places):
            raise BadDataset(
                f"{place / table}: a converted list; wanted {file} as CelebA publishes it, beside it "
                f"(faceedit-bench data where {name})"
            )
    return one_of(root, places, file, name)


def optional(root: Path, file: str) -> Path | None:
    """As `find`, None where there is none."""
    places = (file, f"celeba/{file}", f"Anno/{file}", f"Eval/{file}", f"data/{file}")
    return next((root / place for place in places if (root / place).exists()), None)


def by_person(people: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the training and of the test people: the test people are those with the fewest pictures.

    SaGAN gives the totals and no rule; this one fits the averages it gives (5.5 pictures against 23.4). Ties
    go by number. In a part of the set the same share of people is taken.
    """
    counts = Counter(people)
    ordered = sorted(counts, key=lambda person: (counts[person], int(person)))
    chosen = frozenset(ordered[: round(len(ordered) * TEST_PEOPLE / PEOPLE)])
    is_test = np.array([person in chosen for person in people])
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def matches_sagan(people: Sequence[str], splits: Mapping[str, np.ndarray]) -> bool:
    """Whether the split by person has the four totals of the paper."""
    totals = [
        total
        for split in ("people-train", "people-test")
        for total in (len({people[row] for row in splits[split]}), len(splits[split]))
    ]
    return tuple(totals) == SAGAN_TOTALS


# ---- the parts --------------------------------------------------------------------------------------


def _pictures(root: Path, name: str) -> Path:
    folder = one_of(root, PICTURES, "folder img_align_celeba", name)
    inner = folder / "img_align_celeba"  # some archives wrap the folder in one of its own name
    return inner if inner.is_dir() else folder


def _numbers(table: Path, files: Sequence[str]) -> np.ndarray:
    """(N,) file numbers: `000001.jpg` is 1."""
    stems = [file.partition(".")[0] for file in files]
    for line, stem in enumerate(stems, start=3):
        if not stem.isdecimal():
            raise BadDataset(
                f"{table}, line {line}: wanted a numbered picture such as 000001.jpg, found {stem!r}; "
                "get the list again"
            )
    numbers = np.array(stems, np.int64)
    if len(np.unique(numbers)) < len(numbers):
        no_twice([f"picture {number}" for number in numbers.tolist()], table, first_line=3)
    return numbers


def _people(root: Path, files: Sequence[str]) -> tuple[str, ...] | None:
    """Who each picture shows, from identity_CelebA.txt where there is one."""
    table = optional(root, "identity_CelebA.txt")
    return None if table is None else tuple(_each(table, _persons(table), files))


def _persons(table: Path) -> dict[str, str]:
    """Picture -> person."""
    return _pairs(table, "a picture and the number of a person")


def of_the_same_people(ids: Collection[str], table: Path) -> set[str]:
    """All ids that `table`, an identity_CelebA.txt, gives to the people of `ids`, which are among them."""
    person_of = {Path(file).stem: person for file, person in _persons(table).items()}
    if unknown := sorted(set(ids) - set(person_of)):
        raise BadDataset(
            f"{table}: {len(unknown)} pictures that are left out are not in it; get it again:"
            f"\n  {first_named(unknown)}"
        )
    people = {person_of[name] for name in ids}
    return {name for name, person in person_of.items() if person in people}


def _partition(root: Path, files: Sequence[str], test: np.ndarray) -> str:
    """Check the official partition, where there is one, against the split by number."""
    table = optional(root, "list_eval_partition.txt")
    if table is None:
        return ""
    known = _pairs(table, "a picture and 0, 1 or 2", OFFICIAL)
    parts = _each(table, known, files)
    official = {file for file, part in zip(files, parts, strict=True) if part == OFFICIAL_TEST}
    ours = {files[row] for row in test}
    if differ := official ^ ours:
        odd = [
            f"line {line} ({file}): wanted {'2' if file in ours else '0 or 1'}, found {part}"
            for line, (file, part) in enumerate(known.items(), start=1)
            if file in differ
        ]
        raise BadDataset(
            f"{table}: its test part (2) should be the pictures after number {VALIDATION_END}; "
            f"{len(odd)} differ; get the file again:\n  {first_named(odd)}"
        )
    return "the test split is the official partition 2"


def _pairs(table: Path, what: str, allowed: Sequence[str] = ()) -> dict[str, str]:
    """`000001.jpg 2880` a line, in the order of the lines; any number, or one of those `allowed`."""
    rows = [row.split() for row in lines_of(table)]
    for line, row in enumerate(rows, start=1):
        if len(row) != 2 or not (row[1] in allowed if allowed else row[1].isdecimal()):
            raise BadDataset(
                f"{table}, line {line}: wanted {what}, found {' '.join(row)[:60]!r}; get the file again"
            )
    no_twice([row[0] for row in rows], table, first_line=1)
    return {row[0]: row[1] for row in rows}


def _each(table: Path, known: Mapping[str, str], files: Sequence[str]) -> list[str]:
    unknown = [file for file in files if file not in known]
    if unknown:
        raise BadDataset(
            f"{table}: {len(unknown)} pictures of list_attr_celeba.txt are not in it; get both files again:"
            f"\n  {first_named(unknown)}"
        )
    return [known[file] for file in files]


def _landmarks_note(root: Path, points: Path | None) -> str:
    if points is not None:
        return f"{ALIGNED}: five points of every face"
    wild = optional(root, IN_THE_WILD)
    return "" if wild is None else f"{IN_THE_WILD} is for pictures before alignment; not read"


def _sagan_note(people: Sequence[str], splits: Mapping[str, np.ndarray]) -> str:
    if matches_sagan(people, splits):
        return "the split by person has SaGAN's four totals"
    return "the split by person does not have SaGAN's four totals (8,177 / 191,649 and 2,000 / 10,950)"
