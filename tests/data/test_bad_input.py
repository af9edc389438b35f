"""What is amiss with a data set on disk: the file, its line or column, what was wanted, found, and to do."""

from __future__ import annotations

import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import Samples
from faceedit_bench.data.images import read_image
from faceedit_bench.data.photographs import Photographs
from faceedit_bench.data.supplied import COLOUR, Fault, looked_at
from faceedit_bench.errors import BadDataset, BadImage

Copy = Callable[[str], Path]
TO_DO = re.compile(
    r"get (it|both files|them|the (file|list|masks|whole set)) again|faceedit-bench data where|mend|"
    r"rename|save it|keep one|move|leave|listed once|give|unpack|one object a line|"
    r"be taken out|name the file|add one"
)
"""What a person can do; every message must say one of these."""


def open_(name: str, root: Path, split: str, size: int = 16) -> Samples:
    return catalog().dataset(name).open(root, split, size, 0)


def line(path: Path, number: int, change: Callable[[str], str]) -> None:
    """Change one line (from 1) of a list."""
    lines = path.read_text().splitlines()
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n")


def remove(path: Path) -> None:
    """A file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def first(root: Path) -> Path:
    """FFHQ's first picture."""
    return next(root.rglob("00000.png"))


def no_number(text: str) -> str:
    """A line of LFW's attributes whose first value is x."""
    return re.sub(r"\t[-\d]+\.\d+", "\tx", text, count=1)


