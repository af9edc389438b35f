"""Small trees of drawn faces in the formats of the field's data sets, drawn once per worker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import celeba_tree
import pytest

SMALL = 16  # pixels a face is drawn at: these tests do not look at faces


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of trees; tests that change one take a copy."""
    root = tmp_path_factory.mktemp("trees")
    before = os.environ.get("FACEEDIT_QUIET")
    os.environ["FACEEDIT_QUIET"] = "1"
    celeba_tree.celeba(root / "celeba", 14, test=6, drawn_at=SMALL)
    celeba_tree.celebahq(root / "hq", 6, masks=True, side=64, drawn_at=SMALL)
    celeba_tree.lfw(root / "lfw", 10, drawn_at=SMALL)
    celeba_tree.ffhq(root / "ffhq", 4, drawn_at=SMALL)
    celeba_tree.folder_csv(root / "csv", 4, drawn_at=SMALL)
    celeba_tree.imagefolder(root / "imagefolder", 4, drawn_at=SMALL)
    if before is None:
        del os.environ["FACEEDIT_QUIET"]
    return root


@pytest.fixture
def copy_of(trees: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A tree of one's own to damage."""

    def copied(name: str) -> Path:
        place = tmp_path / name
        shutil.copytree(trees / name, place)
        return place

    return copied
