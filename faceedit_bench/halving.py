"""Editing and judging where memory is short: the same batch in halves, as often as it takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from .contracts import EditBatch, Editor
from .errors import BadConfig

EDITING = "editing"


@dataclass
class Halving:
    """Calls that take a batch; remembers of each how many pictures at once were too many.

    Whoever edits a batch at once or in parts gets the same bits wherever the method promises that no picture
    depends on its company, as CooGAN does; elsewhere, and in answers of judges, the same numbers up to
    rounding. Metrics see the whole batch in either case.
    """

    most: dict[str, int] = field(default_factory=dict)  # what -> pictures per call, once memory was out

    def edit(self, editor: Editor, batch: EditBatch) -> Tensor:
        """(B, 3, H, W), as `editor.edit` gives it."""

        def in_parts(size: int) -> Tensor:
            return torch.cat([editor.edit(part) for part in parts(batch, size)])

        return self._halved(EDITING, batch.images, lambda: editor.edit(batch), in_parts)

    def ask(self, role: str, judge: Callable[..., Tensor], *pictures: Tensor) -> Tensor:
        """(B, D), as the judge answers on pictures (B, 3, H, W), on pairs of them, or on them and points."""

        def in_parts(size: int) -> Tensor:
            rows = zip(*(part.split(size) for part in pictures), strict=True)
            return torch.cat([judge(*row) for row in rows])

        return self._halved(f"judge of {role}", pictures[0], lambda: judge(*pictures), in_parts)

    def _halved(
        self, what: str, pictures: Tensor, whole: Callable[[], Tensor], in_parts: Callable[[int], Tensor]
    ) -> Tensor:
        """The result of the whole batch, or of its parts joined."""
        count = len(pictures)
        while True:
            size = min(count, self.most.get(what, count))
            made = _tried(whole if size == count else functools.partial(in_parts, size))
            if made is not None:
                return made
            if size <= 1:
                raise _hopeless(what, pictures)
            self.most[what] = size // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


class OutOfMemory(BadConfig):
    """What is left to do does not fit, however small its parts."""


def _hopeless(what: str, pictures: Tensor) -> OutOfMemory:
    height, width = pictures.shape[-2:]
    remedy = (
        "`faceedit-bench cost --memory` says what fits"
        if what == EDITING
        else "fewer --workers, --device cpu, or a smaller judge in the suite need less"
    )
    return OutOfMemory(f"{what}: out of memory with a single picture of {width}×{height} px; {remedy}")


def ended_by(error: BaseException) -> OutOfMemory | None:
    """The error as a user can read it, where memory was out for good; None for other errors."""
    if isinstance(error, OutOfMemory):
        return error
    if not is_out_of_memory(error):
        return None
    return OutOfMemory(
        "out of memory besides editing and judging, while metrics were computed; fewer --workers, or a suite "
        "with a smaller batch_size, need less"
    )


@dataclass(frozen=True)
class Patient:
    """A judge that is asked again with fewer pictures at once where memory is out."""

    role: str
    judge: Callable[..., Tensor]
    halving: Halving

    @property
    def outputs(self) -> tuple[str, ...]:
        return getattr(self.judge, "outputs", ())

    @property
    def aligns(self) -> bool:
        return getattr(self.judge, "aligns", False)

    def __call__(self, *pictures: Tensor) -> Tensor:
        return self.halving.ask(self.role, self.judge, *pictures)


def _tried(work: Callable[[], Tensor]) -> Tensor | None:
    """None where memory was out. The error is gone on return, and with it what it held on to."""
    try:
        return work()
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
