"""Faces to train on and the order in which batches take them."""

import dataclasses

import numpy as np
import pytest
import torch
from toy_training import ATTRIBUTES, faces, recipe, settings

from faceedit_bench.contracts import Sample
from faceedit_bench.errors import BadDataset, UnknownName
from faceedit_bench.train import TrainingFaces
from faceedit_bench.train.faces import Batches
from faceedit_bench.train.trainer import Training


class Listed:
    """A data set that is only a sequence (contracts.Samples)."""

    attributes = ATTRIBUTES

    def __init__(self, shapes=((3, 8, 8), (3, 8, 8)), labels=((0, 1), (1, 0)), parts=(None, None)):
        self.shapes, self.rows, self.parts = shapes, labels, parts

    def __len__(self):
        return len(self.shapes)

    def __getitem__(self, index):
        image = np.full(self.shapes[index], index, np.uint8)
        return Sample(str(index), image, np.array(self.rows[index], np.uint8), regions=self.parts[index])

    def digest(self):
        return "listed"


def batches(**changes):
    return Batches(faces(), recipe(), settings(**changes), torch.device("cpu"))


def as_seen(pictures):
    return torch.from_numpy(pictures).float() / 127.5 - 1


# ---- order ----------------------------------------------------------------------------------------


def test_an_epoch_shows_every_face_once():
    stream = batches(batch_size=5)
    assert sorted(stream.rows(0, 20)) == list(range(20))
    assert sorted(stream.rows(20, 20)) == list(range(20))
    assert list(stream.rows(0, 20)) != list(stream.rows(20, 20))


def test_a_batch_across_the_end_of_an_epoch_takes_from_both():
    stream = batches()
    whole = np.concatenate([stream.rows(0, 20), stream.rows(20, 20)])
    assert list(stream.rows(18, 4)) == list(whole[18:22])


def test_a_batch_may_be_larger_than_the_data_set():
    assert np.bincount(batches().rows(0, 60)).tolist() == [3] * 20


def labelled(count, faces_with):
    has = np.arange(count) < faces_with
    return dataclasses.replace(faces(count), labels=np.stack([has, has], 1).astype(np.uint8))


def test_balanced_batches_hold_as_many_faces_with_an_attribute_as_without():
    """And of both groups no face comes again before every other of its group."""
    stream = Batches(labelled(20, 3), recipe(balanced=1), settings(), torch.device("cpu"))
    assert [stream.batch(number, 1).source[:, 1].mean().item() for number in range(12)] == [0.5] * 12
    epoch = stream.rows(0, 34)
    assert sorted(row for row in epoch if row >= 3) == list(range(3, 20))
    rare = [row for row in epoch if row < 3]
    assert all(sorted(rare[start : start + 3]) == [0, 1, 2] for start in range(0, 15, 3))


def test_balanced_batches_want_faces_of_both_kinds():
    for faces_with, kind in ((0, "with it"), (20, "without it")):
        with pytest.raises(BadDataset, match=f"none of the 20 is {kind}"):
            Batches(labelled(20, faces_with), recipe(balanced=1), settings(), torch.device("cpu"))


def test_a_batch_depends_on_its_number_and_the_seed_alone():
    stream = batches()
    stream.batch(0, 1)
    late, fresh = stream.batch(7, 8), batches().batch(7, 8)
    assert torch.equal(late.images, fresh.images) and torch.equal(late.target, fresh.target)
    assert not torch.equal(late.images, batches(seed=2).batch(7, 8).images)


# ---- batches --------------------------------------------------------------------------------------


def test_pictures_reach_the_loss_between_minus_one_and_one_exactly():
    data = faces()
    data.images[:, :, 0, 0], data.images[:, :, 7, 7] = 0, 255
    batch = Batches(data, recipe(), settings(flip=False), torch.device("cpu")).batch(0, 1)
    assert batch.images.min() == -1 and batch.images.max() == 1
    rows = Batches(data, recipe(), settings(), torch.device("cpu")).rows(0, 4)
    assert torch.equal(batch.images, as_seen(data.images[rows]))
    assert torch.equal(batch.source, torch.from_numpy(data.labels[rows]).float())


