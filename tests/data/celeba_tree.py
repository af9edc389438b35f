"""Trees of drawn faces in the exact formats of the field's data sets, of any size.

    python tests/data/celeba_tree.py DIR --count 300
    python tests/data/celeba_tree.py DIR --count 20500 --test 19962      the papers' whole test split
    python tests/data/celeba_tree.py DIR --set celebamask-hq --count 30

Nobody's pictures are in them. Of the 40 labels the drawn faces know 13; the others are all "no". Pictures
that are there already are kept, so a command that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from faceedit_bench.data import drawn
from faceedit_bench.data.attributes import FORTY
from faceedit_bench.data.landmarks import ALIGNED, NAMES
from faceedit_bench.data.workers import over_spans
from faceedit_bench.progress import bar
from faceedit_bench.suite import THIRTEEN

FIRST_SEED = 5_000_000  # of people; in no split of drawn-faces
ALL, PEOPLE, TEST = 202_599, 10_177, 19_962  # CelebA's own numbers
FACE, WIDTH, HEIGHT = 178, 178, 218  # pixels: a drawn face fills the central square of an aligned picture
LFW_SIDE, LFW_TOP, LFW_LEFT = 250, 22, 36
SPAN = 16  # pictures a worker draws at a time
SETS = ("celeba", "celebahq", "celebamask-hq", "lfw", "ffhq", "folder-csv", "imagefolder")
LAYOUTS = ("flat", "torchvision", "official")

LFW_TITLES = (  # noqa: SIM905  (a list of 73 lines otherwise)
    "Male,Asian,White,Black,Baby,Child,Youth,Middle Aged,Senior,Black Hair,Blond Hair,Brown Hair,Bald,"
    "No Eyewear,Eyeglasses,Sunglasses,Mustache,Smiling,Frowning,Chubby,Blurry,Harsh Lighting,Flash,"
    "Soft Lighting,Outdoor,Curly Hair,Wavy Hair,Straight Hair,Receding Hairline,Bangs,Sideburns,"
    "Fully Visible Forehead,Partially Visible Forehead,Obstructed Forehead,Bushy Eyebrows,Arched Eyebrows,"
    "Narrow Eyes,Eyes Open,Big Nose,Pointy Nose,Big Lips,Mouth Closed,Mouth Slightly Open,Mouth Wide Open,"
    "Teeth Not Visible,No Beard,Goatee,Round Jaw,Double Chin,Wearing Hat,Oval Face,Square Face,Round Face,"
    "Color Photo,Posed Photo,Attractive Man,Attractive Woman,Indian,Gray Hair,Bags Under Eyes,Heavy Makeup,"
    "Rosy Cheeks,Shiny Skin,Pale Skin,5 o' Clock Shadow,Strong Nose-Mouth Lines,Wearing Lipstick,"
    "Flushed Face,High Cheekbones,Brown Eyes,Wearing Earrings,Wearing Necktie,Wearing Necklace"
).split(",")  # 73


@dataclass(frozen=True)
class Picture:
    """One picture to draw: who, with which labels, in which surroundings, and how it is saved."""

    path: Path
    seed: int
    scene: int
    labels: tuple[int, ...]  # of THIRTEEN
    drawn: int  # pixels the face is drawn at; smaller than what is saved is quicker, and soft
    shape: tuple[
        int, int, int, int, int
    ]  # side of the face, its row and column, width and height of the whole
    masks: Path | None = None  # folder of CelebAMask-HQ's masks
    place: int = 0  # its number there


# ---- the sets ---------------------------------------------------------------------------------------


def celeba(
    root: Path, count: int = 30, *, test: int | None = None, layout: str = "flat", drawn_at: int = FACE
) -> Path:
    """CelebA with `count` pictures, `test` of them (by default CelebA's share) in the test split."""
    numbers = celeba_numbers(count, test)
    people = persons(count)
    folder, lists, parts = _celeba_places(root, layout)
    pictures = _pictures(people, [folder / f"{number:06d}.jpg" for number in numbers], drawn_at, _aligned())
    draw_all(pictures, f"CelebA of {count}")
    files = [f"{number:06d}.jpg" for number in numbers]
    write_labels(lists / "list_attr_celeba.txt", files, [forty(one.labels) for one in pictures])
    write_landmarks(lists / ALIGNED, files, five_points(pictures))
    _write(lists / "identity_CelebA.txt", [f"{f} {p + 1}" for f, p in zip(files, people, strict=True)])
    _write(
        parts / "list_eval_partition.txt", [f"{f} {official(n)}" for f, n in zip(files, numbers, strict=True)]
    )
    return root


def celebahq(
    root: Path, count: int = 12, *, masks: bool = False, side: int = 1024, drawn_at: int = 256
) -> Path:
    """CelebA-HQ as CelebAMask-HQ packs it: a third of the faces in each of its splits."""
    third = count // 3
    places = [*range(count - 2 * third), *range(28_000, 28_000 + third), *range(28_500, 28_500 + third)]
    folder = root / "CelebA-HQ-img"
    pictures = _pictures(
        persons(count),
        [folder / f"{place}.jpg" for place in places],
        drawn_at,
        (side, 0, 0, side, side),
        root / "CelebAMask-HQ-mask-anno" if masks else None,
        places,
    )
    draw_all(pictures, f"CelebA-HQ of {count}")
    labels = [forty(one.labels) for one in pictures]
    write_labels(
        root / "CelebAMask-HQ-attribute-anno.txt", [f"{place}.jpg" for place in places], labels, gap="  "
    )
    lines = [f"{place:<10d}{number:<10d}{number + 1:06d}.jpg" for number, place in enumerate(places)]
    _write(root / "CelebA-HQ-to-CelebA-mapping.txt", ["idx       orig_idx  orig_file", *lines])
    return root


def lfw(root: Path, count: int = 12, *, drawn_at: int = FACE) -> Path:
    """LFW with its attributes, and two folds of pairs where there are enough people."""
    people = persons(count, few=0.5)
    names = [f"Drawn_Person_{_letters(person)}" for person in people]
    numbers = [people[: index + 1].count(person) for index, person in enumerate(people)]
    ids = [f"{name}_{number:04d}" for name, number in zip(names, numbers, strict=True)]
    paths = [root / "lfw" / name / f"{one}.jpg" for name, one in zip(names, ids, strict=True)]
    shape = (FACE, LFW_TOP, LFW_LEFT, LFW_SIDE, LFW_SIDE)
    pictures = _pictures(people, paths, drawn_at, shape)
    draw_all(pictures, f"LFW of {count}")
    header = "\t".join(["#", "person", "imagenum", *LFW_TITLES])
    lines = ["# lfw_attributes.txt: drawn", header]
    for name, number, picture in zip(names, numbers, pictures, strict=True):
        known = dict(zip(THIRTEEN, picture.labels, strict=True))
        values = [1.25 if known.get(title.replace(" ", "_")) else -0.75 for title in LFW_TITLES]
        lines.append("\t".join([name.replace("_", " "), str(number), *map(str, values)]))
    _write(root / "lfw_attributes.txt", lines)
    _write_pairs(root / "pairs.txt", names, numbers)
    return root


def ffhq(root: Path, count: int = 6, *, side: int = 128, drawn_at: int = 128) -> Path:
    """FFHQ: the first half of the faces of the training split, the others of the validation split."""
    half = count // 2
    numbers = [*range(count - half), *range(60_000, 60_000 + half)]
    folder = root / ("thumbnails128x128" if side == 128 else "images1024x1024")
    paths = [folder / f"{number // 1000 * 1000:05d}" / f"{number:05d}.png" for number in numbers]
    draw_all(_pictures(persons(count), paths, drawn_at, (side, 0, 0, side, side)), f"FFHQ of {count}")
    return root


def folder_csv(root: Path, count: int = 6, *, side: int = 96, drawn_at: int = 64) -> Path:
    """A folder of pictures with a table of the thirteen labels."""
    paths = [root / f"face-{index}.png" for index in range(count)]
    pictures = _pictures(persons(count), paths, drawn_at, (side, 0, 0, side, side))
    draw_all(pictures, f"folder of {count}")
    _write_csv(root / "labels.csv", "id", pictures)
    return root


def imagefolder(root: Path, count: int = 6, *, side: int = 96, drawn_at: int = 64) -> Path:
    """Hugging Face's imagefolder: half of the pictures for training, half for tests."""
    half = count // 2
    parts = ["train"] * (count - half) + ["test"] * half
    paths = [root / part / f"{index:04d}.png" for index, part in enumerate(parts)]
    pictures = _pictures(persons(count), paths, drawn_at, (side, 0, 0, side, side))
    draw_all(pictures, f"imagefolder of {count}")
    for part in ("train", "test"):
        here = [one for one in pictures if one.path.parent.name == part]
        _write_csv(root / part / "metadata.csv", "file_name", here)
    return root


# ---- numbers and labels -----------------------------------------------------------------------------


def celeba_numbers(count: int, test: int | None = None) -> list[int]:
    """File numbers: of the training split from 1 on, of validation from 182,001, of test from 182,638."""
    tests = max(1, round(count * TEST / ALL)) if test is None else test
    validation = min(637, max(1, round(count * 637 / ALL))) if count > tests else 0
    train = count - tests - validation
    if not 0 <= tests <= TEST or not 0 <= train <= 182_000:
        raise SystemExit(
            f"CelebA has room for {TEST} test and 182,000 training faces; found {tests} and {train}"
        )
    return [*range(1, train + 1), *range(182_001, 182_001 + validation), *range(182_638, 182_638 + tests)]


def official(number: int) -> int:
    """Part of list_eval_partition.txt: training, validation, test."""
    return 0 if number <= 162_770 else 1 if number <= 182_637 else 2


def persons(count: int, few: float = PEOPLE / ALL) -> list[int]:
    """Who each picture shows: a fifth of the people have one picture each, the others share the rest."""
    people = max(min(count, 5), round(count * few))
    often = max(1, round(0.8 * people))
    return [*range(people), *(index % often for index in range(count - people))]


def forty(labels: Sequence[int]) -> list[int]:
    """CelebA's 40 values in {-1, 1} of a drawn face."""
    known = dict(zip(THIRTEEN, labels, strict=True))
    return [1 if known.get(name) else -1 for name in FORTY]


def _pictures(
    people: Sequence[int],
    paths: Sequence[Path],
    drawn_at: int,
    shape: tuple[int, int, int, int, int],
    masks: Path | None = None,
    places: Sequence[int] = (),
) -> list[Picture]:
    """Pictures of a person differ in surroundings, glasses and mouth."""
    seeds = [FIRST_SEED + person for person in people]
    rows = drawn.labels(seeds).tolist()
    seen: dict[int, int] = {}
    pictures = []
    for index, (seed, path, row) in enumerate(zip(seeds, paths, rows, strict=True)):
        turn = seen[seed] = seen.get(seed, -1) + 1
        for name, flips in (("Eyeglasses", turn % 2), ("Mouth_Slightly_Open", turn // 2 % 2)):
            row[THIRTEEN.index(name)] ^= flips
        place = places[index] if places else 0
        pictures.append(Picture(path, seed, FIRST_SEED + index, tuple(row), drawn_at, shape, masks, place))
    return pictures


def five_points(pictures: Sequence[Picture]) -> np.ndarray:
    """(N, 5, 2) x and y of eyes, nose and corners of the mouth in aligned pictures, to the nearest pixel."""
    people, places = [one.seed for one in pictures], [one.scene for one in pictures]
    labels = torch.tensor([one.labels for one in pictures], dtype=torch.uint8)
    _, top, left, _, _ = _aligned()
    points = drawn.five_points(people, labels, FACE, scenes=places).numpy()
    return np.rint(points).astype(int) + np.array([left, top])


def _aligned() -> tuple[int, int, int, int, int]:
    return FACE, (HEIGHT - FACE) // 2, 0, WIDTH, HEIGHT


def _celeba_places(root: Path, layout: str) -> tuple[Path, Path, Path]:
    """Folders of the pictures, of labels and identities, and of the partition."""
    places = {
        "flat": (root / "img_align_celeba", root, root),
        "torchvision": (root / "celeba" / "img_align_celeba", root / "celeba", root / "celeba"),
        "official": (root / "Img" / "img_align_celeba", root / "Anno", root / "Eval"),
    }
    return places[layout]


# ---- drawing ----------------------------------------------------------------------------------------


def draw_all(pictures: Sequence[Picture], title: str) -> None:
    """Draw what is not there yet, with all cores."""
    todo = [one for one in pictures if not one.path.exists()]
    for folder in {one.path.parent for one in todo}:
        folder.mkdir(parents=True, exist_ok=True)
    with bar(title, len(todo)) as advance:
        for count in over_spans(draw_span, todo, len(todo), SPAN):
            advance(count)


def draw_span(pictures: Sequence[Picture], start: int, stop: int) -> int:
    """Draw and save a few."""
    torch.set_num_threads(1)
    for picture in pictures[start:stop]:
        labels = torch.tensor([picture.labels], dtype=torch.uint8)
        drawing = drawn.draw([picture.seed], labels, picture.drawn, scenes=[picture.scene])
        face = Image.fromarray(drawing.images[0].numpy().transpose(1, 2, 0))
        if picture.masks is not None:
            save_masks(picture.masks, picture.place, drawing.regions[0].numpy())
        side, top, left, width, height = picture.shape
        pixels = np.asarray(face.resize((side, side), Image.Resampling.BICUBIC))
        around = ((top, height - side - top), (left, width - side - left), (0, 0))
        temporary = picture.path.with_suffix(f".part{os.getpid()}{picture.path.suffix}")
        Image.fromarray(np.pad(pixels, around, mode="edge")).save(temporary, quality=95)
        temporary.replace(picture.path)
    return stop - start


def save_masks(folder: Path, place: int, regions: np.ndarray) -> None:
    """CelebAMask-HQ's masks of a drawn face: a file for each part that shows."""
    beside = folder / str(place // 2000)
    beside.mkdir(parents=True, exist_ok=True)
    big = np.asarray(Image.fromarray(regions).resize((512, 512), Image.Resampling.NEAREST))
    left = np.arange(512)[None, :] >= 256  # the person's left is the picture's right
    one = {"skin": 0, "eye_g": 3, "ear_r": 5, "nose": 6, "mouth": 7, "neck": 9, "hair": 10}
    pairs = {"brow": 1, "eye": 2, "ear": 4}
    parts = {part: big == number for part, number in one.items()}
    parts |= {f"l_{part}": (big == number) & left for part, number in pairs.items()}
    parts |= {f"r_{part}": (big == number) & ~left for part, number in pairs.items()}
    rows = np.flatnonzero((big == 8).any(1))
    middle = np.arange(512)[:, None] < (rows.mean() if len(rows) else 0)
    parts |= {"u_lip": (big == 8) & middle, "l_lip": (big == 8) & ~middle}
    for part, mask in parts.items():
        if mask.any():
            Image.fromarray(mask.astype(np.uint8) * 255).save(beside / f"{place:05d}_{part}.png")


# ---- lists ------------------------------------------------------------------------------------------


def write_labels(
    path: Path,
    files: Sequence[str],
    rows: Sequence[Sequence[int]],
    names: Sequence[str] = FORTY,
    gap: str = " ",
) -> None:
    """`list_attr_celeba.txt`: count, names, a line for each face with columns two wide."""
    lines = [
        f"{f}{gap}{' '.join(f'{value:2d}' for value in row)}" for f, row in zip(files, rows, strict=True)
    ]
    _write(path, [str(len(files)), " ".join(names) + " ", *lines])


def write_landmarks(path: Path, files: Sequence[str], faces: np.ndarray) -> None:
    """`list_landmarks_align_celeba.txt`: count, names, a line for each face (N, 5, 2) of five points."""
    rows = [
        f"{f} {' '.join(f'{v:4d}' for v in face.ravel().tolist())}"
        for f, face in zip(files, faces, strict=True)
    ]
    _write(path, [str(len(files)), " ".join(NAMES) + " ", *rows])


def _write(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_csv(path: Path, column: str, pictures: Sequence[Picture]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column, *THIRTEEN])
        writer.writerows([one.path.name, *one.labels] for one in pictures)


def _write_pairs(path: Path, names: Sequence[str], numbers: Sequence[int]) -> None:
    """One fold: pairs of one person, then as many of two."""
    twice = sorted({name for name, number in zip(names, numbers, strict=True) if number >= 2})
    others = sorted(set(names))
    size = min(len(twice), len(others) - 1)
    same = [f"{name}\t1\t2" for name in twice[:size]]
    different = [f"{others[i]}\t1\t{others[i + 1]}\t1" for i in range(size)]
    _write(path, [f"1\t{size}", *same, *different])


def _letters(number: int) -> str:
    return "".join(_digits(number)).title()


def _digits(number: int) -> Iterator[str]:
    for digit in f"{number:04d}":
        yield "abcdefghij"[int(digit)]


# ---- command line -----------------------------------------------------------------------------------


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, metavar="DIR", help="folder to write")
    parser.add_argument("--count", type=int, default=300, help="pictures")
    parser.add_argument("--set", dest="name", choices=SETS, default="celeba")
    parser.add_argument("--test", type=int, help="of them in CelebA's test split (default: its share)")
    parser.add_argument("--layout", choices=LAYOUTS, default="flat", help="of CelebA")
    parser.add_argument("--drawn-at", type=int, help="pixels a face is drawn at; fewer are quicker, and soft")
    chosen = parser.parse_args(words)
    extra = {} if chosen.drawn_at is None else {"drawn_at": chosen.drawn_at}
    makers: dict[str, Callable[[], Path]] = {
        "celeba": lambda: celeba(chosen.root, chosen.count, test=chosen.test, layout=chosen.layout, **extra),
        "celebahq": lambda: celebahq(chosen.root, chosen.count, **extra),
        "celebamask-hq": lambda: celebahq(chosen.root, chosen.count, masks=True, **extra),
        "lfw": lambda: lfw(chosen.root, chosen.count, **extra),
        "ffhq": lambda: ffhq(chosen.root, chosen.count, **extra),
        "folder-csv": lambda: folder_csv(chosen.root, chosen.count, **extra),
        "imagefolder": lambda: imagefolder(chosen.root, chosen.count, **extra),
    }
    print(makers[chosen.name]())


if __name__ == "__main__":
    import celeba_tree  # under its own name, by which worker processes find it

    celeba_tree.main(sys.argv[1:])