HQ_LABELS, HQ_MAPPING = "CelebAMask-HQ-attribute-anno.txt", "CelebA-HQ-to-CelebA-mapping.txt"
CASES: dict[str, tuple[str, str, str, Callable[[Path], object], str]] = {
    # what is amiss: data set, tree, split, damage, what the message must say
    "celeba: no list of labels": (
        "celeba", "celeba", "test", lambda root: remove(root / "list_attr_celeba.txt"),
        r"no list_attr_celeba\.txt; wanted one of these below it",
    ),
    "celeba: no pictures": (
        "celeba", "celeba", "test",
        lambda root: remove(root / "img_align_celeba"), "no folder img_align_celeba; wanted one of",
    ),
    "celeba: a list that is empty": (
        "celeba", "celeba", "test", lambda root: (root / "list_attr_celeba.txt").write_text("\n"),
        r"list_attr_celeba\.txt: the file is empty",
    ),
    "celeba: a list that is no text": (
        "celeba", "celeba", "test", lambda root: (root / "list_attr_celeba.txt").write_bytes(b"\xff\xfe\x00"),
        r"list_attr_celeba\.txt: not a text file in UTF-8",
    ),
    "celeba: too few lines for the count": (
        "celeba", "celeba", "test", lambda root: line(root / "list_attr_celeba.txt", 1, lambda _: "202599"),
        r"list_attr_celeba\.txt, line 1: says 202599 faces, found 14 lines of labels",
    ),
    "celeba: a label that is neither": (
        "celeba", "celeba", "test",
        lambda root: line(root / "list_attr_celeba.txt", 4, lambda text: text.replace(" -1", "  2", 1)),
        r"list_attr_celeba\.txt, line 4 \(000002\.jpg\), column 5_o_Clock_Shadow: wanted 1 or -1, found '2'",
    ),
    "celeba: a picture that has no number": (
        "celeba", "celeba", "test",
        lambda root: line(root / "list_attr_celeba.txt", 3, lambda text: text.replace("000001", "ann", 1)),
        r"list_attr_celeba\.txt, line 3: wanted a numbered picture such as 000001\.jpg, found 'ann'",
    ),
    "celeba: one picture under two names": (
        "celeba", "celeba", "test",
        lambda root: line(root / "list_attr_celeba.txt", 4, lambda text: text.replace("2.jpg", "1.png")),
        r"list_attr_celeba\.txt, line 4: picture 1 is listed again; line 3 has it already",
    ),
    "celeba: an identity that is no number": (
        "celeba", "celeba", "test",
        lambda root: line(root / "identity_CelebA.txt", 2, lambda _: "000002.jpg x"),
        r"identity_CelebA\.txt, line 2: wanted a picture and the number of a person, found '000002\.jpg x'",
    ),
    "celeba: another partition": (
        "celeba", "celeba", "test",
        lambda root: line(root / "list_eval_partition.txt", 14, lambda text: text[:-1] + "0"),
        r"list_eval_partition\.txt: its test part \(2\) should be .*; 1 differ;.*\n  line 14 \(182643\.jpg\)",
    ),
    "celeba: a listed picture that is absent": (
        "celeba", "celeba", "test", lambda root: remove(root / "img_align_celeba" / "182640.jpg"),
        r"1 of 6 listed pictures are not there; get them again .*\n  182640\.jpg",
    ),
    "celebahq: no labels": (
        "celebahq", "hq", "test", lambda root: remove(root / HQ_LABELS), "no labels; wanted CelebAMask",
    ),
    "celebahq: a label that is neither": (
        "celebahq", "hq", "test",
        lambda root: line(root / HQ_LABELS, 3, lambda text: text.replace(" -1", " no", 1)),
        r"anno\.txt, line 3 \(0\.jpg\), column 5_o_Clock_Shadow: wanted 1 or -1, found 'no'",
    ),
    "celebahq: one face twice in the list": (
        "celebahq", "hq", "test", lambda root: line(root / HQ_LABELS, 4, lambda text: "0.jpg" + text[5:]),
        r"anno\.txt, line 4: 0\.jpg is listed again; line 3 has it already",
    ),
    "celebahq: one face under two names": (
        "celebahq", "hq", "test", lambda root: line(root / HQ_LABELS, 4, lambda text: "000.jpg" + text[5:]),
        r"anno\.txt, line 4: face 0 is listed again; line 3 has it already",
    ),
    "celebahq: a mapping of something else": (
        "celebahq", "hq", "test", lambda root: line(root / HQ_MAPPING, 1, lambda _: "a,b"),
        r"mapping\.txt, line 1: wanted idx orig_idx orig_file, found 'a,b'",
    ),
    "celebahq: a line of the mapping": (
        "celebahq", "hq", "test", lambda root: line(root / HQ_MAPPING, 3, lambda _: "1 2"),
        r"mapping\.txt, line 3: wanted a place, a number and a file of CelebA, found '1 2'",
    ),
    "celebahq: a picture among others that is none of it": (
        "celebahq", "hq", "test", lambda root: shutil.copy(
            root / "CelebA-HQ-img" / "0.jpg", root / "CelebA-HQ-img" / "cover.jpg"
        ),
        r"cover\.jpg: wanted a picture named by its number",
    ),
    "celebamask-hq: no masks": (
        "celebamask-hq", "hq", "train", lambda root: remove(root / "CelebAMask-HQ-mask-anno"),
        "no folder of part masks; wanted one of these",
    ),
    "lfw: no attributes": (
        "lfw", "lfw", "all", lambda root: remove(root / "lfw_attributes.txt"), r"no lfw_attributes\.txt",
    ),
    "lfw: a value that is no number": (
        "lfw", "lfw", "all",
        lambda root: line(root / "lfw_attributes.txt", 4, no_number),
        r"lfw_attributes\.txt, line 4, column Male: wanted a number, found 'x'",
    ),
    "lfw: a line that is too short": (
        "lfw", "lfw", "all", lambda root: line(root / "lfw_attributes.txt", 5, lambda text: text[:30]),
        r"lfw_attributes\.txt, line 5: wanted a person, a number and 73 values between tabs, found",
    ),
    "lfw: one picture twice": (
        "lfw", "lfw", "all",
        lambda root: shutil.copy(
            root / "lfw" / "Drawn_Person_Aaaa" / "Drawn_Person_Aaaa_0001.jpg",
            root / "lfw" / "Drawn_Person_Aaaa" / "Drawn_Person_Aaaa_0001.jpeg",
        ),
        r"Aaaa_0001\.jpeg and .*Aaaa_0001\.jpg are both Drawn_Person_Aaaa_0001; keep one",
    ),
    "lfw: a listed picture that is absent": (
        "lfw", "lfw", "all", lambda root: remove(next((root / "lfw").rglob("*_0001.jpg"))),
        r"1 of 10 listed pictures are not there",
    ),
    "ffhq: one face twice": (
        "ffhq", "ffhq", "train",
        lambda root: shutil.copy(first(root), first(root).parent / "0.png"),
        r"0\.png are both face 0; keep one",
    ),
    "ffhq: a picture without a number": (
        "ffhq", "ffhq", "train",
        lambda root: shutil.copy(first(root), first(root).parent / "a.png"),
        r"a\.png: wanted a numbered picture such as 00000/00000\.png; move it away",
    ),
    "ffhq: no pictures": (
        "ffhq", "ffhq", "train", lambda root: remove(root / "thumbnails128x128"), "no folder of pictures",
    ),
    "folder-csv: no table": (
        "folder-csv", "csv", "all", lambda root: remove(root / "labels.csv"), r"no \.csv file; wanted",
    ),
    "folder-csv: not UTF-8": (
        "folder-csv", "csv", "all", lambda root: (root / "labels.csv").write_bytes(b"id,Bald\n\xe9,1\n"),
        r"labels\.csv: not a CSV file in UTF-8",
    ),
    "folder-csv: a name that two pictures have": (
        "folder-csv", "csv", "all",
        lambda root: (
            shutil.copy(root / "face-0.png", root / "face-0.bmp"),
            (root / "labels.csv").write_text("id,Bald\nface-0,1\n"),
        ),
        r"labels\.csv, line 2: face-0 could be face-0\.bmp\n  face-0\.png; name the file with its suffix",
    ),
    "imagefolder: no table": (
        "imagefolder", "imagefolder", "test", lambda root: remove(root / "test" / "metadata.csv"),
        r"no metadata\.csv or metadata\.jsonl",
    ),
    "imagefolder: a listed picture that is absent": (
        "imagefolder", "imagefolder", "test", lambda root: remove(root / "test" / "0003.png"),
        r"1 of 2 listed pictures are not there(.|\n)*test/0003\.png",
    ),
    "imagefolder: tables with other columns": (
        "imagefolder", "imagefolder", "test",
        lambda root: (root / "test" / "metadata.csv").write_text("file_name,Bald\n0002.png,1\n"),
        r"has other columns than",
    ),
    "folder: no pictures": ("folder", "csv", "all", lambda root: [
        remove(path) for path in root.glob("*.png")
    ], "no pictures in it; wanted files ending in"),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_fault_of_a_data_set_is_named_with_its_place_and_what_to_do(what: str, copy_of: Copy) -> None:
    name, tree, split, damage, message = CASES[what]
    root = copy_of(tree)
    damage(root)
    with pytest.raises(BadDataset, match=message) as caught:
        open_(name, root, split)
    assert TO_DO.search(str(caught.value)), "nothing says what to do"
    assert str(root) in str(caught.value), "nothing says where"


@pytest.mark.parametrize(
    ("tree", "file"),
    [("hq", "CelebAMask-HQ-mask-anno/0/00000_skin.png"), ("hq", "CelebA-HQ-img/0.jpg")],
)
def test_a_picture_or_mask_that_was_cut_off_is_named(tree: str, file: str, copy_of: Copy) -> None:
    root = copy_of(tree)
    (root / file).write_bytes((root / file).read_bytes()[:60])
    faces = open_("celebamask-hq", root, "train")
    with pytest.raises(
        BadImage, match=rf"1 of 2 pictures cannot be read;(.|\n)*{Path(file).name}: "
    ) as caught:
        faces.digest()
    assert TO_DO.search(str(caught.value))


def test_a_face_without_its_skin_is_damaged_and_one_without_glasses_is_not(copy_of: Copy) -> None:
    root = copy_of("hq")
    masks = root / "CelebAMask-HQ-mask-anno" / "0"
    for path in masks.glob("*_eye_g.png"):
        path.unlink()
    faces = open_("celebamask-hq", root, "train")
    assert len(faces.digest()) == 64
    (masks / "00001_skin.png").unlink()
    told = r"1 of 2 pictures cannot be read; get them again(.|\n)*00001_skin\.png: no such file; get it again"
    with pytest.raises(BadImage, match=told):
        open_("celebamask-hq", root, "train").digest()
    with pytest.raises(BadImage, match=r"00001_skin\.png: no such file"):
        open_("celebamask-hq", root, "train")[1]


def test_a_mask_of_another_size_is_named(copy_of: Copy) -> None:
    root = copy_of("hq")
    Image.new("L", (64, 64)).save(root / "CelebAMask-HQ-mask-anno" / "0" / "00000_skin.png")
    faces = open_("celebamask-hq", root, "train")
    assert isinstance(faces, Photographs)
    assert faces.broken() == {"0": "00000_skin.png: 64×64 pixels; wanted 512×512; get it again"}


def test_of_absent_pictures_ten_are_named_and_all_counted(copy_of: Copy) -> None:
    root = copy_of("celeba")
    remove(root / "identity_CelebA.txt")
    remove(root / "list_eval_partition.txt")
    remove(root / "list_landmarks_align_celeba.txt")
    labels = (root / "list_attr_celeba.txt").read_text().splitlines()
    rows = [f"{182638 + number}.jpg {labels[2].split(None, 1)[1]}" for number in range(25)]
    (root / "list_attr_celeba.txt").write_text("\n".join(["25", labels[1], *rows]))
    with pytest.raises(BadDataset, match="19 of 25 listed pictures are not there; get them again") as caught:
        open_("celeba", root, "test")
    named = str(caught.value).splitlines()[1:]
    assert [name.strip() for name in named] == [*(f"{182644 + i}.jpg" for i in range(10)), "and 9 more"]


# ---- pixels ------------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels: bytes, width: int, height: int, depth: int, kind: int, more: bytes = b"") -> bytes:
    """A PNG file; `pixels` has a filter byte of 0 before each row."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_sixteen_bit_colour_keeps_its_high_byte(tmp_path: Path) -> None:
    row = struct.pack(">6H", 0x12FF, 0xFF00, 0x0001, 0x80FF, 0x7F00, 0xFFFF)
    (tmp_path / "deep.png").write_bytes(png(b"\0" + row, 2, 1, 16, 2))
    assert read_image(tmp_path / "deep.png")[:, 0].T.tolist() == [[0x12, 0xFF, 0x00], [0x80, 0x7F, 0xFF]]


def test_a_palette_with_half_transparent_colours_is_composited_on_white(tmp_path: Path) -> None:
    palette = chunk(b"PLTE", bytes([0, 100, 200, 50, 60, 70])) + chunk(b"tRNS", bytes([128, 255]))
    (tmp_path / "glass.png").write_bytes(png(b"\0\0\1", 2, 1, 8, 3, palette))
    half = [round(255 - (255 - value) * 128 / 255) for value in (0, 100, 200)]
    assert read_image(tmp_path / "glass.png")[:, 0].T.tolist() == [half, [50, 60, 70]]


def test_a_transparent_level_of_sixteen_bit_grey_is_white(tmp_path: Path) -> None:
    row = struct.pack(">3H", 100, 101, 65535)
    hole = chunk(b"tRNS", struct.pack(">H", 100))
    (tmp_path / "hole.png").write_bytes(png(b"\0" + row, 3, 1, 16, 0, hole))
    assert read_image(tmp_path / "hole.png")[:, 0].tolist() == [[255, 0, 255]] * 3


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_sixteen_bit_colour_with_transparency_is_composited_on_white(tmp_path: Path, mode: str) -> None:
    row = struct.pack(f">{len(mode)}H", *[0x1200] * (len(mode) - 1), 0x8000)
    (tmp_path / "deep.png").write_bytes(png(b"\0" + row, 1, 1, 16, {"LA": 4, "RGBA": 6}[mode]))
    wanted = round(255 - (255 - 0x12) * 0x80 / 255)
    assert read_image(tmp_path / "deep.png").reshape(-1).tolist() == [wanted] * 3


def test_edited_pictures_of_sixteen_bits_or_with_a_transparent_colour_are_refused(tmp_path: Path) -> None:
    """Pillow calls both RGB; as faces they would be converted, and scored as something else than given."""
    (tmp_path / "deep.png").write_bytes(png(b"\0" + struct.pack(">3H", 9, 9, 9), 1, 1, 16, 2))
    hole = chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))
    (tmp_path / "hole.png").write_bytes(png(b"\0\1\2\3", 1, 1, 8, 2, hole))
    (tmp_path / "plain.png").write_bytes(png(b"\0\1\2\3", 1, 1, 8, 2))
    found = {
        name: looked_at("Male", tmp_path / f"{name}.png", 1, False) for name in ("deep", "hole", "plain")
    }
    assert found["deep"] == Fault("Male", tmp_path / "deep.png", COLOUR, "RGB of 16 bits")
    assert found["hole"] == Fault("Male", tmp_path / "hole.png", COLOUR, "RGB with a transparent colour")
    assert isinstance(found["plain"], bytes)


def test_pictures_of_several_sizes_and_kinds_come_out_as_one(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).convert("L").resize((33, 90)).save(tmp_path / "b.jpg")
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "c.jpg")
    Image.fromarray(pixels).convert("P").save(tmp_path / "d.gif")
    Image.new("RGBA", (1, 1), (0, 90, 0, 255)).save(tmp_path / "e.png")
    faces = open_("folder", tmp_path, "all")
    assert {faces[position].image.shape for position in range(5)} == {(3, 16, 16)}
    assert faces[4].image.reshape(3, -1).T.tolist() == [[0, 90, 0]] * 256  # one pixel is a face, too
    square = Image.fromarray(pixels[:, 10:50]).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(faces[0].image, np.asarray(square).transpose(2, 0, 1))
