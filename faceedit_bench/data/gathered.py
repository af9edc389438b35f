"""Pictures of a data set side by side, as training takes them: decoded now, or each time they are indexed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..errors import BadImage
from ..progress import bar
from .jpeg_on_gpu import OnGpu
from .photographs import Photographs
from .reading import listed
from .upload import READERS

SPAN = 256  # faces decoded at a time


class EachTime:
    """An array of uint8 that is read where it is indexed."""

    dtype = np.dtype(np.uint8)

    def __init__(self, read: Callable[[Sequence[int]], np.ndarray], shape: tuple[int, ...]) -> None:
        self.read, self.shape, self.ndim = read, shape, len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """An array of these rows that belongs to the caller."""
        wanted = range(len(self))[rows] if isinstance(rows, slice) else [int(row) for row in rows]
        return self.read(wanted) if len(wanted) else np.zeros((0, *self.shape[1:]), np.uint8)


def images(faces: Photographs, on_gpu: OnGpu | None = None) -> EachTime:
    """(N, 3, S, S): decoded by threads, or on a GPU."""
    readers = ThreadPoolExecutor(READERS)

    def read(positions: Sequence[int]) -> np.ndarray:
        if on_gpu is not None:
            return on_gpu(positions).cpu().numpy()
        return np.stack(list(readers.map(faces.picture, positions)))

    return EachTime(read, (len(faces), 3, faces.resolution, faces.resolution))


def regions(faces: Photographs) -> EachTime | None:
    """(N, S, S) parts of the faces, where the data set has them."""
    if faces.index.masks is None:
        return None
    readers = ThreadPoolExecutor(READERS)

    def read(positions: Sequence[int]) -> np.ndarray:
        return np.stack(list(readers.map(faces.regions_of, positions)))

    return EachTime(read, (len(faces), faces.resolution, faces.resolution))


def read_all(source: EachTime, faces: Photographs) -> np.ndarray:
    """The array in memory; of pictures that cannot be read, all are named."""
    found = np.empty(source.shape, np.uint8)
    try:
        with bar(f"decoding {faces.index.name}", len(source)) as advance:
            for start in range(0, len(source), SPAN):
                part = source[start : start + SPAN]
                found[start : start + len(part)] = part
                advance(len(part))
    except BadImage as error:
        raise listed(faces, error) from None
    return found
