"""CelebA-HQ with its parts of faces, LFW, FFHQ, folders with a table: read as published, faults by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import Samples
from faceedit_bench.data import drawn
from faceedit_bench.data.attributes import LFW
from faceedit_bench.data.lfw import read_attributes, read_lfw, read_pairs
from faceedit_bench.data.masks import PARTS, read_regions
from faceedit_bench.errors import BadDataset, BadImage
from faceedit_bench.suite import THIRTEEN

Copy = Callable[[str], Path]


def open_(name: str, root: Path, split: str, size: int = 32) -> Samples:
    return catalog().dataset(name).open(root, split, size, 0)


def ids(samples: Samples) -> list[str]:
    return [samples[i].id for i in range(len(samples))]


# ---- CelebA-HQ -----------------------------------------------------------------------------------------


def test_celebahq_is_split_by_place(trees: Path) -> None:
    splits = ("train", "validation", "test", "first-1000")
    found = [ids(open_("celebahq", trees / "hq", split)) for split in splits]
    assert found == [["0", "1"], ["28000", "28001"], ["28500", "28501"], ["0", "1"]]


def test_celebahq_named_as_in_celeba_is_the_same_set(trees: Path, copy_of: Copy) -> None:
    root = copy_of("hq")
    for line in (root / "CelebA-HQ-to-CelebA-mapping.txt").read_text().splitlines()[1:]:
        place, _, file = line.split()
        (root / "CelebA-HQ-img" / f"{place}.jpg").rename(root / "CelebA-HQ-img" / file)
    assert open_("celebahq", root, "test").digest() == open_("celebahq", trees / "hq", "test").digest()
    (root / "CelebA-HQ-to-CelebA-mapping.txt").unlink()
    with pytest.raises(
        BadDataset, match=r"named as in CelebA, and that needs CelebA-HQ-to-CelebA-mapping\.txt"
    ):
        open_("celebahq", root, "test")


def test_celebas_labels_serve_through_the_mapping(trees: Path, copy_of: Copy) -> None:
    root = copy_of("hq")
    own = root / "CelebAMask-HQ-attribute-anno.txt"
    files = [
        line.split()[2] for line in (root / "CelebA-HQ-to-CelebA-mapping.txt").read_text().splitlines()[1:]
    ]
    lines = own.read_text().splitlines()
    renamed = [f"{file} {line.split(None, 1)[1]}" for file, line in zip(files, lines[2:], strict=True)]
    (root / "list_attr_celeba.txt").write_text("\n".join([*lines[:2], *renamed]))
    own.unlink()
    faces, before = open_("celebahq", root, "test"), open_("celebahq", trees / "hq", "test")
    assert all(np.array_equal(faces[i].labels, before[i].labels) for i in range(len(before)))
    (root / "CelebA-HQ-to-CelebA-mapping.txt").unlink()
    with pytest.raises(BadDataset, match=r"CelebA's labels need CelebA-HQ-to-CelebA-mapping\.txt"):
        open_("celebahq", root, "test")


def test_celebahq_without_labels_or_with_a_face_twice_is_refused(copy_of: Copy) -> None:
    root = copy_of("hq")
    shutil.copy(root / "CelebA-HQ-img" / "0.jpg", root / "CelebA-HQ-img" / "00000.jpg")
    with pytest.raises(BadDataset, match=r"0\.jpg and 0+\.jpg|00000\.jpg and 0\.jpg are both face 0"):
        open_("celebahq", root, "train")
    (root / "CelebAMask-HQ-attribute-anno.txt").unlink()
    with pytest.raises(BadDataset, match=r"no labels; wanted CelebAMask-HQ-attribute-anno\.txt"):
        open_("celebahq", root, "train")


def test_masks_become_the_twelve_regions(trees: Path) -> None:
    face = open_("celebamask-hq", trees / "hq", "train", 16)[0]
    assert face.regions is not None and face.regions.shape == (16, 16)
    labels = {name: i for i, name in enumerate(drawn.REGIONS)}
    assert {labels["skin"], labels["others"]} <= set(np.unique(face.regions)) <= set(range(12))
    assert set(PARTS.values()) == set(range(12)) and PARTS["neck_l"] == PARTS["hat"] == labels["others"]
    assert open_("celebahq", trees / "hq", "train", 16)[0].regions is None


def test_parts_are_painted_in_order_later_over_earlier(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    for part, columns in (("hair", slice(0, 300)), ("skin", slice(200, 512)), ("nose", slice(250, 260))):
        mask = np.zeros((512, 512, 3), np.uint8)
        mask[:, columns] = 255
        Image.fromarray(mask).save(tmp_path / "1" / f"02001_{part}.png")
    row = read_regions(tmp_path, 2001)[0]
    assert row[[0, 255, 299, 300]].tolist() == [PARTS["hair"]] * 3 + [PARTS["skin"]]
    with pytest.raises(BadImage, match=r"02002_skin\.png: no such file"):
        read_regions(tmp_path, 2002)


def test_celebamask_hq_without_masks_is_refused(copy_of: Copy) -> None:
    root = copy_of("hq")
    shutil.rmtree(root / "CelebAMask-HQ-mask-anno")
    with pytest.raises(BadDataset, match="no folder of part masks"):
        open_("celebamask-hq", root, "train")


# ---- LFW -----------------------------------------------------------------------------------------------


def test_lfw_has_people_labels_and_pairs(trees: Path) -> None:
    root = trees / "lfw"
    faces = open_("lfw", root, "all")
    assert faces.attributes == LFW and "Young" not in LFW and len(LFW) == 38
    assert faces[0].id == "Drawn_Person_Aaaa_0001" and faces[0].identity == "Drawn_Person_Aaaa"
    assert faces[0].image.shape == (3, 32, 32)
    pairs = read_pairs(root / "pairs.txt")
    assert {pair.same for pair in pairs} == {True, False}
    asked = {one for pair in pairs for one in (pair.first, pair.second)}
    assert set(ids(open_("lfw", root, "pairs"))) == asked
    assert all((pair.first[:-5] == pair.second[:-5]) == pair.same for pair in pairs)
    assert ids(open_("lfw", root / "lfw", "all")) == ids(faces)  # the folder of people may be given too


def test_pictures_of_pairs_without_labels_are_told(copy_of: Copy) -> None:
    root = copy_of("lfw")
    pairs = root / "pairs.txt"
    lines = pairs.read_text().splitlines()
    pairs.write_text("\n".join([lines[0], "Nobody\t1\t2", *lines[2:]]))
    index = read_lfw(root, name="lfw")
    assert any("2 of" in note and "left out: Nobody_0001, Nobody_0002" in note for note in index.notes)
    assert "Nobody_0001" not in index.ids


@pytest.mark.parametrize("word", ["few", "nan", "inf"])
def test_lfw_labels_are_the_sign_of_the_values(trees: Path, copy_of: Copy, word: str) -> None:
    known, names, values = read_attributes(trees / "lfw" / "lfw_attributes.txt")
    assert 0 < values.mean() < 1 and values.shape == (len(known), len(names))
    path = copy_of("lfw") / "lfw_attributes.txt"
    lines = path.read_text().splitlines()
    name, number, _, *values = lines[2].split("\t")
    lines[2] = "\t".join([name, number, word, *values])
    path.write_text("\n".join(lines))
    with pytest.raises(BadDataset, match=f"line 3, column Male: wanted a number, found '{word}'"):
        read_attributes(path)


def test_lfws_lists_are_refused_by_line(copy_of: Copy) -> None:
    root = copy_of("lfw")
    pairs = root / "pairs.txt"
    lines = pairs.read_text().splitlines()
    pairs.write_text("\n".join(lines[:-1]))
    with pytest.raises(BadDataset, match=r"pairs\.txt, line 1: says 1 folds"):
        open_("lfw", root, "all")
    pairs.write_text("\n".join([lines[0], "Somebody\t1", *lines[2:]]))
    with pytest.raises(BadDataset, match=r"pairs\.txt, line 2: wanted a name and two numbers"):
        open_("lfw", root, "all")
    pairs.write_text("\n".join([lines[0], "Somebody\t1\ttwo", *lines[2:]]))
    with pytest.raises(BadDataset, match=r"pairs\.txt, line 2: wanted a name and two numbers"):
        open_("lfw", root, "all")
    pairs.unlink()
    (root / "lfw_attributes.txt").write_text("person imagenum Male\n")
    with pytest.raises(BadDataset, match="no header with person, imagenum"):
        open_("lfw", root, "all")
    (root / "lfw_attributes.txt").unlink()
    with pytest.raises(BadDataset, match=r"no lfw_attributes\.txt"):
        open_("lfw", root, "all")


@pytest.mark.parametrize(
    ("pictures", "lists"),
    [
        ("lfw_funneled", "."),
        ("lfw-funneled", "."),
        ("lfw-deepfunneled", "lfw-deepfunneled"),
        ("lfw-deepfunneled/lfw-deepfunneled", "."),
    ],
)
def test_funneled_and_deep_funneled_lfw_lie_where_their_archives_put_them(
    trees: Path, tmp_path: Path, pictures: str, lists: str
) -> None:
    shutil.copytree(trees / "lfw" / "lfw", tmp_path / pictures)
    for file in ("lfw_attributes.txt", "pairs.txt"):
        shutil.copy(trees / "lfw" / file, tmp_path / lists / file)
    for split in ("all", "pairs"):
        assert open_("lfw", tmp_path, split).digest() == open_("lfw", trees / "lfw", split).digest()


# ---- FFHQ ----------------------------------------------------------------------------------------------


def test_ffhq_is_split_by_number_and_has_no_labels(trees: Path) -> None:
    assert ids(open_("ffhq", trees / "ffhq", "train")) == ["00000", "00001"]
    faces = open_("ffhq", trees / "ffhq", "validation")
    assert ids(faces) == ["60000", "60001"] and faces.attributes == () and len(faces[0].labels) == 0


def test_ffhqs_large_pictures_are_taken_where_both_are_there(trees: Path, copy_of: Copy) -> None:
    root = copy_of("ffhq")
    large = root / "images1024x1024" / "00000"
    large.mkdir(parents=True)
    Image.new("RGB", (1024, 1024), (0, 90, 0)).save(large / "00000.png")
    (root / "ffhq-dataset-v2.json").write_text("not needed")
    faces = open_("ffhq", root, "train")
    assert ids(faces) == ["00000"] and faces[0].image[:, 0, 0].tolist() == [0, 90, 0]
    assert open_("ffhq", root / "images1024x1024", "train").digest() == faces.digest()
    small = open_("ffhq", root / "thumbnails128x128", "train")
    assert small.digest() == open_("ffhq", trees / "ffhq", "train").digest() != faces.digest()


# ---- folders with a table ------------------------------------------------------------------------------


def test_a_folder_with_a_table_has_the_tables_order_and_labels(trees: Path) -> None:
    faces = open_("folder-csv", trees / "csv", "all")
    assert faces.attributes == THIRTEEN and ids(faces)[0] == "face-0.png"
    first = (trees / "csv" / "labels.csv").read_text().splitlines()[1].split(",")
    assert faces[0].labels.tolist() == [int(value) for value in first[1:]]


def table(root: Path, text: str) -> Path:
    root.mkdir(exist_ok=True)
    for name in ("a.png", "b.jpg"):
        Image.new("RGB", (8, 8)).save(root / name)
    (root / "labels.csv").write_text(text)
    return root


def test_minus_one_means_no_suffixes_may_be_left_away_and_people_may_be_told(tmp_path: Path) -> None:
    faces = open_("folder-csv", table(tmp_path, "image_id,identity,Bald\nb,Ann,1\na.png,Ben,-1\n"), "all")
    assert faces.attributes == ("Bald",)
    found = [(face.id, face.identity, face.labels.tolist()) for face in (faces[0], faces[1])]
    assert found == [("b.jpg", "Ann", [1]), ("a.png", "Ben", [0])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,Bald\na,2\n", r"line 2 \(a\), column Bald: wanted 0 or 1 .* found '2'"),
        ("id,Bald\na,1\nb,\n", r"line 3 \(b\), column Bald: .* found ''"),
        ("id,Bald\na,1\na.png,0\n", "line 3: a.png is listed again; line 2 has it already"),
        ("id,Bald\na,1,1\n", "line 2: wanted 2 fields as in line 1, found 3"),
        ("name,Bald\na,1\n", "line 1: wanted one column that names the picture"),
        ("id,Bald,Bald\na,1,1\n", "line 1: column Bald is there twice"),
        ("id\na\n", "no column of labels; pictures without labels are the data set 'folder'"),
        ("id,Bald\n", "lists no picture"),
        ("id,Bald,Male\na,0,1\nb,-1,1\n", "found -1 in labels.csv, line 3, column Bald and 0 in .* line 2"),
        (
            "id,identity,Bald\na,Ann,1\nb, ,0\n",
            r"line 3 \(b\), column identity: wanted a name, found nothing",
        ),
        ("id,Bald\na,1\nc,0\n", "1 of 2 listed pictures are not there(.|\n)*  c"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadDataset, match=message):
        open_("folder-csv", table(tmp_path, text), "all")


def test_a_folder_without_a_table_or_with_several_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"no \.csv file"):
        open_("folder-csv", tmp_path, "all")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,Bald\n")
    with pytest.raises(BadDataset, match=r"2 \.csv files \(a\.csv, b\.csv\); wanted one"):
        open_("folder-csv", tmp_path, "all")


def test_imagefolder_reads_its_splits_from_csv_and_from_json_lines(trees: Path, copy_of: Copy) -> None:
    root = copy_of("imagefolder")
    before = open_("imagefolder", root, "test")
    assert len(before) == 2 and len(open_("imagefolder", root, "all")) == 4 and before.attributes == THIRTEEN
    path = root / "test" / "metadata.csv"
    titles, *rows = [line.split(",") for line in path.read_text().splitlines()]
    path.unlink()
    objects = [
        {"file_name": row[0], "text": "a face", **dict(zip(titles[1:], map(int, row[1:]), strict=True))}
        for row in rows
    ]
    (root / "test" / "metadata.jsonl").write_text("\n".join(map(json.dumps, objects)))
    assert open_("imagefolder", root, "test").digest() == before.digest()
    (root / "test" / "metadata.jsonl").write_text('{"file_name": "a.png"\n')
    with pytest.raises(BadDataset, match=r"metadata\.jsonl, line 1: not JSON"):
        open_("imagefolder", root, "test")
    (root / "test" / "metadata.jsonl").write_text('{"file_name": "0002.png", "identity": null, "Bald": 1}')
    shutil.rmtree(root / "train")
    with pytest.raises(
        BadDataset, match=r"line 1 \(test/0002\.png\), column identity: wanted a name, found no"
    ):
        open_("imagefolder", root, "test")
    (root / "test" / "metadata.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(BadDataset, match=r"metadata\.jsonl: not a text file in UTF-8 .*; save it as one"):
        open_("imagefolder", root, "test")
    (root / "test" / "metadata.jsonl").unlink()
    (root / "test" / "data.parquet").write_bytes(b"")
    with pytest.raises(BadDataset, match=r"no metadata.*data\.parquet is another format"):
        open_("imagefolder", root, "test")
