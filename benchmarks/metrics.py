"""Speed of our metrics beside the libraries they agree with, measured side by side in one run.

    python benchmarks/metrics.py            half a minute
    python benchmarks/metrics.py --large    also the Fréchet distance at 2048 features, about two minutes more

Processor time of one thread, not wall time, so that a busy machine disturbs less;
ratios tell more than times.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the libraries start their threads
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy
import skimage
import torch
from scipy.linalg import sqrtm
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from faceedit_bench.metrics import frechet, pixels, ssim

PAIRS = 7  # repetitions; each times ours and theirs one after the other


def compare(label: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int = PAIRS) -> None:
    """Print medians in ms and the median of the pairwise ratios."""
    ours(), theirs()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs)]
    mine, other = (statistics.median(column) * 1e3 for column in zip(*times, strict=True))
    ratio = statistics.median(theirs / ours for ours, theirs in times)
    print(f"{label:38} {mine:10.2f} {other:12.2f} {ratio:9.1f}×")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def picture_pair(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two (1, 3, side, side) uint8 pictures that differ by noise."""
    generator = np.random.default_rng(side)
    first = generator.integers(0, 256, (1, 3, side, side))
    second = np.clip(first + generator.normal(0, 20, first.shape), 0, 255).round()
    return torch.from_numpy(first.astype(np.uint8)), torch.from_numpy(second.astype(np.uint8))


def compare_pixels(side: int) -> None:
    a, b = picture_pair(side)
    x, y = (picture[0].permute(1, 2, 0).contiguous().numpy() for picture in (a, b))

    def theirs() -> float:
        return structural_similarity(
            x,
            y,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )

    compare(f"SSIM {side}, float64 vs scikit-image", lambda: ssim.ssim(a, b), theirs)
    compare(f"SSIM {side}, float32 vs scikit-image", lambda: ssim.ssim(a, b, torch.float32), theirs)
    compare(
        f"PSNR {side} vs scikit-image",
        lambda: pixels.psnr(pixels.squared_error(a, b).numpy(), a[0].numel()),
        lambda: peak_signal_noise_ratio(x, y, data_range=255),
        pairs=5 * PAIRS,
    )


def sqrtm_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The usual way: a general matrix square root of the product of covariances."""
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(shift @ shift + np.trace(first + second - 2 * sqrtm(first @ second).real))


def compare_statistics(width: int, pairs: int) -> None:
    """From means and covariances alone, of more samples than features."""
    generator = np.random.default_rng(width)
    a = generator.normal(size=(2 * width, width))
    b = 0.8 * a + generator.normal(size=a.shape)
    told = a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False)
    compare(
        f"FD from statistics, d = {width} vs sqrtm",
        lambda: frechet.frechet_from_moments(*told),
        lambda: np.trace(told[1] + told[3] - 2 * sqrtm(told[1] @ told[3]).real),
        pairs=pairs,
    )


def compare_frechet(samples: int, width: int, pairs: int) -> None:
    generator = np.random.default_rng(width)
    a = generator.normal(size=(samples, width))
    b = a + 0.3 * generator.normal(size=(samples, width))
    compare(
        f"FD n = {samples}, d = {width} vs SciPy sqrtm",
        lambda: frechet.frechet_distance(a, b),
        lambda: sqrtm_distance(a, b),
        pairs=pairs,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also 2048 features")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{platform.machine()}, processor time, torch {torch.__version__}, "
        f"scikit-image {skimage.__version__}, SciPy {scipy.__version__}\n"
    )
    print(f"{'one RGB pair, or two sets of features':38} {'ours ms':>10} {'theirs ms':>12} {'faster':>10}")
    for side in (128, 256, 1024):
        compare_pixels(side)
    compare_frechet(200, 512, pairs=3)
    compare_frechet(2000, 512, pairs=3)
    compare_statistics(512, pairs=3)
    if arguments.large:
        compare_frechet(1500, 2048, pairs=1)
        compare_frechet(5000, 2048, pairs=1)
        compare_statistics(2048, pairs=1)


if __name__ == "__main__":
    main()
