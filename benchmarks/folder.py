"""A folder of edited PNGs scored by the engine, and by the libraries one after the other; the same weights.

    python benchmarks/folder.py              64 faces of 128 px, an edit and the reconstruction of each

FID, IS, PSNR, SSIM, LPIPS and ID of what a method made: the pictures of one edit (FID, IS, ID) and of the
reconstruction (PSNR, SSIM, LPIPS, ID) beside their sources. Theirs: torch-fidelity on the folders, then
scikit-image and lpips on pairs, then facexlib's network on pairs, each reading the files that it needs, as
one chains them. Ours: `faceedit-bench score`, with its checks, intervals and stored run. Both load the same
files of random weights. Both results are printed. Two faces are scored before: a judge is asked eight fixed
pictures when its file is new, once for all runs, and libraries are imported.

Whatever a program does, each network must look at each picture once. That is timed too, in a bare loop over
our judges, loading included: the last line tells the ratio that would be reached by doing nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["FACEEDIT_QUIET"] = "1"

import lpips
import numpy as np
import torch
from PIL import Image
from random_judges import offer
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torch_fidelity import calculate_metrics

from faceedit_bench import evaluate
from faceedit_bench.catalog import catalog
from faceedit_bench.judges.official import as_slices
from faceedit_bench.judges.perceptual import SLICES
from faceedit_bench.judges.recognition import Recogniser, irse50
from faceedit_bench.observe import to_unit
from faceedit_bench.score import score
from faceedit_bench.suite import THIRTEEN
from faceedit_bench.weights import build_judge

SIDE = 128
EDIT, SAME, SOURCE = "Male", "reconstruction", "source"  # folders
JUDGES = {
    "pool": "inception-2015-tf1",  # torch-fidelity's way of resizing
    "classes": "inception-2015-classes",
    "lpips-alex": "lpips-alex",
    "identity": "arcface-irse50",
}
METRICS = ("fid", "is", "id", "psnr", "ssim", "lpips")
TOLERANCE = {  # relative for fid and is, of features in float32
    "fid": 1e-4,
    "is": 1e-4,
    "psnr": 1e-9,
    "ssim": 1e-10,
    "lpips": 1e-6,
    "id": 1e-5,
}
WANTED = 2.0  # what the project asks of itself
Numbers = dict[tuple[str, str], float]  # metric and folder


def write_folder(root: Path, count: int) -> None:
    """Drawn faces, what a perfect edit gives and a slightly noisy reconstruction."""
    faces = catalog().dataset("drawn-faces").open(None, "test", SIDE, count)
    noise = np.random.default_rng(0)
    for name in (SOURCE, EDIT, SAME):
        (root / name).mkdir()
    for index in range(count):
        face = faces[index]
        target = [int(label) for label in face.labels]
        target[THIRTEEN.index(EDIT)] ^= 1
        blurred = np.clip(face.image + noise.normal(0, 6, face.image.shape), 0, 255).round().astype(np.uint8)
        made = {SOURCE: face.image, EDIT: faces.truth(index, target), SAME: blurred}
        for name, picture in made.items():
            Image.fromarray(picture.transpose(1, 2, 0)).save(root / name / f"{index:04d}.png")


def read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.asarray(Image.open(path).convert("RGB"))


def batches(folder: Path, size: int) -> list[Tensor]:
    """(B, 3, H, W) in [-1, 1], in the order of the names."""
    files = sorted(folder.iterdir())
    parts = (files[start : start + size] for start in range(0, len(files), size))
    pictures = (np.stack([read(path) for path in part]) for part in parts)
    return [to_unit(torch.from_numpy(part).permute(0, 3, 1, 2)).contiguous() for part in pictures]


# ---- theirs ---------------------------------------------------------------------------------------


def distributions(root: Path, weights: Path, size: int) -> Numbers:
    """torch-fidelity."""
    with contextlib.redirect_stderr(None):
        found = calculate_metrics(
            input1=str(root / EDIT),
            input2=str(root / SOURCE),
            cuda=False,
            isc=True,
            fid=True,
            batch_size=size,
            save_cpu_ram=True,  # no worker processes: one core
            feature_extractor_weights_path=str(weights),
            verbose=False,
        )
    return {
        ("fid", EDIT): found["frechet_inception_distance"],
        ("is", EDIT): found["inception_score_mean"],
    }


def pairs_of_pictures(root: Path) -> Numbers:
    """scikit-image."""
    psnr, ssim = [], []
    for path in sorted((root / SOURCE).iterdir()):
        before, after = read(path), read(root / SAME / path.name)
        psnr.append(peak_signal_noise_ratio(before, after, data_range=255))
        ssim.append(
            structural_similarity(
                before,
                after,
                channel_axis=2,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=255,
            )
        )
    return {("psnr", SAME): float(np.mean(psnr)), ("ssim", SAME): float(np.mean(ssim))}


def likeness(root: Path, weights: Path, size: int) -> Numbers:
    """lpips."""
    with warnings.catch_warnings(action="ignore"):  # it asks torchvision in an old way
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    network.net.load_state_dict(as_slices(SLICES["alex"])(torch.load(weights, weights_only=True)))
    pairs = zip(batches(root / SOURCE, size), batches(root / SAME, size), strict=True)
    return {
        ("lpips", SAME): float(
            torch.cat([network(after, before).flatten() for before, after in pairs]).mean()
        )
    }


def identities(root: Path, weights: Path, size: int) -> Numbers:
    """facexlib's network on the window of pSp's identity loss; folder after folder."""
    network = irse50()
    network.load_state_dict(torch.load(weights, weights_only=True))
    embed = Recogniser(network.eval())

    def seen(folder: str) -> Tensor:
        wide = (torch.nn.functional.adaptive_avg_pool2d(part, 256) for part in batches(root / folder, size))
        return torch.cat([embed(faces) for faces in wide])

    found = {}
    for folder in (EDIT, SAME):
        before, after = seen(SOURCE), seen(folder)
        found["id", folder] = float(torch.nn.functional.cosine_similarity(before, after).mean())
    return found


# ---- ours -----------------------------------------------------------------------------------------


def ours(root: Path, results: Path, size: int, limit: int | None = None) -> Numbers:
    """`faceedit-bench score` of all faces, or of the first so many."""
    judges = "\n".join(f'{role} = "{judge}"' for role, judge in JUDGES.items())
    config = results / "suite.toml"
    config.write_text(
        'name = "pngs"\nversion = "1"\nsummary = ""\ndataset = "folder"\nsplit = "all"\n'
        f'resolution = {SIDE}\nattributes = ["{EDIT}"]\nmetrics = {list(METRICS)}\n'
        f'edits = [{{ name = "{EDIT}", set = {{ {EDIT} = 1 }} }}, {{ name = "{SAME}" }}]\n'
        f"batch_size = {size}\n[judges]\n{judges}\n"
    )
    pattern = f"{root}/{{edit}}/{{id}}"
    run = score(
        "made", pattern, suite=str(config), data=root / SOURCE, results=results, workers=1, limit=limit
    )
    return {(one.metric, one.edit): one.value for one in run.scores if one.value is not None}


@torch.inference_mode()
def bare(root: Path, size: int) -> None:
    """Each network over each picture that the numbers need, once."""
    seen = {name: batches(root / name, size) for name in (SOURCE, EDIT, SAME)}
    judges = {
        role: build_judge(catalog().judge(JUDGES[role]), "cpu") for role in ("pool", "identity", "lpips-alex")
    }
    for source, edited, same in zip(*seen.values(), strict=True):
        for pictures in (source, edited):
            judges["pool"](pictures)
        for pictures in (source, edited, same):
            judges["identity"](pictures)
        judges["lpips-alex"](same, source)


# ---- side by side ---------------------------------------------------------------------------------


def timed(work: Callable[[], Numbers]) -> tuple[float, Numbers]:
    """Processor time, and what came out."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=64, help="faces")
    parser.add_argument("--batch", type=int, default=16)
    chosen = parser.parse_args(words)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        root, results = Path(folder) / "pictures", Path(folder) / "results"
        root.mkdir(), results.mkdir()
        files = offer(Path(folder), JUDGES.values())
        write_folder(root, chosen.count)
        size = chosen.batch
        theirs = {
            "torch-fidelity": timed(lambda: distributions(root, files["inception-2015-tf1"], size)),
            "scikit-image": timed(lambda: pairs_of_pictures(root)),
            "lpips": timed(lambda: likeness(root, files["lpips-alex"], size)),
            "facexlib": timed(lambda: identities(root, files["arcface-irse50"], size)),
        }
        ours(root, results, size, limit=2)
        evaluate.workbench.cache_clear()  # judges are loaded anew
        mine = timed(lambda: ours(root, results, size))
        floor = timed(lambda: bare(root, size) or {})[0]
    report(chosen.count, theirs, mine, floor)


