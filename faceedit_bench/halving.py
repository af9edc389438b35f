"""Editing where memory is short: the same batch in halves, as often as it takes."""

from __future__ import annotations

from dataclasses import fields, replace

import torch
from torch import Tensor

from .contracts import EditBatch, Editor
from .errors import BadConfig


class Halving:
    """Edits batches of one method; remembers how many pictures at once were too many.

    Whoever edits a batch at once or in parts gets the same bits wherever the method promises that no picture
    depends on its company, as CooGAN does; elsewhere the same numbers up to rounding. Metrics see the whole
    batch in either case.
    """

    def __init__(self) -> None:
        self.most: int | None = None  # pictures per call, once memory was out

    def edit(self, editor: Editor, batch: EditBatch) -> Tensor:
        """(B, 3, H, W), as `editor.edit` gives it."""
        count = len(batch.images)
        while True:
            size = min(count, self.most or count)
            made = self._tried(editor, batch, size)
            if made is not None:
                return made
            if size == 1:
                height, width = batch.images.shape[2:]
                raise BadConfig(
                    f"out of memory with a single picture of {width}×{height} px; "
                    "`faceedit-bench cost --memory` says what fits"
                )
            self.most = size // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _tried(self, editor: Editor, batch: EditBatch, size: int) -> Tensor | None:
        """None where memory was out. The error is gone on return, and with it what it held on to."""
        try:
            if size == len(batch.images):
                return editor.edit(batch)
            return torch.cat([editor.edit(part) for part in parts(batch, size)])
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return None


def is_out_of_memory(error: BaseException) -> bool:
    """Of the GPU, or of the CPU, whose allocator only says so in words."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def parts(batch: EditBatch, size: int) -> list[EditBatch]:
    """The batch's rows, `size` at a time."""
    columns = {
        field.name: getattr(batch, field.name).split(size)
        for field in fields(batch)
        if isinstance(getattr(batch, field.name), Tensor)
    }
    return [
        replace(batch, **dict(zip(columns, rows, strict=True)))
        for rows in zip(*columns.values(), strict=True)
    ]