def test_flipping_mirrors_some_pictures_and_leaves_the_data_alone():
    data = faces()
    before = data.images.copy()
    stream = Batches(data, recipe(), settings(batch_size=20), torch.device("cpu"))
    seen, plain = stream.batch(0, 1).images, as_seen(before[stream.rows(0, 20)])
    mirrored = [torch.equal(one, other.flip(-1)) for one, other in zip(seen, plain, strict=True)]
    same = [torch.equal(one, other) for one, other in zip(seen, plain, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 0 < sum(mirrored) < 20
    assert np.array_equal(data.images, before)


def test_default_targets_are_the_labels_of_the_batch_in_another_order():
    batch = batches(batch_size=12).batch(0, 1)
    assert sorted(batch.target.tolist()) == sorted(batch.source.tolist())
    assert not torch.equal(batch.target, batch.source)


def test_a_batch_of_one_asks_for_the_labels_of_another_face():
    stream = batches(batch_size=1)
    assert any(
        not torch.equal(batch.target, batch.source) for batch in (stream.batch(n, n) for n in range(8))
    )


def test_a_recipe_may_choose_its_own_targets():
    own = recipe(targets=lambda labels, generator: 1 - labels)
    batch = Batches(faces(), own, settings(), torch.device("cpu")).batch(0, 1)
    assert torch.equal(batch.target, 1 - batch.source)
    assert torch.equal(batch.change, 1 - 2 * batch.source)


# ---- parts of the face ----------------------------------------------------------------------------


def with_regions(count=20):
    """Faces whose regions are the pixels of their red channel, so that both can be compared."""
    data = faces(count)
    return dataclasses.replace(data, regions=data.images[:, 0].copy())


def stream(data, regions, **changes):
    return Batches(data, recipe(regions=regions), settings(**changes), torch.device("cpu"))


def test_regions_are_mirrored_with_their_picture():
    data = with_regions()
    before = data.regions.copy()
    batch = stream(data, "welcome", batch_size=20).batch(0, 1)
    assert batch.regions.dtype == torch.int64 and batch.regions.shape == (20, 8, 8)
    assert torch.equal(batch.regions.float() / 127.5 - 1, batch.images[:, 0])
    assert np.array_equal(data.regions, before)


def test_a_recipe_that_does_not_ask_gets_no_regions_and_the_same_batches():
    plain, asked = stream(with_regions(), "unused"), stream(with_regions(), "welcome")
    one, other = plain.batch(3, 4), asked.batch(3, 4)
    assert one.regions is None
    assert torch.equal(one.images, other.images) and torch.equal(one.target, other.target)


def test_welcome_regions_may_be_missing_and_needed_ones_may_not():
    assert stream(faces(), "welcome").batch(0, 1).regions is None
    with pytest.raises(BadDataset, match=r"stage 'toy' learns from the parts of faces.*--weights-from"):
        stream(faces(), "needed")


def test_only_a_training_that_looks_at_regions_has_them_in_its_identity():
    def identity(data, regions):
        toy = recipe(regions=regions)
        run = Training(toy, data, settings(), torch.device("cpu"), {})
        return run.identity_of_recipe()

    plain = identity(faces(), "unused")
    assert identity(with_regions(), "unused") == identity(faces(), "welcome") == plain
    assert identity(with_regions(), "welcome") == {**plain, "regions": True}


def test_regions_of_a_data_set_are_gathered_where_every_face_has_them():
    parts = (np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8))
    assert TrainingFaces.of(Listed(parts=parts)).regions.tolist() == np.stack(parts).tolist()
    assert TrainingFaces.of(Listed(parts=(parts[0], None))).regions is None


def test_regions_of_another_size_are_refused():
    with pytest.raises(BadDataset, match=r"wanted regions \(20, 8, 8\), found \(20, 4, 4\)"):
        dataclasses.replace(faces(), regions=np.zeros((20, 4, 4), np.uint8))


# ---- where faces come from ------------------------------------------------------------------------


def test_a_data_set_without_packed_arrays_is_gathered_in_the_wanted_columns():
    packed = TrainingFaces.of(Listed(), ("Male",))
    assert packed.images.shape == (2, 3, 8, 8) and packed.images[1].max() == 1
    assert packed.labels.tolist() == [[1], [0]]
    assert packed.digest == "listed"


def test_a_packed_data_set_is_taken_as_it_is():
    data = Listed()
    data.images, data.labels = faces().images, faces().labels
    assert TrainingFaces.of(data).images is data.images


def test_an_attribute_the_data_set_lacks_is_named():
    with pytest.raises(UnknownName, match="did you mean 'Male'"):
        TrainingFaces.of(Listed(), ("Mail",))


def test_faces_without_labels_are_refused():
    data = Listed(labels=((), ()))
    with pytest.raises(BadDataset, match="training needs labels"):
        TrainingFaces.of(data)


def test_pictures_of_several_sizes_are_refused():
    with pytest.raises(BadDataset, match="pictures of one size"):
        TrainingFaces.of(Listed(shapes=((3, 8, 8), (3, 9, 9))))


def test_no_faces_at_all_are_refused():
    with pytest.raises(BadDataset, match="no faces"):
        dataclasses.replace(faces(), images=faces().images[:0], labels=faces().labels[:0])


def test_float_pictures_are_refused():
    with pytest.raises(BadDataset, match=r"uint8, found .* float64"):
        dataclasses.replace(faces(), images=faces().images / 255)
