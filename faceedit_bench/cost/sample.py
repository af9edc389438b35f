"""The batch that costs are measured on: pictures from a formula, one attribute to be switched on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..contracts import EditBatch, Editor


def sample_batch(
    resolution: int,
    attributes: Sequence[str],
    device: str,
    *,
    count: int = 1,
    number: int = 0,
    home: str | None = None,
) -> EditBatch:
    """`count` pictures of `resolution`², with the first attribute to be switched on, if there is any.

    Another `number` gives other pictures. `home` is where the pictures lie: the device, unless the editor
    wants them elsewhere.
    """
    line = torch.linspace(-1, 1, resolution)
    first = torch.cos(math.pi * (line + 0.618 * number)) if number else line
    picture = torch.stack(
        [first[None] * line[:, None], line[:, None].expand(-1, resolution), line.expand(resolution, -1)]
    )
    source = torch.zeros(count, len(attributes))
    target, edited = source.clone(), source.bool()
    target[:, :1], edited[:, :1] = 1, True
    return EditBatch(
        images=picture[None].repeat(count, 1, 1, 1).to(home or device),
        source=source.to(device),
        target=target.to(device),
        edited=edited.to(device),
        strength=torch.ones(count, device=device),
        seeds=torch.arange(number, number + count, device=device),
        attributes=tuple(attributes),
    )


def labels_of(batch: EditBatch) -> list[Tensor]:
    """What is asked: a few bytes that no peak counts."""
    return [batch.source, batch.target, batch.edited, batch.strength, batch.seeds]


def edit_of(editor: Editor, batch: EditBatch) -> Callable[[], Any]:
    """One edit, to be run. An editor that remembers answers forgets them first: its `forget` is called."""
    forget = getattr(editor, "forget", None)

    def run() -> Any:
        if forget is not None:
            forget()
        return editor.edit(batch)

    return run
