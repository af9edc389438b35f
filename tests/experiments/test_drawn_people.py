"""People in several pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceedit_bench.data import drawn
from faceedit_bench.errors import BadDataset, UnknownName
from faceedit_bench.experiments.drawn_people import CHANGEABLE, PICTURES, SPEC, days

NAMES = drawn.ATTRIBUTES


def test_a_person_has_eight_different_pictures() -> None:
    faces = SPEC.open(None, "train", 16, 2 * PICTURES)
    seen = [faces[index] for index in range(len(faces))]
    assert [face.identity for face in seen] == ["1000000"] * 8 + ["1000001"] * 8
    assert len({face.id for face in seen}) == 16
    assert len({face.image.tobytes() for face in seen}) == 16


def test_only_what_people_change_from_day_to_day_changes() -> None:
    labels = np.stack([days(person).numpy() for person in range(1_000_000, 1_000_200)])  # (P, 8, 13)
    changes = (labels != labels[:, :1]).any((0, 1))
    assert {name for name, there in zip(NAMES, changes, strict=True) if there} == set(CHANGEABLE)
    male, bald = labels[:, 0, NAMES.index("Male")], labels[:, 0, NAMES.index("Bald")]
    assert labels[male == 0][:, :, NAMES.index("No_Beard")].all()  # no bearded women
    assert not labels[bald == 1][:, :, NAMES.index("Bangs")].any()


def test_a_quarter_of_the_pictures_has_another_mouth() -> None:
    people = range(1_000_000, 1_000_300)
    column = NAMES.index("Mouth_Slightly_Open")
    own = drawn.labels(list(people))[:, column].numpy()
    shown = np.stack([days(person).numpy()[:, column] for person in people])
    share = (shown != own[:, None]).mean()
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / shown.size)


def test_splits_share_nobody_with_each_other() -> None:
    firsts = {split: SPEC.open(None, split, 16, 8)[0].identity for split in SPEC.splits}
    assert len(set(firsts.values())) == len(SPEC.splits)


def test_the_truth_of_its_own_labels_is_the_picture() -> None:
    faces = SPEC.open(None, "test", 32, 8)
    face = faces[3]
    assert np.array_equal(faces.truth(3, face.labels), face.image)  # type: ignore[attr-defined]
    target = face.labels.copy()
    target[NAMES.index("Eyeglasses")] ^= 1
    assert not np.array_equal(faces.truth(3, target), face.image)  # type: ignore[attr-defined]


def test_the_digest_follows_what_is_drawn() -> None:
    digests = {
        SPEC.open(None, split, size, count).digest()
        for split, size, count in (("train", 16, 8), ("test", 16, 8), ("train", 32, 8), ("train", 16, 16))
    }
    assert len(digests) == 4
    assert SPEC.open(None, "train", 16, 8).digest() in digests


def test_a_folder_an_unknown_split_and_too_small_faces_are_refused() -> None:
    with pytest.raises(BadDataset, match="embedded and reads no folder"):
        SPEC.open(Path("here"), "train", 16, 8)
    with pytest.raises(UnknownName, match="unknown split of drawn-people 'trian'; did you mean 'train'"):
        SPEC.open(None, "trian", 16, 8)
    with pytest.raises(BadDataset, match="at least 16 px, found 8 of 8 px"):
        SPEC.open(None, "train", 8, 8)
