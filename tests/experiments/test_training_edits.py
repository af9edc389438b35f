"""What a method is asked of training pictures, and what becomes of its answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from faceedit_bench.api import EditBatch, NoFace, Sample
from faceedit_bench.errors import BadConfig, BrokenPromise, UnknownName
from faceedit_bench.experiments.drawn_people import SPEC
from faceedit_bench.experiments.edits import Editing, check, edited, shrunk, versions
from faceedit_bench.weights import choose

KNOWN = ("Bald", "Bangs", "Black_Hair", "Young")


class Faces:
    """Grey pictures: person 0 is bald, person 1 has bangs and black hair."""

    attributes = KNOWN
    labels = ((1, 0, 0, 1), (0, 1, 1, 0))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Sample:
        image = np.full((3, 8, 8), 100 + index, np.uint8)
        return Sample(f"face-{index}", image, np.array(self.labels[index], np.uint8), identity=str(index))

    def truth(self, index: int, target: Sequence[int]) -> np.ndarray:
        return np.full((3, 8, 8), 200 + sum(target), np.uint8)

    def digest(self) -> str:
        return ""


class Remembers:
    """Returns the picture a little brighter and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[EditBatch] = []

    def edit(self, batch: EditBatch) -> Tensor:
        self.asked.append(batch)
        return batch.images + 0.1


def editing(editor: object, attributes: tuple[str, ...] = KNOWN, conflicts: str = "drawn") -> Editing:
    return Editing("toy", editor, attributes, KNOWN, conflicts, False, 7, "cpu")  # type: ignore[arg-type]


def test_both_values_are_asked_of_everyone_the_flip_under_the_conflict_rule() -> None:
    editor = Remembers()
    images, faces, without = versions(editing(editor), Faces(), [0, 1], ["Bangs"], size=8)
    off, on = editor.asked
    assert off.source.tolist() == on.source.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert off.target.tolist() == [[1, 0, 0, 1], [0, 0, 1, 0]]  # face 0 has none: asked for what it has
    assert on.target.tolist() == [[0, 1, 0, 1], [0, 1, 1, 0]]  # bangs on the bald face clear Bald
    assert off.edited.tolist() == on.edited.tolist() == [[False, True, False, False]] * 2
    assert on.seeds.tolist() == [7 * 1_000_003, 7 * 1_000_003 + 1]
    assert images.shape == (2, 3, 3, 8, 8) and [face.id for face in faces] == ["face-0", "face-1"]
    assert images[:, 0, 0, 0, 0].tolist() == [100, 101]
    assert images[:, 1, 0, 0, 0].tolist() == [113, 114]  # 0.1 of [-1, 1] are 12.75 levels
    assert without == {}


def test_a_method_is_told_its_own_columns_in_its_order() -> None:
    editor = Remembers()
    edited(editing(editor, ("Young", "Bald")), Faces(), [0], [Faces()[0]], "Bald", 0, {})
    (batch,) = editor.asked
    assert batch.attributes == ("Young", "Bald")
    assert (batch.source.tolist(), batch.target.tolist()) == ([[1, 1]], [[1, 0]])
    assert batch.edited.tolist() == [[False, True]]


def test_the_truth_goes_only_to_methods_that_need_it() -> None:
    editor = Remembers()
    asks = editing(editor)
    edited(asks, Faces(), [1], [Faces()[1]], "Bald", 1, {})
    edited(dataclasses.replace(asks, wants_truth=True), Faces(), [1], [Faces()[1]], "Bald", 1, {})
    without, with_it = editor.asked
    assert without.truth is None and with_it.truth is not None
    assert with_it.truth[0, 0, 0, 0] == pytest.approx(201 / 127.5 - 1)  # bald alone: hair is cleared


def test_a_picture_without_a_face_stays_as_it_is_and_is_named() -> None:
    class Picky:
        def edit(self, batch: EditBatch) -> Tensor:
            if (batch.images < 101 / 127.5 - 1 - 1e-4).any():  # level 100
                raise NoFace("too dark")
            return batch.images + 0.1

    images, _, without = versions(editing(Picky()), Faces(), [0, 1], ["Bangs"], size=8)
    assert without == {"face-0": "too dark"}
    assert images[0, :, 0, 0, 0].tolist() == [100, 100, 100]
    assert images[1, :, 0, 0, 0].tolist() == [101, 114, 114]


def test_a_method_that_finds_no_face_only_in_company_breaks_its_promise() -> None:
    class Shy:
        def edit(self, batch: EditBatch) -> Tensor:
            if len(batch.images) > 1:
                raise NoFace("a crowd")
            return batch.images

    with pytest.raises(BrokenPromise, match="must not depend on the other pictures"):
        versions(editing(Shy()), Faces(), [0, 1], ["Bangs"], size=8)


def test_a_broken_answer_names_method_edit_and_picture() -> None:
    class Broken:
        def edit(self, batch: EditBatch) -> Tensor:
            return batch.images * torch.tensor(torch.nan)

    with pytest.raises(BrokenPromise, match=r"toy, edit 'Bangs=0', sample 'face-0': returned NaN"):
        versions(editing(Broken()), Faces(), [0, 1], ["Bangs"], size=8)


def test_pictures_of_the_right_size_are_not_touched_and_others_are_averaged() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    assert shrunk(images, 8) is images
    flat = torch.full((1, 3, 8, 8), 77, dtype=torch.uint8)
    assert torch.equal(shrunk(flat, 4), flat[:, :, :4, :4])


# ---- what cannot be asked -------------------------------------------------------------------------


def test_an_attribute_that_the_method_does_not_know_is_refused_with_those_it_does() -> None:
    with pytest.raises(
        UnknownName, match=r"attribute of copy \(default\) 'Smilng'; .*choose with --attribute"
    ):
        check(choose("copy"), SPEC, SPEC.attributes, ["Smilng"])


def test_data_that_lack_what_the_method_is_told_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"attgan \(demo\) is told .*Young, which data set .* does not label"):
        check(choose("attgan"), SPEC, SPEC.attributes[:-1], ["Bald"])


def test_data_without_labels_are_refused() -> None:
    bare = dataclasses.replace(SPEC, provides=())
    with pytest.raises(BadConfig, match="has no labels"):
        check(choose("copy"), bare, SPEC.attributes, ["Bald"])


def test_a_method_that_needs_the_truth_wants_data_that_know_it() -> None:
    photographs = dataclasses.replace(SPEC, provides=("labels",))
    with pytest.raises(BadConfig, match="needs the exact counterfactual"):
        check(choose("truth"), photographs, SPEC.attributes, ["Bald"])
