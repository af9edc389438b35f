"""CelebA: three layouts, splits by number and by person, two crops, and every fault of its lists by name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import celeba_tree
import numpy as np
import pytest
import torch
from PIL import Image

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import Samples
from faceedit_bench.data import drawn
from faceedit_bench.data.attributes import FORTY
from faceedit_bench.data.celeba import SAGAN_TOTALS, by_person, matches_sagan
from faceedit_bench.data.labels import read_labels
from faceedit_bench.data.landmarks import ALIGNED, IN_THE_WILD, read_landmarks
from faceedit_bench.errors import BadDataset, BadImage, UnknownName

Copy = Callable[[str], Path]


def open_(root: Path, split: str = "test", size: int = 32, count: int = 0, name: str = "celeba") -> Samples:
    return catalog().dataset(name).open(root, split, size, count)


def change(path: Path, line: int, old: str, new: str) -> None:
    """Edit one line (from 1) of a text file."""
    lines = path.read_text().splitlines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("layout", celeba_tree.LAYOUTS)
def test_the_three_layouts_hold_the_same_faces(trees: Path, tmp_path: Path, layout: str) -> None:
    places = {
        "flat": "img_align_celeba",
        "torchvision": "celeba/img_align_celeba",
        "official": "Img/img_align_celeba",
    }
    lists = {
        "flat": (".", ".", "."), "torchvision": ("celeba",) * 3, "official": ("Anno", "Anno", "Eval"),
    }[layout]  # fmt: skip
    shutil.copytree(trees / "celeba" / "img_align_celeba", tmp_path / places[layout])
    for folder, file in zip(
        (lists[0], *lists),
        (ALIGNED, "list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"),
        strict=True,
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        shutil.copy(trees / "celeba" / file, tmp_path / folder / file)
    faces = open_(tmp_path)
    assert faces.digest() == open_(trees / "celeba").digest()
    assert faces[0].identity is not None
    assert np.array_equal(faces.landmarks, open_(trees / "celeba").landmarks)


def test_splits_go_by_file_number(trees: Path) -> None:
    ids = {
        split: [face.id for face in open_(trees / "celeba", split)]
        for split in ("train", "validation", "test")
    }
    assert ids["train"][0] == "000001" and len(ids["train"]) == 7
    assert ids["validation"] == ["182001"]
    assert ids["test"] == [f"{182638 + i}" for i in range(6)]


def test_labels_come_from_the_list_by_name(trees: Path) -> None:
    files, names, values = read_labels(trees / "celeba" / "list_attr_celeba.txt")
    face = open_(trees / "celeba")[2]
    assert names == FORTY and face.labels.dtype == np.uint8
    row = files.index(f"{face.id}.jpg")
    line = (trees / "celeba" / "list_attr_celeba.txt").read_text().splitlines()[row + 2]
    assert ["1" if label else "-1" for label in face.labels] == line.split()[1:]
    assert np.array_equal(values[row], face.labels)


@pytest.mark.parametrize(
    ("name", "box", "resampling"),
    [
        ("celeba", (0, 20, 178, 198), Image.Resampling.BILINEAR),
        ("celeba-170", (3, 26, 173, 196), Image.Resampling.BICUBIC),
    ],
)
def test_each_paper_sees_its_own_crop(
    trees: Path, name: str, box: tuple[int, int, int, int], resampling: Image.Resampling
) -> None:
    face = open_(trees / "celeba", size=64, name=name)[0]
    with Image.open(trees / "celeba" / "img_align_celeba" / f"{face.id}.jpg") as file:
        wanted = file.convert("RGB").crop(box).resize((64, 64), resampling)
    assert np.array_equal(face.image, np.asarray(wanted).transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("name", "side", "top", "left"), [("celeba", 178, 20, 0), ("celeba-170", 170, 26, 3)]
)
def test_landmarks_move_with_the_crop_and_the_size(
    trees: Path, name: str, side: int, top: int, left: int
) -> None:
    """A picture is as wide as its pixels: what lies on an edge of the square lies on that of the result."""
    faces = open_(trees / "celeba", size=64, name=name)
    listed = read_landmarks(trees / "celeba" / ALIGNED, [f"{face}.jpg" for face in faces.ids])
    wanted = (listed - [left, top] + 0.5) / side * 64 - 0.5
    assert np.abs(faces.landmarks - wanted).max() < 1e-4  # float32 places below 64
    assert np.array_equal(faces[3].landmarks, faces.landmarks[3])


def test_landmarks_are_where_eyes_and_mouth_are_drawn() -> None:
    """The tree's list, which stands for CelebA's: every point on the part of the face that it names."""
    pictures = celeba_tree._pictures(celeba_tree.persons(12), [Path()] * 12, 178, celeba_tree._aligned())
    parts = {("eyes", "eyeglasses"): (0, 1), ("nose",): (2,), ("lips", "mouth"): (3, 4)}
    for picture, points in zip(pictures, celeba_tree.five_points(pictures), strict=True):
        labels = torch.tensor([picture.labels], dtype=torch.uint8)
        regions = drawn.draw([picture.seed], labels, 178, scenes=[picture.scene]).regions[0].numpy()
        for names, rows in parts.items():
            place = np.argwhere(np.isin(regions, [drawn.REGIONS.index(name) for name in names]))[:, ::-1]
            for x, y in points[list(rows)] - [0, 20]:
                assert np.abs(place - [x, y]).max(1).min() <= 6  # pixels of 178


def test_without_a_list_there_are_no_landmarks(copy_of: Copy) -> None:
    root = copy_of("celeba")
    (root / ALIGNED).rename(root / IN_THE_WILD)
    faces = open_(root)
    assert faces.landmarks is None and faces[0].landmarks is None
    assert f"{IN_THE_WILD} is for pictures before alignment; not read" in faces.index.notes


def test_other_crops_have_other_digests(trees: Path) -> None:
    assert open_(trees / "celeba").digest() != open_(trees / "celeba", name="celeba-170").digest()


def test_only_the_first_faces_are_taken_if_asked(trees: Path) -> None:
    assert [face.id for face in open_(trees / "celeba", count=2)] == ["182638", "182639"]
    with pytest.raises(BadDataset, match="wanted the first 9 faces of split 'test' of celeba, found 6; get"):
        open_(trees / "celeba", count=9)


def test_people_of_the_test_split_are_not_in_training(trees: Path) -> None:
    train, test = (open_(trees / "celeba", split) for split in ("people-train", "people-test"))
    assert len(train) + len(test) == 14 and len(test) > 0
    assert not {face.identity for face in train} & {face.identity for face in test}


def test_the_test_people_are_those_with_the_fewest_pictures() -> None:
    pictures = [*["7"] * 9, *["3"] * 2, *["10"] * 2, *["5"] * 8, "4"]
    train, test = by_person(pictures)
    assert {pictures[row] for row in test} == {"4"} and len(train) == 21


def test_whether_the_split_by_person_is_the_papers_is_said() -> None:
    assert SAGAN_TOTALS[1] + SAGAN_TOTALS[3] == celeba_tree.ALL
    assert SAGAN_TOTALS[0] + SAGAN_TOTALS[2] == celeba_tree.PEOPLE
    people = ["1", "1", "2"]
    assert not matches_sagan(people, {"people-train": np.array([0, 1]), "people-test": np.array([2])})


# ---- what is amiss -------------------------------------------------------------------------------------


def test_without_a_folder_the_way_to_get_one_is_told() -> None:
    with pytest.raises(BadDataset, match=r"--data DIR \(faceedit-bench data where celeba"):
        catalog().dataset("celeba").open(None, "test", 32, 0)


def test_an_archive_is_to_be_unpacked(tmp_path: Path, copy_of: Copy) -> None:
    (tmp_path / "celeba.zip").write_bytes(b"PK")
    with pytest.raises(BadDataset, match="found a file; unpack it"):
        open_(tmp_path / "celeba.zip")
    root = copy_of("celeba")
    shutil.rmtree(root / "img_align_celeba")
    (root / "img_align_celeba.zip").write_bytes(b"PK")
    with pytest.raises(BadDataset, match=r"still packed in .*img_align_celeba\.zip"):
        open_(root)


def test_a_missing_list_is_named_with_the_places_looked_in(copy_of: Copy) -> None:
    root = copy_of("celeba")
    (root / "list_attr_celeba.txt").unlink()
    with pytest.raises(BadDataset, match=r"no list_attr_celeba\.txt(.|\n)*Anno/list_attr_celeba\.txt"):
        open_(root)
    (root / "list_attr_celeba.csv").write_text("image_id,Bald\n")
    with pytest.raises(BadDataset, match=r"list_attr_celeba\.csv: a converted list"):
        open_(root)


def test_a_count_that_is_not_that_of_the_lines_is_refused(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 1, "14", "15")
    with pytest.raises(BadDataset, match=r"list_attr_celeba\.txt, line 1: says 15 faces, found 14 lines"):
        open_(root)


def test_a_list_without_a_count_is_refused(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 1, "14", "image_id")
    with pytest.raises(BadDataset, match="line 1: wanted the number of faces, found 'image_id'"):
        open_(root)


def test_attribute_names_that_are_not_celebas_are_named(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 2, "Eyeglasses", "Spectacles")
    with pytest.raises(BadDataset, match=r"line 2: .* lacks Eyeglasses; it has Spectacles"):
        open_(root)


def test_a_label_that_is_neither_is_named_with_line_and_column(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 5, "000003.jpg -1", "000003.jpg 0")
    with pytest.raises(BadDataset, match=r"line 5 \(000003\.jpg\), column 5_o_Clock_Shadow: .* found '0'"):
        open_(root)


def test_a_line_with_too_few_labels_is_named(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 4, "000002.jpg -1", "000002.jpg")
    with pytest.raises(BadDataset, match=r"line 4 .* wanted 40 labels, found 39"):
        open_(root)


def test_two_pictures_with_the_same_id_are_refused(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_attr_celeba.txt", 6, "000004.jpg", "000003.jpg")
    with pytest.raises(BadDataset, match=r"line 6: 000003\.jpg is listed again; line 5 has it already"):
        open_(root)


def test_absent_pictures_are_listed_and_counted(copy_of: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copy_of("celeba")
    for number in (182638, 182640, 182643):
        (root / "img_align_celeba" / f"{number}.jpg").unlink()
    monkeypatch.setattr("faceedit_bench.data.index.NAMED", 2)
    with pytest.raises(BadDataset, match=r"3 of 6 listed.*\n  182638\.jpg\n  182640\.jpg\n  and 1 more"):
        open_(root)
    assert len(open_(root, "train")) == 7  # what another split lacks is no obstacle


@pytest.mark.parametrize("content", [None, b"not a picture"])
def test_a_broken_picture_is_named_before_anything_is_edited(copy_of: Copy, content: bytes | None) -> None:
    root = copy_of("celeba")
    path = root / "img_align_celeba" / "182639.jpg"
    path.write_bytes(path.read_bytes()[:-400] if content is None else content)
    with pytest.raises(BadImage, match=r"1 of 6 pictures cannot be read(.|\n)*182639\.jpg"):
        open_(root).digest()


def test_a_picture_of_another_size_is_named(copy_of: Copy) -> None:
    root = copy_of("celeba")
    Image.new("RGB", (178, 200)).save(root / "img_align_celeba" / "182638.jpg")
    with pytest.raises(BadImage, match=r"182638\.jpg: 178×200 pixels; wanted 178×218"):
        open_(root)[0]


def test_grey_pictures_are_colour_and_turned_ones_upright(copy_of: Copy) -> None:
    root = copy_of("celeba")
    path = root / "img_align_celeba" / "182638.jpg"
    with Image.open(path) as file:
        upright = file.convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=100, subsampling=0)
    image = open_(root, size=178)[0].image
    wanted = np.asarray(upright)[20:198].astype(int)
    assert np.array_equal(image[0], image[1])
    assert np.abs(image[0].astype(int) - wanted).max() <= 8  # JPEG is lossy


def test_a_partition_that_disagrees_is_refused(copy_of: Copy) -> None:
    root = copy_of("celeba")
    table = root / "list_eval_partition.txt"
    change(table, 1, " 0", " 2")
    change(table, 9, " 2", " 1")
    with pytest.raises(BadDataset) as caught:
        open_(root)
    assert str(caught.value).splitlines() == [
        f"{table}: its test part (2) should be the pictures after number 182637; 2 differ; "
        "get the file again:",
        "  line 1 (000001.jpg): wanted 0 or 1, found 2",
        "  line 9 (182638.jpg): wanted 2, found 1",
    ]


def test_a_part_that_is_none_is_refused(copy_of: Copy) -> None:
    root = copy_of("celeba")
    change(root / "list_eval_partition.txt", 3, " 0", " 7")
    with pytest.raises(
        BadDataset, match=r"txt, line 3: wanted a picture and 0, 1 or 2, found '000003\.jpg 7'"
    ):
        open_(root)


def test_identities_must_know_every_picture(copy_of: Copy) -> None:
    root = copy_of("celeba")
    path = root / "identity_CelebA.txt"
    path.write_text("\n".join(path.read_text().splitlines()[1:]))
    with pytest.raises(BadDataset, match=r"identity_CelebA\.txt: 1 pictures(.|\n)*000001\.jpg"):
        open_(root)
    path.write_text("000001.jpg somebody\n")
    with pytest.raises(BadDataset, match=r"identity_CelebA\.txt, line 1: wanted a picture and the number"):
        open_(root)


@pytest.mark.parametrize(
    ("line", "old", "new", "told"),
    [
        (1, "14", "15", "line 1: wanted the number of faces, of which 14 have a line, found '15'"),
        (2, "nose_x", "node_x", "line 2: wanted lefteye_x lefteye_y .*, found 'lefteye_x"),
        (4, "000002.jpg", "000002.jpg 7", r"line 4 \(000002\.jpg\): wanted 10 numbers, found 11"),
        (5, "000003.jpg", "000003.jpg 1.5", r"line 5 \(000003\.jpg\): wanted 10 numbers, found 11"),
        (6, "000004.jpg", "000003.jpg", r"line 6: 000003\.jpg is listed again; line 5 has it already"),
        (
            7,
            "000005.jpg",
            "000099.jpg",
            r"1 pictures of list_attr_celeba\.txt are not in it(.|\n)*000005\.jpg",
        ),
    ],
)
def test_faults_of_the_list_of_landmarks_are_named(
    copy_of: Copy, line: int, old: str, new: str, told: str
) -> None:
    root = copy_of("celeba")
    change(root / ALIGNED, line, old, new)
    with pytest.raises(BadDataset, match=rf"{re.escape(ALIGNED)}[,:].*{told}.*"):
        open_(root)


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ("9 9 " * 5, "all five points lie at 9, 9"),
        ("69 109 106 113 77.5 142 73 152 108 154", "column nose_x: wanted a place in pixels, found '77.5'"),
        ("69 109 106 113 77 99999 73 152 108 154", "column nose_y: wanted a place in pixels, found '99999'"),
    ],
)
def test_a_line_that_gives_no_face_is_named(copy_of: Copy, points: str, told: str) -> None:
    root = copy_of("celeba")
    path = root / ALIGNED
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], f"000003.jpg {points}", *lines[5:]]) + "\n")
    with pytest.raises(BadDataset, match=rf"line 5 \(000003\.jpg\).*{told}"):
        open_(root)


def test_an_unknown_split_gets_the_nearest_name(trees: Path) -> None:
    with pytest.raises(UnknownName, match="unknown split of celeba 'tset'; did you mean 'test'"):
        open_(trees / "celeba", "tset")


def test_a_split_without_faces_is_named(copy_of: Copy) -> None:
    root = copy_of("celeba")
    celeba_tree.write_labels(root / "list_attr_celeba.txt", ["000001.jpg"], [[-1] * 40])
    (root / "list_eval_partition.txt").unlink()
    with pytest.raises(BadDataset, match=r"split 'test' of celeba has no faces here; found train \(1\)"):
        open_(root)


def test_the_tree_of_the_whole_set_would_have_its_numbers() -> None:
    numbers = celeba_tree.celeba_numbers(celeba_tree.ALL)
    assert numbers == list(range(1, celeba_tree.ALL + 1))
    assert len(set(celeba_tree.persons(celeba_tree.ALL))) == celeba_tree.PEOPLE
