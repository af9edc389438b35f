"""The floor: returns its input. Every metric is checked against it, every board shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceedit_bench.api import EditBatch, LoadContext, MethodSpec, NoOptions, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Copy:
    """Edits nothing."""

    def edit(self, batch: EditBatch) -> Tensor:
        return batch.images.clone()


def load(options: NoOptions, context: LoadContext) -> Copy:
    return Copy()


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="copy",
            version="1",
            summary="returns its input: the floor of every metric",
            paper="none",
            attributes=(),
            resolutions=(),
            load=load,
        )
    ]
