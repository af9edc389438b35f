"""Folders of edited PNGs scored by the engine, and by the libraries one after the other; the same weights.

    python benchmarks/folder.py                       24 faces of 128 px; one edit of each, then three
    python benchmarks/folder.py --edits 13            thirteen edits
    python benchmarks/folder.py --named-cache         also torch-fidelity told to keep the sources' statistics

FID, IS, PSNR, SSIM, LPIPS and ID of what a method made: the pictures of each edit (FID, IS, ID) and of the
reconstruction (PSNR, SSIM, LPIPS, ID) beside their sources. Theirs: torch-fidelity on each edit's folder,
then scikit-image and lpips on pairs, then facexlib's network on each folder, each reading the files that it
needs, as one chains them. Ours: one `faceedit-bench score`, with its checks, intervals and stored run. Both
load the same files of random weights. Both results are printed. Two faces are scored before by either: a
judge is asked eight fixed pictures when its file is new, once for all runs, and libraries get ready.

With several edits a part of what is saved is only that sources are shown to each network once, and not once
for each folder. Who chains the libraries can save most of it, too: torch-fidelity keeps an input's
statistics if it is given a name for them (`--named-cache`), and embeddings can be kept by hand.

Whatever a program does, each network must look at each picture once. That is timed too, in a bare loop over
our judges, loading included: the last line tells the ratio that would be reached by doing nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
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
SAME, SOURCE = "reconstruction", "source"  # folders, beside one for each edit
EDITS = ("Male", *(name for name in THIRTEEN if name != "Male"))  # the first so many are asked for
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
Timed = tuple[float, Numbers]  # seconds of the processor, and what came out


@dataclass(frozen=True)
class Folders:
    """Pictures of some faces: the sources, edits of them and a reconstruction."""

    root: Path
    count: int  # faces
    edits: tuple[str, ...]
    batch: int

    @property
    def names(self) -> tuple[str, ...]:
        return (SOURCE, *self.edits, SAME)


def write(folders: Folders) -> None:
    """Drawn faces, what perfect edits give and a slightly noisy reconstruction."""
    faces = catalog().dataset("drawn-faces").open(None, "test", SIDE, folders.count)
    noise = np.random.default_rng(0)
    for name in folders.names:
        (folders.root / name).mkdir(parents=True)
    for index in range(folders.count):
        face = faces[index]
        blurred = np.clip(face.image + noise.normal(0, 6, face.image.shape), 0, 255).round().astype(np.uint8)
        made = {SOURCE: face.image, SAME: blurred}
        for edit in folders.edits:
            target = [int(label) for label in face.labels]
            target[THIRTEEN.index(edit)] ^= 1
            made[edit] = faces.truth(index, target)
        for name, picture in made.items():
            Image.fromarray(picture.transpose(1, 2, 0)).save(folders.root / name / f"{index:04d}.png")


def read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.asarray(Image.open(path).convert("RGB"))


def batches(folders: Folders, name: str) -> list[Tensor]:
    """(B, 3, H, W) in [-1, 1] of one folder, in the order of the names."""
    files = sorted((folders.root / name).iterdir())
    parts = (files[start : start + folders.batch] for start in range(0, len(files), folders.batch))
    pictures = (np.stack([read(path) for path in part]) for part in parts)
    return [to_unit(torch.from_numpy(part).permute(0, 3, 1, 2)).contiguous() for part in pictures]


# ---- theirs ---------------------------------------------------------------------------------------


def distributions(folders: Folders, weights: Path, cache: Path | None = None) -> Numbers:
    """torch-fidelity, folder after folder; with `cache` it keeps what it found of the sources."""
    found = {}
    named = {} if cache is None else {"input2_cache_name": SOURCE, "cache_root": str(cache)}
    for edit in folders.edits:
        with contextlib.redirect_stderr(None):
            told = calculate_metrics(
                input1=str(folders.root / edit),
                input2=str(folders.root / SOURCE),
                cuda=False,
                isc=True,
                fid=True,
                batch_size=folders.batch,
                save_cpu_ram=True,  # no worker processes: one core
                feature_extractor_weights_path=str(weights),
                verbose=False,
                **named,
            )
        found["fid", edit] = told["frechet_inception_distance"]
        found["is", edit] = told["inception_score_mean"]
    return found


def pairs_of_pictures(folders: Folders) -> Numbers:
    """scikit-image."""
    psnr, ssim, root = [], [], folders.root
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


def likeness(folders: Folders, weights: Path) -> Numbers:
    """lpips."""
    with warnings.catch_warnings(action="ignore"):  # it asks torchvision in an old way
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    network.net.load_state_dict(as_slices(SLICES["alex"])(torch.load(weights, weights_only=True)))
    pairs = zip(*(batches(folders, name) for name in (SOURCE, SAME)), strict=True)
    found = torch.cat([network(after, before).flatten() for before, after in pairs])
    return {("lpips", SAME): float(found.mean())}


def identities(folders: Folders, weights: Path) -> Numbers:
    """facexlib's network on the window of pSp's identity loss; folder after folder."""
    network = irse50()
    network.load_state_dict(torch.load(weights, weights_only=True))
    embed = Recogniser(network.eval())

    def seen(folder: str) -> Tensor:
        wide = (torch.nn.functional.adaptive_avg_pool2d(part, 256) for part in batches(folders, folder))
        return torch.cat([embed(faces) for faces in wide])

    found = {}
    for folder in (*folders.edits, SAME):
        before, after = seen(SOURCE), seen(folder)
        found["id", folder] = float(torch.nn.functional.cosine_similarity(before, after).mean())
    return found


# ---- ours -----------------------------------------------------------------------------------------


def ours(folders: Folders, results: Path) -> Numbers:
    """`faceedit-bench score` of all of them."""
    judges = "\n".join(f'{role} = "{judge}"' for role, judge in JUDGES.items())
    edits = [f'{{ name = "{edit}", set = {{ {edit} = 1 }} }}' for edit in folders.edits]
    config = results / "suite.toml"
    config.write_text(
        'name = "pngs"\nversion = "1"\nsummary = ""\ndataset = "folder"\nsplit = "all"\n'
        f"resolution = {SIDE}\nattributes = {list(folders.edits)}\nmetrics = {list(METRICS)}\n"
        f'edits = [{", ".join(edits)}, {{ name = "{SAME}" }}]\n'
        f"batch_size = {folders.batch}\n[judges]\n{judges}\n"
    )
    evaluate.workbench.cache_clear()  # judges are loaded anew
    run = score(
        "made",
        f"{folders.root}/{{edit}}/{{id}}",
        suite=str(config),
        data=folders.root / SOURCE,
        results=Path(tempfile.mkdtemp(dir=results)),
        workers=1,
    )
    return {(one.metric, one.edit): one.value for one in run.scores if one.value is not None}


@torch.inference_mode()
def bare(folders: Folders) -> Numbers:
    """Each network over each picture that the numbers need, once."""
    seen = {name: batches(folders, name) for name in folders.names}
    judges = {
        role: build_judge(catalog().judge(JUDGES[role]), "cpu") for role in ("pool", "identity", "lpips-alex")
    }
    for source, *edited, same in zip(*seen.values(), strict=True):
        for pictures in (source, *edited):
            judges["pool"](pictures)
        for pictures in (source, *edited, same):
            judges["identity"](pictures)
        judges["lpips-alex"](same, source)
    return {}


# ---- side by side ---------------------------------------------------------------------------------


@dataclass
class Round:
    """One turn of everybody."""

    libraries: dict[str, Timed]
    cached: Timed | None  # torch-fidelity that keeps the sources' statistics
    engine: Timed
    floor: float

    @property
    def chained(self) -> float:
        return sum(seconds for seconds, _ in self.libraries.values())


def one_round(folders: Folders, files: dict[str, Path], scratch: Path, *, named_cache: bool) -> Round:
    inception = files["inception-2015-tf1"]
    libraries = {
        "torch-fidelity": timed(lambda: distributions(folders, inception)),
        "scikit-image": timed(lambda: pairs_of_pictures(folders)),
        "lpips": timed(lambda: likeness(folders, files["lpips-alex"])),
        "facexlib": timed(lambda: identities(folders, files["arcface-irse50"])),
    }
    cached = None
    if named_cache:
        cache = Path(tempfile.mkdtemp(dir=scratch))
        cached = timed(lambda: distributions(folders, inception, cache))
    engine = timed(lambda: ours(folders, scratch))
    return Round(libraries, cached, engine, timed(lambda: bare(folders))[0])


def timed(work: Callable[[], Numbers]) -> Timed:
    """Processor time, and what came out."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=24, help="faces")
    parser.add_argument(
        "--edits", type=int, nargs="+", default=[1, 3], metavar="N", help="edits of each, 1 to 13"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--named-cache", action="store_true", help="let torch-fidelity keep the sources")
    chosen = parser.parse_args(words)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    print(
        f"{chosen.count} faces of {SIDE} px, one thread of a CPU, processor time, torch {torch.__version__}"
    )
    with tempfile.TemporaryDirectory() as place:
        files = offer(Path(place), JUDGES.values())
        first = Folders(Path(place) / "first", 2, EDITS[:1], chosen.batch)
        write(first)
        one_round(first, files, Path(place), named_cache=False)
        for edits in chosen.edits:
            folders = Folders(Path(place) / str(edits), chosen.count, EDITS[:edits], chosen.batch)
            write(folders)
            report(
                folders,
                [
                    one_round(folders, files, Path(place), named_cache=chosen.named_cache)
                    for _ in range(chosen.rounds)
                ],
            )


# ---- telling --------------------------------------------------------------------------------------


def report(folders: Folders, rounds: list[Round]) -> None:
    edits = len(folders.edits)
    print(f"\n{edits} edit{'s' * (edits > 1)} and a reconstruction of each face")
    compare_numbers(rounds[-1])
    chained = median(rounds, lambda one: one.chained)
    parts = ", ".join(
        f"{name} {median(rounds, lambda one, name=name: one.libraries[name][0]):.1f}"
        for name in rounds[0].libraries
    )
    print(f"\n{'the libraries':24} {chained:7.1f} s   {parts}")
    engine = median(rounds, lambda one: one.engine[0])
    ratios = sorted(one.chained / one.engine[0] for one in rounds)
    between = f" ({ratios[0]:.2f}–{ratios[-1]:.2f})" if len(ratios) > 1 else ""
    print(
        f"{'faceedit-bench score':24} {engine:7.1f} s   {chained / engine:.2f}× faster{between}, "
        f"wanted {WANTED:.0f}×"
    )
    floor = median(rounds, lambda one: one.floor)
    print(
        f"{'our judges alone':24} {floor:7.1f} s   {chained / floor:.2f}× faster, if nothing else were done"
    )
    if rounds[0].cached is not None and edits > 1:
        spared = median(rounds, lambda one: one.libraries["torch-fidelity"][0] - one.cached[0])
        print(
            f"{'sources kept by name':24} {chained - spared:7.1f} s   the libraries, where torch-fidelity "
            f"keeps them; ours is {(chained - spared) / engine:.2f}× faster"
        )
    if edits > 1:
        print(
            f"The libraries show the sources to Inception {edits} times and to IR-SE50 {edits + 1} times, "
            "ours once."
        )


def median(rounds: list[Round], of: Callable[[Round], float]) -> float:
    return statistics.median(of(one) for one in rounds)


def compare_numbers(one: Round) -> None:
    """Both sides' values, those that differ most for each metric."""
    worst: dict[str, tuple[float, str]] = {}
    for library, (_, numbers) in one.libraries.items():
        for (metric, folder), theirs in numbers.items():
            mine = one.engine[1][metric, folder]
            apart = abs(theirs - mine) / (abs(theirs) if metric in ("fid", "is") else 1)
            verdict = "" if apart <= TOLERANCE[metric] else f"  more than {TOLERANCE[metric]:g}"
            line = f"{metric:6}{folder:>16} {theirs:14.8f} {mine:14.8f}  {apart:10.1e}  {library}{verdict}"
            worst[metric] = max(worst.get(metric, (-1.0, "")), (apart, line))
    print(f"{'':22} {'theirs':>14} {'ours':>14}  {'difference':>10}")
    for _, line in worst.values():
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
