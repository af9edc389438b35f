"""Methods small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from faceedit_bench.contracts import EditBatch, LoadContext, MethodSpec, NoOptions, Preset
from faceedit_bench.cost import Subject

Edit = Callable[[Tensor, EditBatch], Tensor]


class Toy:
    """An editor around a function of pictures and batch."""

    def __init__(self, edit: Edit, home: str | None = None) -> None:
        self.function = edit
        if home is not None:
            self.home = home

    def edit(self, batch: EditBatch) -> Tensor:
        return self.function(batch.images, batch)


def toy(edit: Edit, *, home: str | None = None, resolutions: tuple[int, ...] = ()) -> Subject:
    """The function as a method with one attribute."""
    return of(lambda options, context: Toy(edit, home), resolutions=resolutions)


def of(load: Callable[[object, LoadContext], object], resolutions: tuple[int, ...] = ()) -> Subject:
    spec = MethodSpec(
        name="toy",
        version="1",
        summary="a toy",
        paper="none",
        attributes=("Bald",),
        resolutions=resolutions,
        load=load,  # type: ignore[arg-type]
    )
    return Subject(spec, "default", NoOptions())


def chain(*channels: int) -> nn.Module:
    """1×1 convolutions."""
    pairs = pairwise(channels)
    return nn.Sequential(*(nn.Conv2d(before, after, 1, bias=False) for before, after in pairs))


@dataclass(frozen=True)
class Patched:
    """Options of `patches`."""

    patch_batch: int = 1


def patches() -> Subject:
    """Doubles 16-pixel patches that it takes to the device, `patch_batch` at a time; pictures stay."""

    class Editor:
        def __init__(self, options: Patched, device: str) -> None:
            self.count, self.device, self.home = options.patch_batch, device, "cpu"

        def edit(self, batch: EditBatch) -> Tensor:
            cut = batch.images.unflatten(3, (-1, 16)).unflatten(2, (-1, 16)).permute(0, 2, 4, 1, 3, 5)
            cut = cut.flatten(0, 2)  # (patches, 3, 16, 16)
            made = [(some.to(self.device) * 2).to("cpu") for some in cut.split(self.count)]
            grid = torch.cat(made).unflatten(0, (1, batch.images.shape[-1] // 16, -1))
            return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)

    spec = MethodSpec(
        name="patched",
        version="1",
        summary="a toy",
        paper="none",
        attributes=("Bald",),
        resolutions=(),
        load=lambda options, context: Editor(options, context.device),
        options=Patched,
        presets={"default": Preset(Patched())},
    )
    return Subject(spec, "default", Patched())
