"""PSNR, SSIM, L2 and preservation against scikit-image and against loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from observations import pictures, score, seen
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchvision import transforms

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import Undefined
from faceedit_bench.errors import BadImage
from faceedit_bench.judges.view import look
from faceedit_bench.metrics.keep import widened
from faceedit_bench.metrics.keep_excess import PreservationExcess
from faceedit_bench.metrics.pixels import L2, PooledPsnr, Psnr, luma_columns, psnr, squared_error
from faceedit_bench.metrics.preservation import Preservation, kept_region
from faceedit_bench.metrics.psp import AtPspsSize, resized
from faceedit_bench.metrics.ssim import UNIFORM7, Ssim, ssim


def smooth(side: tuple[int, int]) -> Tensor:
    """(1, 3, H, W) uint8: a picture with gentle gradients, unlike noise."""
    down, along = torch.linspace(0, 3, side[0])[:, None], torch.linspace(0, 5, side[1])
    waves = torch.stack([torch.sin(down + along), torch.cos(down * along), torch.sin(down - 2 * along)])
    return ((waves + 1) * 127.5).round().to(torch.uint8)[None]


def damaged(picture: Tensor, how: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if how == "noise":
        noise = torch.randn(picture.shape, generator=generator) * 12
        return (picture + noise).clamp(0, 255).round().to(torch.uint8)
    if how == "shift":
        return picture.roll(1, dims=3)
    if how == "inverted":
        return 255 - picture
    if how == "border":
        changed = picture.clone()
        changed[..., :4] = 0
        return changed
    return torch.zeros_like(picture)  # black


def as_skimage(picture: Tensor) -> np.ndarray:
    return picture[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("how", ["noise", "shift", "inverted", "border", "black"])
@pytest.mark.parametrize("side", [(11, 11), (64, 64), (61, 83), (300, 260)])
def test_ssim_equals_scikit_image(how: str, side: tuple[int, int]) -> None:
    a = smooth(side)
    b = damaged(a, how)
    expected = structural_similarity(
        as_skimage(a),
        as_skimage(b),
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert ssim(a, b).item() == pytest.approx(expected, abs=1e-10)  # metrics.md section 11
    assert ssim(a, b, torch.float32).item() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("how", ["noise", "shift", "inverted", "border", "black"])
def test_ssim_with_the_square_window_equals_scikit_images_default(how: str) -> None:
    a = smooth((61, 83))
    b = damaged(a, how)
    expected = structural_similarity(as_skimage(a), as_skimage(b), channel_axis=2, data_range=255)
    assert ssim(a, b, window=UNIFORM7).item() == pytest.approx(expected, abs=1e-10)  # metrics.md section 11
    assert ssim(a, b, window=UNIFORM7).item() != pytest.approx(ssim(a, b).item(), abs=1e-4)


def test_ssim_of_a_batch_is_that_of_its_pictures() -> None:
    a, b = pictures(3, 20), pictures(3, 20, seed=1)
    assert ssim(a, b).tolist() == [ssim(a[i : i + 1], b[i : i + 1]).item() for i in range(3)]


def test_ssim_of_equal_pictures_is_one_to_the_bit() -> None:
    a = torch.cat([pictures(2, 40), torch.zeros(1, 3, 40, 40, dtype=torch.uint8)])
    assert ssim(a, a).tolist() == [1, 1, 1]
    assert ssim(a, a, torch.float32).tolist() == [1, 1, 1]


def test_ssim_of_pictures_below_the_window_is_refused() -> None:
    with pytest.raises(BadImage, match="found pictures of 10×12"):
        ssim(smooth((10, 12)), smooth((10, 12)))


@pytest.mark.parametrize("how", ["noise", "shift", "inverted", "border", "black"])
def test_psnr_equals_scikit_image(how: str) -> None:
    a = smooth((61, 83))
    b = damaged(a, how)
    expected = peak_signal_noise_ratio(as_skimage(a), as_skimage(b), data_range=255)
    assert psnr(squared_error(a, b).numpy(), a.numel()).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("how", ["noise", "shift", "inverted", "border", "black"])
def test_psnr_of_luma_equals_scikit_images_of_its_luma(how: str) -> None:
    a = smooth((61, 83))
    b = damaged(a, how)
    expected = peak_signal_noise_ratio(
        rgb2ycbcr(as_skimage(a))[..., 0], rgb2ycbcr(as_skimage(b))[..., 0], data_range=255
    )
    metric = Psnr("psnr_y", columns=luma_columns)
    assert score(metric, seen(a, b))["psnr_y"] == pytest.approx(expected, abs=1e-9)  # metrics.md section 11


def test_luma_of_a_grey_step_is_219_of_255_levels_and_a_change_of_colour_alone_is_still_seen() -> None:
    grey = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    metric = Psnr("psnr_y", columns=luma_columns)
    found = score(metric, seen(grey, grey + 10))["psnr_y"]
    assert found - score(Psnr(), seen(grey, grey + 10))["psnr"] == pytest.approx(20 * math.log10(255 / 219))
    blue = grey.clone()
    blue[:, 2] += 10
    assert score(metric, seen(grey, blue))["psnr_y"] == pytest.approx(
        20 * math.log10(255 / (24.966 * 10 / 255))
    )
    assert score(metric, seen(grey, grey)) == {"psnr_y": 100, "psnr_y.n_identical": 1}


def test_squared_error_is_exact_at_its_largest() -> None:
    black = torch.zeros(1, 3, 600, 600, dtype=torch.uint8)
    assert squared_error(black, 255 - black).item() == 3 * 600 * 600 * 255**2  # beyond 32 bits


def test_one_wrong_step_in_one_sample_is_not_hidden() -> None:
    a = pictures(1, 128)
    b = a.clone()
    b[0, 0, 0, 0] ^= 1
    expected = 10 * math.log10(255**2 * a.numel())  # 95.05 dB; programs that add 1e-8 say 79.87
    assert score(Psnr(), seen(a, b))["psnr"] == pytest.approx(expected, abs=1e-9)


def test_copying_scores_perfectly_and_is_counted_as_identical() -> None:
    faces = pictures(3)
    assert score(Psnr(), seen(faces, faces)) == {"psnr": 100, "psnr.n_identical": 3}
    assert score(Ssim(), seen(faces, faces)) == {"ssim": 1}
    assert score(L2(), seen(faces, faces)) == {"l2": 0}


def test_psnr_is_the_mean_of_pictures_and_not_of_the_pool() -> None:
    a = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    b = a.clone()
    b[0] += 1
    b[1] += 100
    each = [20 * math.log10(255), 20 * math.log10(2.55)]
    assert score(Psnr(), seen(a, b))["psnr"] == pytest.approx(sum(each) / 2)


def test_pooled_psnr_is_one_logarithm_of_all_squared_errors() -> None:
    a, b = pictures(4), pictures(4, seed=1)
    b[0] = a[0]
    expected = 10 * math.log10(255**2 / (a.double() - b.double()).square().mean().item())
    assert score(PooledPsnr(), seen(a, b)) == {"psnr_pooled": pytest.approx(expected, rel=1e-12)}
    assert score(PooledPsnr(), seen(a, a))["psnr_pooled"] == Undefined("every pair is identical")


def test_l2_is_of_pictures_between_minus_one_and_one() -> None:
    a, b = pictures(2), pictures(2, seed=1)
    expected = (a.double() / 127.5 - b.double() / 127.5).square().mean().item()
    assert score(L2(), seen(a, b))["l2"] == pytest.approx(expected, rel=1e-12)


def test_truth_metrics_compare_with_the_truth() -> None:
    source, edited, truth = pictures(2), pictures(2, seed=1), pictures(2, seed=2)
    against_truth = score(Psnr("truth_psnr", "truth"), seen(source, edited, truth=truth))
    as_source = score(Psnr(), seen(truth, edited))
    assert against_truth == {"truth_psnr": as_source["psnr"], "truth_psnr.n_identical": 0}
    assert score(Ssim("truth_ssim", "truth"), seen(source, truth, truth=truth)) == {"truth_ssim": 1}
    assert score(L2("truth_l2", "truth"), seen(source, truth, truth=truth)) == {"truth_l2": 0}


@pytest.mark.parametrize("metric", [Psnr(), L2(), Ssim()])
def test_a_worse_picture_scores_worse(metric: Psnr | L2 | Ssim) -> None:
    a = smooth((32, 32))
    slight, gross = a.clone(), damaged(a, "inverted")
    slight[..., 0] = 0
    better, worse = (score(metric, seen(a, b))[metric.name] for b in (slight, gross))
    assert better < worse if metric.name == "l2" else better > worse


@pytest.mark.parametrize("compare", [squared_error, ssim])
def test_float_pictures_are_refused_with_the_rule_that_converts(compare: object) -> None:
    picture = smooth((16, 16))
    with pytest.raises(BadImage, match=r"found float32; convert \[-1, 1\] with .*round"):
        compare(picture, picture.float())  # type: ignore[operator]


@pytest.mark.parametrize("compare", [squared_error, ssim])
def test_pictures_of_two_sizes_are_refused(compare: object) -> None:
    with pytest.raises(BadImage, match="of one size"):
        compare(smooth((16, 16)), smooth((16, 17)))  # type: ignore[operator]


# ---- as pSp's family scores -------------------------------------------------------------------------


def by_torchvision(picture: Tensor) -> Tensor:
    """(1, 3, 256, 256) in [-1, 1]: the transform of pSp's released evaluation."""
    steps = [transforms.Resize((256, 256)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    return transforms.Compose(steps)(Image.fromarray(as_skimage(picture)))[None]


@pytest.mark.parametrize("side", [(40, 40), (256, 256), (300, 410), (512, 512)])
def test_l2_at_psps_size_is_that_of_its_transform(side: tuple[int, int]) -> None:
    a = smooth(side)
    b = damaged(a, "noise")
    expected = torch.nn.functional.mse_loss(by_torchvision(a).double(), by_torchvision(b).double()).item()
    found = score(AtPspsSize(L2("l2_psp256")), seen(a, b))["l2_psp256"]
    assert found == pytest.approx(expected, rel=1e-5)  # their pictures are float32


def test_at_psps_size_other_scores_are_theirs_of_resized_pictures_and_fine_detail_counts_less() -> None:
    a = smooth((512, 512))
    b = damaged(a, "noise")
    small = seen(resized(a), resized(b))
    for metric in (Psnr, Ssim):
        found = score(AtPspsSize(metric("as")), seen(a, b))
        assert found == score(metric("as"), small)
        assert found["as"] > score(metric("as"), seen(a, b))["as"]


@pytest.mark.parametrize("side", [64, 256, 300, 512])
def test_lpips_at_psps_size_sees_its_transform_within_a_grey_level(side: int) -> None:
    judge = catalog().judge("lpips-alex-256")
    a = smooth((side, side))
    found = look(a.float() / 127.5 - 1, judge.view)
    assert (found - by_torchvision(a)).abs().max() <= 1.01 * 2 / 255
    assert judge.pin == catalog().judge("lpips-alex").pin
    assert catalog().metric("lpips_psp256").judges == (judge.role,)


# ---- preservation ---------------------------------------------------------------------------------


def square_edit(side: int = 64) -> tuple[Tensor, Tensor]:
    """A picture, and the same with another square in the middle."""
    source = pictures(1, side)
    truth = source.clone()
    truth[:, 1, 28:36, 28:36] ^= 255
    return source, truth


def test_the_kept_region_is_what_lies_beyond_the_dilated_change() -> None:
    source, truth = square_edit()
    expected = torch.ones(64, 64, dtype=torch.bool)
    expected[27:37, 27:37] = False  # 64/64 = 1 pixel around
    assert torch.equal(kept_region(source, truth)[0], expected)


@pytest.mark.parametrize(("side", "reach"), [((9, 13), 1), ((13, 9), 3), ((4, 5), 4), ((3, 6), 9)])
def test_masks_widen_by_a_square_also_at_borders_and_beyond_them(side: tuple[int, int], reach: int) -> None:
    mask = torch.rand(side, generator=torch.Generator().manual_seed(reach)) < 0.06
    mask[0, -1] = True
    expected = np.array(
        [
            [bool(mask[_around(y, reach), _around(x, reach)].any()) for x in range(side[1])]
            for y in range(side[0])
        ]
    )
    before = mask.clone()
    assert np.array_equal(widened(mask.numpy(), reach), expected)
    assert torch.equal(mask, before)


def _around(place: int, reach: int) -> slice:
    return slice(max(0, place - reach), place + reach + 1)


def test_preservation_equals_a_masked_mean() -> None:
    source, truth = square_edit()
    edited = pictures(1, 64, seed=5)
    mask = np.ones((64, 64), dtype=bool)
    mask[27:37, 27:37] = False
    difference = (edited[0].double() - source[0].double()).numpy()[:, mask]
    found = score(Preservation(), seen(source, edited, truth=truth))
    assert found["preservation"] == pytest.approx(np.abs(difference).mean(), rel=1e-12)
    assert found["preservation.psnr"] == pytest.approx(
        10 * np.log10(255**2 / (difference**2).mean()), rel=1e-12
    )
    assert found["preservation.area"] == pytest.approx(100 * mask.mean())
    assert found["preservation.n_undefined"] == 0


def test_changes_inside_the_region_do_not_count() -> None:
    source, truth = square_edit()
    edited = source.clone()
    edited[..., 27:37, 27:37] = 0
    found = score(Preservation(), seen(source, edited, truth=truth))
    assert (found["preservation"], found["preservation.psnr"]) == (0, 100)


def test_pictures_that_change_everywhere_are_left_out_and_counted() -> None:
    source, truth = square_edit()
    both = torch.cat([source, source])
    found = score(Preservation(), seen(both, both, truth=torch.cat([truth, 255 - source])))
    assert (found["preservation"], found["preservation.n_undefined"]) == (0, 1)
    alone = score(Preservation(), seen(source, source, truth=255 - source))
    assert alone == {"preservation.area": 0, "preservation.n_undefined": 1}


def test_the_excess_of_preservation_is_that_of_the_edit_less_that_of_the_reconstruction() -> None:
    source, edited, again, truth = (pictures(3, 32, seed=seed) for seed in (0, 1, 2, 3))
    truth[:, :, 12:] = source[:, :, 12:]
    again[:, :, 20:] = source[:, :, 20:]
    found = score(
        PreservationExcess(), seen(source, edited, flips=["Bald"], truth=truth, reconstruction=again)
    )
    one, other = (score(Preservation(), seen(source, side, truth=truth)) for side in (edited, again))
    assert found["preservation_excess"] == pytest.approx(one["preservation"] - other["preservation"])
    assert found["preservation_excess.psnr"] == pytest.approx(
        one["preservation.psnr"] - other["preservation.psnr"]
    )
    assert found["preservation_excess.reconstruction"] == pytest.approx(other["preservation"])
    alone = score(PreservationExcess(), seen(source, edited, truth=255 - source, reconstruction=again))
    assert isinstance(alone["preservation_excess"], Undefined)
    assert alone["preservation_excess.n_undefined"] == 3