def report(
    count: int, theirs: dict[str, tuple[float, Numbers]], mine: tuple[float, Numbers], floor: float
) -> None:
    print(f"{count} faces of {SIDE} px, one thread of a CPU, processor time, torch {torch.__version__}\n")
    print(f"{'':16} {'theirs':>14} {'ours':>14}  {'difference':>10}")
    for library, (_, numbers) in theirs.items():
        for (metric, folder), value in numbers.items():
            found = mine[1][metric, folder]
            apart = abs(found - value) / (abs(value) if metric in ("fid", "is") else 1)
            verdict = "" if apart <= TOLERANCE[metric] else f"  more than {TOLERANCE[metric]:g}"
            print(f"{metric:5}{folder:>11} {value:14.8f} {found:14.8f}  {apart:10.1e}{verdict}  {library}")
    total = sum(seconds for seconds, _ in theirs.values())
    print(
        f"\n{'one after the other':24} {total:7.1f} s   "
        + ", ".join(f"{k} {v[0]:.1f}" for k, v in theirs.items())
    )
    print(
        f"{'faceedit-bench score':24} {mine[0]:7.1f} s   {total / mine[0]:.2f}× faster (wanted {WANTED:.0f}×)"
    )
    print(f"{'our judges alone':24} {floor:7.1f} s   {total / floor:.2f}× faster, if nothing else were done")


if __name__ == "__main__":
    main(sys.argv[1:])
