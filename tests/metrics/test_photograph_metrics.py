"""KID, precision, recall, LPIPS, editing accuracy, kept regions: against peers and cases worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from observations import Seen, features, pictures, score, seen, state_of
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import PARTS, THIRTEEN, Undefined
from faceedit_bench.metrics import keep, keep_excess, psp
from faceedit_bench.metrics.accuracy import Accuracy, PreservationError, error_share
from faceedit_bench.metrics.intervals import interval
from faceedit_bench.metrics.kernel import Kid, kernel_distance, subset_distances
from faceedit_bench.metrics.neighbours import (
    coverage,
    density,
    manifold_share,
    precision,
    recall,
    share_inside,
)
from faceedit_bench.metrics.perceptual import Lpips

FEW, WIDTH = 120, 16


def two_sets(shift: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """(120, 16) and (150, 16) features of two overlapping clouds."""
    return features(FEW, WIDTH).numpy() + np.float32(shift), features(150, WIDTH, seed=1).numpy()


# ---- KID ------------------------------------------------------------------------------------------


def test_kid_is_the_sum_over_all_pairs() -> None:
    x, y = (side.astype(np.float64) for side in two_sets())
    k = lambda u, v: (float(u @ v) / WIDTH + 1) ** 3  # noqa: E731
    within = sum(k(x[i], x[j]) for i in range(20) for j in range(20) if i != j) / (20 * 19)
    within += sum(k(y[i], y[j]) for i in range(25) for j in range(25) if i != j) / (25 * 24)
    wanted = within - 2 * sum(k(u, v) for u in x[:20] for v in y[:25]) / (20 * 25)
    assert kernel_distance(x[:20], y[:25]) == pytest.approx(wanted, rel=1e-12)  # metrics.md 11


def test_kid_of_subsets_is_torch_fidelitys() -> None:
    x, y = two_sets()
    settings = {"kid_subsets": 5, "kid_subset_size": 60, "rng_seed": 2020, "verbose": False}
    settings |= {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_coef0": 1.0}
    peer = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_kernel_poly_gamma=None, **settings
    )
    found = subset_distances(x, y, subsets=5, size=60)
    # metrics.md 11: 1e-6 absolute; theirs is float32 on kernel values up to 100
    assert found.mean() == pytest.approx(peer["kernel_inception_distance_mean"], abs=1e-5)
    assert found.std() == pytest.approx(peer["kernel_inception_distance_std"], abs=1e-5)
    doubled = kid_features_to_metric(
        torch.from_numpy(x).double(), torch.from_numpy(y).double(), kid_kernel_poly_gamma=None, **settings
    )
    assert found.mean() == pytest.approx(doubled["kernel_inception_distance_mean"], abs=1e-12)


def test_kid_of_too_few_pictures_is_undefined_and_says_why() -> None:
    faces = pictures(12, side=2)
    told = {("pool", image): features(12, 4, seed=i) for i, image in enumerate(("source", "edited"))}
    found = score(Kid("kid", "pool"), seen(faces, faces, told=told))
    assert found["kid"] == Undefined("wanted at least 50 pictures of each edit, found 12")
    assert isinstance(found["kid.subsets"], Undefined)


def test_kid_of_subsets_stands_beside_with_their_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceedit_bench.metrics.kernel.SUBSET", 60)
    x, y = (features(FEW, WIDTH, seed=seed) for seed in (0, 1))
    faces = pictures(FEW, side=2)
    edit = seen(faces, faces, told={("pool", "source"): y, ("pool", "edited"): x})
    values = subset_distances(x.numpy(), y.numpy(), size=60)
    monkeypatch.setattr("faceedit_bench.metrics.kernel.subset_distances", lambda edited, source: values)
    assert score(Kid("kid", "pool"), edit) == {
        "kid": kernel_distance(x.numpy(), y.numpy()),
        "kid.subsets": values.mean(),
        "kid.subsets_std": values.std(),
    }


def test_kid_grows_with_the_distance_and_may_be_negative() -> None:
    near, far = (kernel_distance(*two_sets(shift)) for shift in (0.1, 1.0))
    assert near < far
    assert kernel_distance(*two_sets(0.0)) < 0.1
    x, _ = two_sets()
    assert kernel_distance(x, x) < 0


# ---- precision and recall ---------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
def test_precision_and_recall_are_torch_fidelitys(shift: float) -> None:
    x, y = two_sets(shift)
    peer = prc_features_to_metric(
        torch.from_numpy(x).double(),
        torch.from_numpy(y).double(),
        prc_neighborhood=3,
        prc_batch_size=64,
        save_cpu_ram=False,
        verbose=False,
    )
    # metrics.md 11: exact counts; theirs comes back as float32
    assert round(precision(x, y) * len(x)) == round(peer["precision"] * len(x))
    assert round(recall(x, y) * len(y)) == round(peer["recall"] * len(y))


def test_a_point_on_the_rim_is_inside() -> None:
    """On a line at 0, 1, 2, 3, 10: with k = 3 the ball of 0 reaches 3 and that of 3 reaches 0."""
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    assert share_inside(np.array([[-3.0]]), line) == 1
    assert share_inside(np.array([[-3.01]]), line) == 0
    assert share_inside(np.array([[18.0]]), line) == 1  # the third neighbour of 10 is 1, at 9


def test_an_editor_that_changes_nothing_has_precision_and_recall_1_and_collapse_has_no_recall() -> None:
    faces, found = pictures(30, side=2), features(30, 4)
    same = seen(faces, faces, told={("pool", "source"): found, ("pool", "edited"): found})
    one = seen(faces, faces, told={("pool", "source"): found, ("pool", "edited"): found[:1].expand(30, -1)})
    for name, collapsed in (("precision", 1.0), ("recall", 1 / 30)):
        assert score(manifold_share(name, "pool"), same)[name] == 1
        assert score(manifold_share(name, "pool"), one)[name] == pytest.approx(collapsed)


def test_density_and_coverage_are_counted_as_the_paper_writes_them() -> None:
    """Equations 3 and 4 of Naeem et al. (2020), pair by pair."""
    x, y = two_sets(1.0)
    between = np.linalg.norm(x[:, None].astype(np.float64) - y[None], axis=2)  # (M, N)
    own = np.linalg.norm(y[:, None].astype(np.float64) - y[None], axis=2)
    reach = np.sort(own, axis=1)[:, 5]  # the first is the sample itself
    inside = between < reach
    assert 0 < inside.any(axis=0).mean() < 1
    assert density(x, y) == pytest.approx(inside.sum() / (5 * len(x)), rel=1e-12)
    assert coverage(x, y) == inside.any(axis=0).mean()


@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])
def test_few_pictures_are_undefined_or_have_a_spread_of_halves(name: str) -> None:
    for number in range(3, 16):
        faces = pictures(number, side=2)
        told = {("pool", image): features(number, 4, seed=i) for i, image in enumerate(("source", "edited"))}
        metric = manifold_share(name, "pool")
        state = state_of(metric, seen(faces, faces, told=told))
        value, between = metric.finish(state)[name], metric.spread(state, 0)[name]
        assert isinstance(value, Undefined) == (number < (4 if name in ("precision", "recall") else 12))
        assert (between is not None) == (number >= (10 if name in ("precision", "recall") else 12))


def test_outliers_raise_precision_and_hardly_density() -> None:
    """One source picture far away: its ball holds what lies between, and precision takes that for real."""
    generator = np.random.default_rng(0)
    source = np.concatenate([generator.normal(size=(60, 2)), [[40.0, 0.0]]])
    edited = generator.normal(size=(60, 2)) + np.array([15.0, 0.0])
    assert precision(edited, source) > 0.9
    assert density(edited, source) < 0.25


# ---- LPIPS and accuracy -----------------------------------------------------------------------------


def test_lpips_is_the_mean_of_what_the_judge_of_pairs_answers() -> None:
    faces = pictures(3, side=2)
    told = {("lpips-alex", "edited against source"): torch.tensor([[0.1], [0.2], [0.6]])}
    assert score(Lpips("lpips", "lpips-alex"), seen(faces, faces, told=told)) == {
        "lpips": pytest.approx(0.3, abs=1e-7)  # float32 answers
    }


def test_accuracy_and_stgans_error_by_hand() -> None:
    """Black hair is asked for, the rule clears blond. Two faces; the judge sees black on one of them."""
    names = ["Black_Hair", "Blond_Hair", "Male"]
    faces = pictures(2, side=2)
    judge = torch.tensor([[0.9, 0.1, 0.8], [0.1, 0.9, 0.9]])
    edit = seen(
        faces,
        faces,
        labels=[[0, 1, 1], [0, 1, 0]],
        target=[[1, 0, 1], [1, 0, 0]],
        flips=["Black_Hair"],
        attributes=names,
        told={("attributes", "edited"): judge},
    )
    assert score(Accuracy(), edit) == {"accuracy": 50}
    found = score(PreservationError(), edit)
    assert found["err_stgan"] == pytest.approx(100 * (1 / 2 + 1 / 2) / 2)  # blond lost; seen male
    assert found["err_stgan.target"] == pytest.approx(100 * (0 + 1) / 2)  # losing blond was asked for


def test_an_error_over_no_attribute_is_undefined() -> None:
    yes = np.ones((1, 2), bool)
    assert np.isnan(error_share(yes, yes, yes)[0])


# ---- kept regions -----------------------------------------------------------------------------------


def parse(rows: list[str]) -> np.ndarray:
    """(H, W) from one letter per pixel."""
    letters = {".": "background", "s": "skin", "h": "hair", "n": "nose", "e": "left eye", "g": "glasses"}
    letters |= {"m": "mouth", "c": "cloth", "b": "left brow"}
    return np.array([[PARTS.index(letters[letter]) for letter in row] for row in rows])


FACE = parse(["..hh..", ".hsshh", "hsbbsh", "sseess", "..nn..", ".smms.", "cccccc"])


def rows_of(mask: np.ndarray) -> list[str]:
    return ["".join("x" if pixel else "." for pixel in row) for row in mask]


def test_every_attribute_has_its_parts() -> None:
    assert set(keep.MAY_CHANGE) == set(THIRTEEN)
    assert all(name in PARTS for region in keep.MAY_CHANGE.values() for name in region.parts)


def test_eyebrows_are_only_brows_and_a_mouth_only_what_is_below_the_nose() -> None:
    assert rows_of(keep.relevant_pixels(FACE, keep.MAY_CHANGE["Bushy_Eyebrows"]))[2] == "..xx.."
    mouth = rows_of(keep.relevant_pixels(FACE, keep.MAY_CHANGE["Mouth_Slightly_Open"]))
    assert mouth == ["......", "......", "......", "......", "......", ".xxxx.", "......"]


def test_baldness_reaches_into_the_background_between_hair_and_skin() -> None:
    bald = rows_of(keep.relevant_pixels(FACE, keep.MAY_CHANGE["Bald"]))
    assert bald == ["..xx..", ".xxxxx", "xxxxxx", "xx..xx", ".x..x.", ".x..x.", "......"]


def test_a_hull_is_convex_and_holds_its_mask() -> None:
    generator = np.random.default_rng(0)
    mask = generator.random((20, 20)) < 0.05
    found = keep.hull(mask)
    assert (found & mask == mask).all() and rows_of(keep.hull(found)) == rows_of(found)
    points = np.argwhere(found)
    middle = (points[:, None] + points[None]) / 2  # the middle of two pixels, where it is a pixel
    whole = middle[(middle % 1 == 0).all(axis=2)].astype(int)
    assert found[whole[:, 0], whole[:, 1]].all()
    assert not keep.hull(np.zeros((4, 4), bool)).any()


def test_skin_may_change_in_the_box_of_the_glasses() -> None:
    face = parse(["ssssss", "sgssgs", "ssssss", "ssssss"])
    assert rows_of(keep.box(keep.part(face, "glasses"))) == ["......", ".xxxx.", "......", "......"]
    assert rows_of(keep.relevant_pixels(face, keep.MAY_CHANGE["Eyeglasses"])) == ["xxxxxx"] * 3 + ["......"]


def photograph(edit: str, change: int, where: slice, skin: bool = True) -> Seen:
    """One 32-pixel face: background above, skin below, hair in between; rows `where` are brightened."""
    source = torch.full((1, 3, 32, 32), 100, dtype=torch.uint8)
    edited = source.clone()
    edited[:, :, where] += change
    found = np.zeros((8, 8), dtype=int)
    found[4], found[5:] = PARTS.index("hair"), PARTS.index("skin" if skin else "cloth")
    told = {("parser", image): torch.tensor(found).float().flatten()[None] for image in ("source", "edited")}
    return seen(source, edited, labels=[[0]], flips=[edit], attributes=[edit], told=told)


def test_a_change_where_nothing_should_change_is_measured_and_elsewhere_it_is_not() -> None:
    """Hair colour may change rows 16–19, one pixel more on either side; 29 of 32 rows are kept."""
    outside = score(keep.Keep(), photograph("Black_Hair", 26, slice(0, 13)))
    assert outside["keep.area"] == pytest.approx(100 * 26 / 32)
    assert outside["keep"] == pytest.approx(26 * 13 / 26)
    assert outside["keep.psnr"] == pytest.approx(10 * np.log10(255**2 / (26**2 / 2)))
    assert outside["keep.ssim"] < 1
    assert (outside["keep.pooled"], outside["keep.locality"]) == (pytest.approx(26 * 13 / 26), 0)
    inside = score(keep.Keep(), photograph("Black_Hair", 26, slice(16, 20)))
    assert (inside["keep"], inside["keep.psnr"], inside["keep.ssim"]) == (0, 100, 1)
    assert (inside["keep.pooled"], inside["keep.locality"]) == (0, 100)


def test_pooling_weights_large_regions_and_a_picture_without_change_has_no_locality() -> None:
    """Kept: 26 of 32 rows in one picture; of the other the hair reaches down to row 24, 18 rows are kept."""
    one, other = photograph("Black_Hair", 26, slice(0, 13)), photograph("Black_Hair", 0, slice(0, 1))
    for image in ("source", "edited"):
        other.told["parser", image].view(8, 8)[4:6] = PARTS.index("hair")
    other.samples.add_(1)
    found = score(keep.Keep(), one, other)
    assert found["keep"] == pytest.approx((26 * 13 / 26 + 0) / 2)
    assert found["keep.pooled"] == pytest.approx(26 * 13 / (26 + 22))
    assert found["keep.psnr.pooled"] == pytest.approx(10 * np.log10(255**2 * (26 + 22) / (26**2 * 13)))
    alone = score(keep.Keep(), one)["keep.ssim"]
    assert found["keep.ssim.pooled"] == pytest.approx((26 * alone + 22 * 1) / (26 + 22))
    assert found["keep.locality"] == 0  # of the first alone


def test_of_several_pictures_that_change_locality_is_pooled_by_how_much_they_change() -> None:
    """Hair, kept away from, is in rows 16–19: one picture changes there 3 × as much as the other outside."""
    inside, outside = photograph("Black_Hair", 30, slice(16, 18)), photograph("Black_Hair", 10, slice(0, 2))
    outside.samples.add_(1)
    found = score(keep.Keep(), inside, outside)
    assert (found["keep.locality"], found["keep.locality.pooled"]) == (50, pytest.approx(75))


def test_the_pooled_change_has_bounds_of_faces_drawn_again_and_faces_left_out_do_not_count() -> None:
    metric, state = keep.Keep(), keep.Keep().empty()
    for i in range(40):
        face = photograph("Black_Hair", i % 4, slice(0, 13), skin=i != 3)
        face.samples.add_(i)
        metric.update(state, face)
    pooled = metric.finish(state)["keep.pooled"]
    assert pooled == pytest.approx((60 - 3) * 13 / 26 / 39)  # each of four changes ten times; face 3 is out
    bounds = interval(catalog().metric("keep"), metric, state)["keep.pooled"]
    assert bounds is not None and 0.4 < bounds[0] < pooled < bounds[1] < 1.1  # 0.73 ± 2 sd of 0.09


def test_lpips_is_averaged_over_what_the_edit_may_not_change() -> None:
    face = photograph("Black_Hair", 26, slice(0, 13))
    map_ = torch.zeros(32, 32)
    map_[:13], map_[16:20] = 0.5, 9.0  # what happens to the hair does not count
    face.told["lpips-map", "edited against source"] = map_.flatten()[None]  # type: ignore[index]
    assert score(keep.KeepLpips(), face)["keep_lpips"] == pytest.approx(0.5 * 13 / 26)
    nobody = photograph("Black_Hair", 26, slice(0, 13), skin=False)
    nobody.told["lpips-map", "edited against source"] = map_.flatten()[None]  # type: ignore[index]
    assert score(keep.KeepLpips(), nobody)["keep_lpips.n_skipped"] == 1
    nobody.samples.add_(1)
    assert score(keep.KeepLpips(), face, nobody)["keep_lpips.pooled"] == pytest.approx(0.5 * 13 / 26)


def reconstructed(face: Seen, change: int) -> Seen:
    """With a reconstruction that is brighter by so much everywhere."""
    return dataclasses.replace(face, reconstruction=face.source + change, shared={})


def test_of_a_change_where_nothing_should_change_the_excess_is_what_the_reconstruction_lacks() -> None:
    """Kept are 26 rows: the edit brightens 13 of them by 26, the reconstruction all of them by 5."""
    edit = photograph("Black_Hair", 26, slice(0, 13))
    excess, plain = score(keep_excess.KeepExcess(), reconstructed(edit, 5)), score(keep.Keep(), edit)
    assert excess["keep_excess"] == pytest.approx(13 - 5)
    assert excess["keep_excess.reconstruction"] == 5
    assert excess["keep_excess.psnr"] == pytest.approx(plain["keep.psnr"] - 20 * np.log10(255 / 5))
    again = score(keep.Keep(), dataclasses.replace(edit, edited=edit.source + 5, shared={}))
    assert excess["keep_excess.ssim"] == pytest.approx(plain["keep.ssim"] - again["keep.ssim"])
    same = dataclasses.replace(edit, reconstruction=edit.edited, shared={})
    found = score(keep_excess.KeepExcess(), same)
    assert (found["keep_excess"], found["keep_excess.psnr"], found["keep_excess.ssim"]) == (0, 0, 0)


def test_the_hair_of_the_reconstruction_does_not_count_under_the_mask_of_an_edit_of_hair() -> None:
    edit = photograph("Black_Hair", 0, slice(0, 1))
    again = edit.source.clone()
    again[:, :, 16:20] += 40
    found = score(keep_excess.KeepExcess(), dataclasses.replace(edit, reconstruction=again, shared={}))
    assert found["keep_excess.reconstruction"] == 0


def test_a_picture_that_keep_leaves_out_is_left_out_of_its_excess_too() -> None:
    found = score(
        keep_excess.KeepExcess(), reconstructed(photograph("Black_Hair", 26, slice(0, 13), skin=False), 5)
    )
    assert isinstance(found["keep_excess"], Undefined) and found["keep_excess.n_skipped"] == 1
    assert "keep_excess.ssim" not in found


def test_the_excess_of_lpips_is_that_of_the_edit_less_that_of_the_reconstruction() -> None:
    face, maps = photograph("Black_Hair", 26, slice(0, 13)), torch.zeros(2, 32, 32)
    maps[0, :13], maps[1], maps[:, 16:20] = 0.5, 0.125, 9.0  # what happens to the hair does not count
    for image, map_ in zip(("edited", "reconstruction"), maps, strict=True):
        face.told["lpips-map", f"{image} against source"] = map_.flatten()[None]  # type: ignore[index]
    found = score(keep_excess.KeepLpipsExcess(), face)
    assert found["keep_lpips_excess"] == pytest.approx(0.25 - 0.125)
    assert found["keep_lpips_excess.reconstruction"] == pytest.approx(0.125)


def test_what_metrics_share_is_made_once_for_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    resized, kept = psp.resized, keep._kept_regions
    monkeypatch.setattr(psp, "resized", lambda pictures: made.append("resized") or resized(pictures))
    monkeypatch.setattr(keep, "_kept_regions", lambda seen: made.append("kept") or kept(seen))
    for _ in range(2):  # two batches
        face = reconstructed(photograph("Black_Hair", 26, slice(0, 13)), 5)
        for name in ("l2_psp256", "psnr_psp256", "ssim_psp256", "keep", "keep_excess"):
            score(catalog().metric(name).load(), face)
    assert sorted(made) == ["kept"] * 2 + ["resized"] * 4  # the source and the edited picture


def test_a_face_that_the_parser_misses_is_skipped_and_counted() -> None:
    found = score(keep.Keep(), photograph("Black_Hair", 26, slice(0, 13), skin=False))
    assert isinstance(found["keep"], Undefined) and "no face in 1" in found["keep"].reason
    assert (found["keep.n_skipped"], found["keep.n_undefined"]) == (1, 0)


def test_an_edit_whose_parts_are_unknown_is_undefined() -> None:
    found = score(keep.Keep(), photograph("Smiling", 26, slice(0, 13)))
    assert isinstance(found["keep"], Undefined) and found["keep.n_undefined"] == 1
