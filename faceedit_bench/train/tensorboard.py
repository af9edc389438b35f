"""Losses and sample sheets as a TensorBoard log, for those who installed the extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import BadConfig

EXTRA = 'pip install "faceedit-bench[tensorboard]"'


class TensorBoard:
    """A watcher (watch.py) that writes `tensorboard/<stage>/` in the training folder."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise BadConfig(f"--tensorboard needs the package tensorboard: {EXTRA}") from None
        self._open = SummaryWriter
        self._folder = folder / "tensorboard"

    def began(self, recipe: str, step: int, steps: int) -> None:
        self._writer = self._open(str(self._folder / recipe), purge_step=step + 1)

    def stepped(self, step: int, losses: Mapping[str, float]) -> None:
        for name, value in losses.items():
            self._writer.add_scalar(name.replace(".", "/"), value, step)

    def sampled(self, step: int, path: Path) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as picture:
            self._writer.add_image("samples", np.asarray(picture), step, dataformats="HWC")

    def ended(self, step: int) -> None:
        self._writer.close()
