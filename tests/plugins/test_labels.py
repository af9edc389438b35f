"""Labels become the numbers that the papers' code feeds, and training asks for what they ask for.

Quoted sentences are the build sheets of the methods.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from faceedit_plugins import stgan
from faceedit_plugins.labels.codes import change, difference, signed, target_code
from faceedit_plugins.labels.targets import targets

from faceedit_bench.api import CONFLICTS, THIRTEEN, EditBatch
from faceedit_bench.suite import target_labels
from faceedit_bench.train import Settings, TrainingFaces
from faceedit_bench.train.faces import Batches

A = len(THIRTEEN)
YOUNG, BALD, BANGS = (THIRTEEN.index(name) for name in ("Young", "Bald", "Bangs"))


def batch_of(source: dict[str, int], flips: tuple[str, ...], strength: float = 1.0) -> EditBatch:
    labels = [source.get(name, 0) for name in THIRTEEN]
    target, edited = target_labels(labels, flips, THIRTEEN, "stgan")
    return EditBatch(
        images=torch.zeros(1, 3, 8, 8),
        source=torch.tensor([labels], dtype=torch.float32),
        target=torch.tensor([target], dtype=torch.float32),
        edited=torch.tensor([edited]),
        strength=torch.tensor([strength]),
        seeds=torch.zeros(1, dtype=torch.int64),
        attributes=THIRTEEN,
    )


def test_attgan_trains_with_plus_and_minus_one_half():
    """AttGAN: "(2a−1)·thres_int, thres_int = 0.5 → ±0.5"."""
    assert signed(torch.tensor([0.0, 1.0])).tolist() == [-0.5, 0.5]


@pytest.mark.parametrize(
    ("scale", "edited", "others"),
    [(0.5, 1.0, 0.5), (1.0, 2.0, 1.0)],  # first and second release
)
def test_attgan_doubles_the_flipped_entry_only(scale, edited, others):
    """AttGAN, test: v1 "±0.5 · test_int/thres_int, test_int = 1.0 → ±1.0", others ±0.5; v2 ±2, others ±1."""
    on = target_code(batch_of({}, ("Young",)), strength=2.0, scale=scale)[0]
    assert on[YOUNG] == edited
    assert (on[:YOUNG] == -others).all()
    off = target_code(batch_of({"Young": 1}, ("Young",)), strength=2.0, scale=scale)[0]
    assert off[YOUNG] == -edited


def test_attgan_reconstructs_from_the_source_vector_at_training_strength():
    """AttGAN: "Reconstruction feeds the source vector at training strength"."""
    batch = batch_of({"Young": 1, "Bangs": 1}, ())
    assert torch.equal(target_code(batch, strength=2.0), signed(batch.source))


def test_stgan_trains_with_differences_of_one():
    """STGAN: "Generator input = b̃ − ã ∈ {−1, 0, +1}. Reconstruction input = 0"."""
    source, target = torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    assert change(source, target).tolist() == [[1.0, 0.0, -1.0]]
    assert torch.equal(change(source, target), signed(target) - signed(source))
    assert not difference(batch_of({"Young": 1}, ()), 2.0).any()


@pytest.mark.parametrize(("strength", "wanted"), [(1.0, 1.0), (2.0, 1.5)])
@pytest.mark.parametrize("before", [0, 1])
def test_stgan_asks_for_one_and_a_half_at_test_strength_two(strength, wanted, before):
    """STGAN: "test_int = 1: ±1 weaker edits; test_int = 2: ±1.5 reproduces the paper"."""
    asked = difference(batch_of({"Young": before}, ("Young",)), strength)[0]
    assert asked[YOUNG] == (wanted if before == 0 else -wanted)
    assert asked.count_nonzero() == 1


def test_entries_of_the_conflict_rule_stay_at_one():
    """STGAN: "Entries changed by the conflict rule are ±1"."""
    asked = difference(batch_of({"Bangs": 1}, ("Bald",)), 2.0)[0]
    assert (asked[BALD], asked[BANGS]) == (1.5, -1.0)


def test_the_strength_of_an_edit_leads_from_the_source_to_the_full_edit():
    for code in (difference, target_code):
        nothing = code(batch_of({}, ("Young",), strength=0.0), 2.0)
        half = code(batch_of({}, ("Young",), strength=0.5), 2.0)
        full = code(batch_of({}, ("Young",), strength=1.0), 2.0)
        torch.testing.assert_close(half, (nothing + full) / 2)
        assert torch.equal(nothing, code(batch_of({}, ()), 2.0))


# ---- conflict rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "cleared"),
    [
        ("Bald", {"Bangs"}),
        ("Receding_Hairline", {"Bangs"}),
        ("Bangs", {"Bald", "Receding_Hairline"}),
        ("Black_Hair", {"Blond_Hair", "Brown_Hair", "Gray_Hair"}),
        ("Blond_Hair", {"Black_Hair", "Brown_Hair", "Gray_Hair"}),
        ("Brown_Hair", {"Black_Hair", "Blond_Hair", "Gray_Hair"}),
        ("Gray_Hair", {"Black_Hair", "Blond_Hair", "Brown_Hair"}),
        ("Straight_Hair", {"Wavy_Hair"}),
        ("Wavy_Hair", {"Straight_Hair"}),
    ],
)
def test_the_conflict_rule_is_the_table_of_attgan(on, cleared):
    """AttGAN, section 6: "when the edited attribute has just become 1 | set to 0"."""
    assert set(CONFLICTS["stgan"][on]) == cleared


def test_mustache_and_no_beard_do_not_exclude_each_other():
    """AttGAN: "port only; commented out in TF v1/v2 and in STGAN"."""
    assert not {"Mustache", "No_Beard"} & CONFLICTS["stgan"].keys()


def test_switching_off_clears_nothing():
    """AttGAN: "Nothing happens when an attribute is switched off"."""
    source = [int(name in ("Blond_Hair", "Bangs")) for name in THIRTEEN]
    target, _ = target_labels(source, ("Blond_Hair",), THIRTEEN, "stgan")
    assert target == [int(name == "Bangs") for name in THIRTEEN]


# ---- targets of training --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 13])
def test_permuted_targets_are_the_labels_of_other_faces_as_they_are(count):
    """StarGAN: "a random permutation of the batch's labels (no conflict repair)"; CooGAN: "with batch 1 draw
    b from another training image". Both are the trainer's own rule."""
    tiny = stgan.Options(width=4, layers=2, skip=1, inject=1, critic_width=4, critic_layers=2)
    (recipe,) = stgan.recipes(tiny)
    faces = TrainingFaces(
        np.zeros((13, 3, 8, 8), np.uint8), np.triu(np.ones((13, A), np.uint8)), THIRTEEN, digest="any"
    )
    batch = Batches(faces, recipe, Settings(steps=1, batch_size=count), torch.device("cpu")).batch(0, 1)
    assert not torch.equal(batch.target, batch.source)
    rows = {tuple(row) for row in np.triu(np.ones((13, A), np.uint8)).tolist()}
    assert {tuple(row) for row in batch.target.int().tolist()} <= rows
    if count == 13:
        assert torch.equal(batch.target.sum(0), batch.source.sum(0))


def test_mixed_targets_reverse_one_attribute_in_about_half_of_the_rows():
    generator = torch.Generator().manual_seed(0)
    faces = torch.zeros(400, A)
    faces[:, THIRTEEN.index("Brown_Hair")] = 1
    asked = targets("mixed", THIRTEEN)(faces, generator)
    flips = [target_labels(faces[0].int().tolist(), (name,), THIRTEEN, "drawn")[0] for name in THIRTEEN]
    same = faces[0].int().tolist()
    rows = asked.int().tolist()
    assert all(row in [same, *flips] for row in rows)
    reversed_rows = sum(row != same for row in rows)
    assert 150 < reversed_rows < 250  # half of 400: five standard deviations are 50


def test_mixed_targets_know_other_attribute_lists():
    names = ("Blond_Hair", "Bald")
    labels = torch.tensor([[1.0, 0.0]] * 50)
    asked = targets("mixed", names)(labels, torch.Generator().manual_seed(0))
    assert {tuple(row) for row in asked.int().tolist()} == {(1, 0), (0, 0), (0, 1)}
