"""The built-in data sets of photographs, as specs: light, each loads its reader when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..contracts import DatasetSpec, Samples
from .attributes import FORTY, LFW

BY_NUMBER = ("train", "validation", "test")


def _open(name: str) -> Callable[[Path | None, str, int, int], Samples]:
    """What opens the data set `name`."""

    def open_it(root: Path | None, split: str, resolution: int, count: int) -> Samples:
        from .photographs import open_photographs, reader

        return open_photographs(reader(name), name, root, split, resolution, count)

    return open_it


def _spec(
    name: str,
    summary: str,
    attributes: tuple[str, ...],
    splits: tuple[str, ...],
    *,
    provides: tuple[str, ...] = ("labels",),
    conflicts: str = "stgan",
) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        version="1",
        summary=summary,
        attributes=attributes,
        splits=splits,
        open=_open(name),
        provides=provides,
        faces="photographs",
        conflicts=conflicts,
    )


SPECS: list[DatasetSpec] = [
    _spec(
        "celeba",
        "CelebA, central 178 pixels (StarGAN, SeCGAN, SaGAN)",
        FORTY,
        (*BY_NUMBER, "people-train", "people-test"),
        provides=("labels", "landmarks"),
    ),
    _spec(
        "celeba-170",
        "CelebA, 170 pixels at row 26, column 3 (AttGAN, STGAN)",
        FORTY,
        (*BY_NUMBER, "people-train", "people-test"),
        provides=("labels", "landmarks"),
    ),
    _spec("celebahq", "CelebA-HQ, 30,000 faces at 1024 px", FORTY, (*BY_NUMBER, "first-1000")),
    _spec(
        "celebamask-hq",
        "CelebA-HQ with CelebAMask-HQ's parts of faces",
        FORTY,
        (*BY_NUMBER, "first-1000"),
        provides=("labels", "regions"),
    ),
    _spec("lfw", "Labeled Faces in the Wild, labels by a classifier", LFW, ("all", "pairs")),
    _spec("ffhq", "FFHQ, without labels", (), ("train", "validation"), provides=(), conflicts="none"),
    _spec(
        "folder",
        "the pictures of any folder, without labels",
        (),
        ("all",),
        provides=(),
        conflicts="none",
    ),
    _spec("folder-csv", "the pictures of any folder, labels in a CSV file", (), ("all",), conflicts="none"),
    _spec(
        "imagefolder",
        "a local Hugging Face imagefolder with labels in its metadata",
        (),
        (*BY_NUMBER, "all"),
        conflicts="none",
    ),
]
