"""Sample sheets: a few faces down, source, reconstruction and every single flip across."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..contracts import EditBatch
from ..sheet import sheet
from ..suite import target_labels
from .faces import TrainingFaces
from .recipe import Recipe

ROWS = 6
CELL = 96  # pixels per picture on the sheet


class Sheet:
    """Writes `samples/step-000500.png`; the same faces every time."""

    def __init__(self, recipe: Recipe, faces: TrainingFaces, folder: Path, device: torch.device) -> None:
        self.recipe, self.faces, self.device = recipe, faces, device
        self.folder = folder / "samples"

    @property
    def is_wanted(self) -> bool:
        return self.recipe.preview is not None

    @torch.no_grad()
    def write(self, step: int, networks: Mapping[str, nn.Module]) -> Path:
        assert self.recipe.preview is not None
        count = min(ROWS, len(self.faces))
        columns = [torch.from_numpy(np.array(self.faces.images[:count]))]  # (R, 3, H, W) uint8 each
        for flips in ((), *((name,) for name in self.faces.attributes)):
            edited = self.recipe.preview(networks, self._batch(count, flips))
            columns.append(to_uint8(edited))
        rows = [[column[row].numpy() for column in columns] for row in range(count)]
        path = self.folder / f"step-{step:06d}.png"
        self.folder.mkdir(exist_ok=True)
        sheet(rows, ("source", "reconstruction", *self.faces.attributes), cell=CELL).save(path)
        return path

    def _batch(self, count: int, flips: tuple[str, ...]) -> EditBatch:
        names = self.faces.attributes
        source = self.faces.labels[:count]
        asked = [target_labels(row.tolist(), flips, names, self.faces.conflicts) for row in source]
        images = torch.from_numpy(np.array(self.faces.images[:count])).to(self.device).float()
        return EditBatch(
            images=images / 127.5 - 1,
            source=torch.tensor(np.array(source), dtype=torch.float32, device=self.device),
            target=torch.tensor([target for target, _ in asked], dtype=torch.float32, device=self.device),
            edited=torch.tensor([edited for _, edited in asked], dtype=torch.bool, device=self.device),
            strength=torch.ones(count, device=self.device),
            seeds=torch.arange(count, device=self.device),
            attributes=names,
        )


def to_uint8(images: Tensor) -> Tensor:
    """(B, 3, H, W) in [-1, 1] to uint8 on the CPU, clamped and rounded."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
