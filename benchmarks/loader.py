"""Reading a pack beside torchvision's ImageFolder, and beside a bare memory copy, on one core in one run.

    python benchmarks/loader.py                     2,000 pictures of 178×218, read at 128 px
    python benchmarks/loader.py --check 19962       `data check` of the papers' whole test split

ImageFolder decodes with Pillow, crops and resizes as StarGAN's program does, and gives uint8 arrays; the pack
gives the same crops, memory-mapped; `--cache host` has them in memory after its first epoch, `none` decodes
in each. All read a whole epoch, in turns; times are the processor's. The memory copy moves batches of the
same bytes from one array to another.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image
from torchvision import transforms
from torchvision.datasets import ImageFolder

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import Samples
from faceedit_bench.data.attributes import FORTY
from faceedit_bench.data.packed import open_pack
from faceedit_bench.data.packing import pack
from faceedit_bench.data.photographs import reader
from faceedit_bench.data.reading import Reading, applied

FIRST = 182_638  # number of the first test picture
WANTED_RATIO, WANTED_BANDWIDTH = 15.0, 0.70  # what the project asks of itself


def write_tree(root: Path, count: int) -> None:
    """`count` test pictures of CelebA's size: a few smooth ones, repeated; decoding costs what faces cost."""
    folder = root / "img_align_celeba"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 256, (16, 28, 23, 3), dtype=np.uint8)
    kinds = [Image.fromarray(one).resize((178, 218), Image.Resampling.BICUBIC) for one in noise]
    files = [f"{FIRST + index:06d}.jpg" for index in range(count)]
    for index, file in enumerate(files):
        kinds[index % len(kinds)].save(folder / file, quality=95, comment=file)  # no two alike
    lines = [str(count), " ".join(FORTY), *(f"{file} " + " ".join(["-1"] * 40) for file in files)]
    (root / "list_attr_celeba.txt").write_text("\n".join(lines))


def image_folder(root: Path, size: int) -> ImageFolder:
    """torchvision's data set, cut and resized as StarGAN's program does it."""
    prepare = transforms.Compose(
        [
            transforms.CenterCrop(178),
            transforms.Resize(size, transforms.InterpolationMode.BILINEAR),
            transforms.Lambda(lambda picture: np.asarray(picture).transpose(2, 0, 1)),
        ]
    )
    return ImageFolder(str(root), transform=prepare)


def decoded(faces: ImageFolder, batch: int) -> Callable[[], int]:
    """An epoch of ImageFolder."""

    def epoch() -> int:
        total = 0
        for start in range(0, len(faces), batch):
            stop = min(start + batch, len(faces))
            total += np.stack([faces[index][0] for index in range(start, stop)]).nbytes
        return total

    return epoch


def one_by_one(faces: Samples, batch: int) -> Callable[[], int]:
    """An epoch as the engine reads it: samples, stacked."""

    def epoch() -> int:
        total = 0
        for start in range(0, len(faces), batch):
            stop = min(start + batch, len(faces))
            total += np.stack([faces[index].image for index in range(start, stop)]).nbytes
        return total

    return epoch


def contiguous(images: np.ndarray, batch: int) -> Callable[[], int]:
    """An epoch of batches copied into one buffer."""
    buffer = np.empty((batch, *images.shape[1:]), np.uint8)

    def epoch() -> int:
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            np.copyto(buffer[: len(part)], part)
        return images.nbytes

    return epoch


def seconds(epoch: Callable[[], int]) -> float:
    """Processor time of one epoch."""
    begun = time.process_time()
    assert epoch() > 0
    return time.process_time() - begun


def in_turns(epochs: dict[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, one after the other; a first round, which fills caches, is left out."""
    found: dict[str, list[float]] = {name: [] for name in epochs}
    for turn in range(rounds + 1):
        for name, epoch in epochs.items():
            taken = seconds(epoch)
            if turn:
                found[name].append(taken)
    return found


CHECK = """
import sys
from faceedit_bench.cli import cli
cli(["data", "check", "celeba", "--json", "--root", sys.argv[1]], standalone_mode=False)
status = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM:")), file=sys.stderr)
"""  # prints the most that the process held, in KiB


def check_whole(count: int) -> None:
    """Seconds and memory of `data check` over half of the pictures, then over all of them (Linux)."""
    for part in (count // 2, count):
        with tempfile.TemporaryDirectory() as folder:
            write_tree(Path(folder), part)
            begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [sys.executable, "-c", CHECK, folder], capture_output=True, text=True, check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            report = json.loads(done.stdout)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"{report['faces']} pictures: {time.monotonic() - begun:.1f} s by the clock, {used:.1f} s of "
                f"all cores; memory at most {int(done.stderr.split()[-1]) / 1024:.0f} MiB; "
                f"{'whole' if report['whole'] else 'not whole'}",
                flush=True,
            )


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="pictures")
    parser.add_argument("--size", type=int, default=128, help="pixels per side")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", type=int, metavar="N", help="time `data check` over N pictures instead")
    chosen = parser.parse_args(words)
    if chosen.check:
        return check_whole(chosen.check)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root / "celeba", chosen.count)
        begun = time.process_time()
        made = pack(
            reader("celeba"),
            "celeba",
            root / "celeba",
            split="test",
            resolution=chosen.size,
            folder=root / "pack",
            workers=1,
        )
        packing = time.process_time() - begun
        faces = open_pack(made.folder, "celeba", "test", chosen.size, 0)
        memory = np.array(faces.images)
        plain = image_folder(root / "celeba", chosen.size)
        assert np.array_equal(plain[0][0], memory[0]), "both must give the same pixels"
        files = catalog().dataset("celeba").open(root / "celeba", "test", chosen.size, 0)
        kept = applied(files, Reading("host"))
        epochs = {
            "ImageFolder": decoded(plain, chosen.batch),
            "pack, as the engine reads": one_by_one(faces, chosen.batch),
            "pack, batches": contiguous(faces.images, chosen.batch),
            "memory copy": contiguous(memory, chosen.batch),
            "--cache none": one_by_one(files, chosen.batch),
            "--cache host": one_by_one(kept, chosen.batch),
        }
        times = in_turns(epochs, chosen.rounds)
        report(times, memory.nbytes, chosen.count, packing)


def report(times: dict[str, list[float]], size: int, count: int, packing: float) -> None:
    """Print medians, and the two ratios that the project asks of itself."""
    print(f"{count} pictures, {size / 2**20:.0f} MiB as read; packed in {packing:.2f} s of one core\n")
    print(f"{'':28}{'pictures/s':>12}{'GB/s':>8}")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:28}{count / middle:12.0f}{size / middle / 1e9:8.2f}")
    slow, engine, batches, copy, *_ = (np.array(taken) for taken in times.values())
    ratio, share = float(np.median(slow / engine)), float(np.median(copy / batches))
    print(f"\npack, as the engine reads, against ImageFolder: {ratio:.0f}× (wanted {WANTED_RATIO:.0f}×)")
    print(f"pack in batches, share of memory copy: {share:.0%} (wanted {WANTED_BANDWIDTH:.0%})")


if __name__ == "__main__":
    main(sys.argv[1:])
