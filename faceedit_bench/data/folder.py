"""The data set `folder`: any pictures on disk, without labels. Ids are paths relative to the folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .frame import WHOLE
from .images import list_images
from .index import Index


def read_folder(root: Path, *, name: str) -> Index:
    """The pictures in `root` and below, by their paths."""
    files = tuple(path.relative_to(root).as_posix() for path in list_images(root))
    return Index(
        name=name,
        root=root,
        folder=root,
        ids=files,
        files=files,
        attributes=(),
        labels=np.zeros((len(files), 0), np.uint8),
        splits={"all": np.arange(len(files))},
        frame=WHOLE,
    )
