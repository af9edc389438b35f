"""The packed data set of drawn people."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from faceedit_bench import folders
from faceedit_bench.data import drawn
from faceedit_bench.data.drawn_faces import FIRST_SEED, MOST, DrawnFaces, open_drawn
from faceedit_bench.errors import BadDataset, UnknownName
from faceedit_bench.suite import THIRTEEN, target_labels


@pytest.fixture
def faces() -> DrawnFaces:
    return open_drawn(None, "test", 32, 4)


def test_splits_are_disjoint_ranges_of_identities() -> None:
    ranges = sorted((first, first + MOST) for first in FIRST_SEED.values())
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))


def test_the_pack_holds_what_the_renderer_draws(faces: DrawnFaces) -> None:
    seeds = [FIRST_SEED["test"] + i for i in range(4)]
    fresh = drawn.draw(seeds, drawn.labels(seeds), 32)
    assert np.array_equal(faces.images, fresh.images.numpy())
    assert np.array_equal(faces.regions, fresh.regions.numpy())
    assert faces[2].id == str(seeds[2])
    assert np.array_equal(faces.landmarks, drawn.five_points(seeds, drawn.labels(seeds), 32).numpy())
    assert np.array_equal(faces[2].landmarks, faces.landmarks[2]) and faces.landmarks.dtype == np.float32


def test_truth_is_the_same_person_with_the_asked_labels(faces: DrawnFaces) -> None:
    labels = faces[1].labels.tolist()
    target, _ = target_labels(labels, ("Eyeglasses",), THIRTEEN, "drawn")
    fresh = drawn.draw([int(faces[1].id)], torch.tensor([target], dtype=torch.uint8), 32).images[0].numpy()
    assert np.array_equal(faces.truth(1, target), fresh)
    assert np.array_equal(faces.truth(1, labels), faces[1].image)


def test_truth_of_several_flips_is_drawn_when_asked(faces: DrawnFaces) -> None:
    target, _ = target_labels(faces[0].labels.tolist(), ("Male", "Eyeglasses"), THIRTEEN, "drawn")
    fresh = drawn.draw([int(faces[0].id)], torch.tensor([target], dtype=torch.uint8), 32).images[0].numpy()
    assert np.array_equal(faces.truth(0, target), fresh)


def test_the_digest_is_that_of_the_content_and_damage_is_seen(faces: DrawnFaces) -> None:
    assert faces.digest() == open_drawn(None, "test", 32, 4).digest()
    own = open_drawn(None, "test", 32, 3)
    path = own.folder / "images.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadDataset, match="delete this folder"):
        own.digest()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'test'"):
        open_drawn(None, "tset", 32, 4)
    with pytest.raises(BadDataset, match="embedded"):
        open_drawn(Path("x"), "test", 32, 4)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEEDIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(BadDataset, match=r"file/drawn-faces: no pack .*\(Not a directory\).* FACEEDIT_CACHE"):
        open_drawn(None, "test", 32, 2)


def test_a_cache_without_room_is_named_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=10))
    with pytest.raises(BadDataset, match="MiB of free disk"):
        open_drawn(None, "validation", 32, 5)
    assert not list((folders.cache() / "drawn-faces").glob("*validation*"))
